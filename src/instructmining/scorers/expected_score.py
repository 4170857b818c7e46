"""Expected score of a judge: the mean of the scores it may give, weighted by the probabilities of their tokens.

The judge reads each example in one forward pass and generates no text: the probabilities are a softmax over the logits
of the score tokens alone, at the first position of the answer. The prompts of DEITA's two scorers (Liu et al. 2023,
arXiv 2312.15685; hkust-nlp/deita, ``scorer/base.py`` and ``llama_scorer.py``) are in `instructmining.judge.prompts`,
verbatim. Users can also write a prompt of their own and ask any local causal model.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import polars as pl
import torch

from instructmining.data.examples import prompt_text
from instructmining.jobs.errors import InputError
from instructmining.jobs.log import progress
from instructmining.judge.prompts import FIELD, PROMPTS, has_field
from instructmining.models.attention import budget, last_states
from instructmining.models.loading import check_length, load_causal_lm, load_tokenizer, output_head
from instructmining.models.prompts import beginning
from instructmining.models.token_cache import encoded_parts
from instructmining.scorers import by_row
from instructmining.settings import (
    BATCH_TOKENS,
    DEVICE,
    GPUS,
    MAX_LENGTH,
    MODEL,
    PRECISION,
    REQUIRED,
    REVISION,
    Output,
    Scorer,
    anything,
    text,
)

SPEC = Scorer(
    version=1,
    outputs={
        "score": Output("points", "higher is more of what the prompt asks for", "mean of the scores a judge may give"),
    },
    settings={
        "model": MODEL,
        "revision": REVISION,
        "prompt": text(
            REQUIRED,
            "`deita_complexity`, `deita_quality`, or a text with `{instruction}` (and input) "
            "or `{output}`, up to where the score must follow",
        ),
        "scores": anything(
            {"type": "array", "minItems": 2, "uniqueItems": True, "items": {"type": "integer"}},
            "list of whole numbers",
            [1, 2, 3, 4, 5, 6],
            "what the judge may give; each must be one token",
        ),
        "max_length": MAX_LENGTH.but(
            meaning="tokens of the whole text; the prompt's last words stay; cuts are counted"
        ),
        "batch_tokens": BATCH_TOKENS,
        "device": DEVICE,
        "gpus": GPUS,
        "precision": PRECISION,
    },
    order=7,
)


class Question(NamedTuple):
    """A prompt for one tokenizer: its last words as tokens, and the token of each score that may follow them.

    ``added`` is a score that is tokenised together with the prompt, and whose token is then dropped. It is needed where
    a score's token contains the prompt's last blank; otherwise it is empty.
    """

    prompt: str
    last_words: list[int]
    choices: list[int]
    added: str


def score(parts: Iterable[pl.DataFrame], settings: dict[str, Any]) -> Iterator[pl.DataFrame]:
    """Yield the column ``score``, between the lowest and the highest of ``settings["scores"]``.

    A higher score means more of what the prompt asks for. ``settings["prompt"]`` is a name in PROMPTS, or a text with
    {instruction} (instruction and input together) or {output}. A text over ``max_length`` tokens is cut before the
    words that follow its last field. The score is null where one row alone does not fit in memory.

    Raises:
        InputError: a score is not one token, the prompt has no field, or the prompt alone exceeds ``max_length``.
    """
    tokenizer = load_tokenizer(settings["model_path"], settings["revision"])
    model = load_causal_lm(settings["model_path"], settings["revision"], settings["precision"], settings["device"])
    check_length(model, settings["max_length"], settings["model_path"])
    question = ask(tokenizer, settings["prompt"], settings["scores"])
    answers, tokens = answerer(model, question.choices, settings["scores"]), budget(model, settings["batch_tokens"])
    advance = progress(settings["rows"], "rows judged")

    def encoded(examples: pl.DataFrame) -> list[tuple[list[int], bool]]:
        return encode(tokenizer, question, examples, settings["max_length"])

    depends_on = ("expected_score", *question, settings["max_length"])
    encoded_rows = encoded_parts(parts, encoded, settings.get("token_cache"), tokenizer, *depends_on)
    yield from by_row.frames("score", encoded_rows, answers, tokens, advance)


def ask(tokenizer: Any, prompt: str, scores: Sequence[int]) -> Question:
    """The question for this tokenizer, from the name or the text of a prompt.

    The scores are first tokenised after the prompt. If the tokenizer joins the prompt's last blank to every score, the
    judge decides before that blank. Otherwise the tokens of the scores alone are used, as in DEITA.

    Raises:
        InputError: the prompt has no field, or the scores do not differ by exactly one token.
    """
    template = PROMPTS.get(prompt, prompt)
    last = FIELD.split(template)[-1]
    if not has_field(prompt):
        raise InputError(f"expected_score: prompt {prompt!r}: expected {{instruction}} or {{output}} in it")
    names = [str(score) for score in scores]
    joined = _plain_ids(tokenizer, [f"a{last}{name}" for name in names])
    apart = [[*_plain_ids(tokenizer, [f"a{last}"])[0], *ids] for ids in _plain_ids(tokenizer, names)]
    before = len(_plain_ids(tokenizer, ["a"])[0])
    for whole, added in ((joined, names[0]), (apart, "")):
        if len({tuple(ids[:-1]) for ids in whole}) == 1 and len({ids[-1] for ids in whole}) == len(names):
            return Question(template, whole[0][before:-1], [ids[-1] for ids in whole], added)
    raise InputError(f"expected_score: the tokenizer has no single token for each of {', '.join(names)}")


def encode(tokenizer: Any, question: Question, examples: pl.DataFrame, max_length: int) -> list[tuple[list[int], bool]]:
    """For each example: the token ids up to where the score must follow, and whether the text was cut.

    The ids include the beginning token.

    Raises:
        InputError: the prompt alone is longer than ``max_length``.
    """
    texts = [
        _filled(question.prompt, prompt_text(instruction, given), output) + question.added
        for instruction, given, output in examples.select("instruction", "input", "output").iter_rows()
    ]
    begin = beginning(tokenizer)
    room = max_length - len(begin) - len(question.last_words)
    if room < 1:
        raise InputError(f"expected_score: max_length is {max_length}: the prompt alone is longer")
    rows = []
    for ids in _plain_ids(tokenizer, texts):
        if ids[: len(begin)] == begin:
            ids = ids[len(begin) :]
        whole = [*begin, *(ids[:-1] if question.added else ids)]
        cut = len(whole) > max_length
        rows.append(([*begin, *ids[:room], *question.last_words] if cut else whole, cut))
    return rows


def _filled(prompt: str, instruction: str, output: str) -> str:
    # one pass, not str.format: an instruction may hold braces
    return FIELD.sub(lambda field: instruction if field[1] == "instruction" else output, prompt)


def answerer(model: Any, choices: Sequence[int], scores: Sequence[int]) -> Callable[[list[list[int]]], torch.Tensor]:
    """A function from rows of token ids to their float64 expected scores (rows,)."""
    head = output_head(model, choices)
    points = torch.tensor(scores, dtype=torch.float64, device=model.device)

    @torch.inference_mode()
    def read(rows: list[list[int]]) -> torch.Tensor:
        return head(last_states(model, rows)).double().softmax(dim=1) @ points

    return read


def _plain_ids(tokenizer: Any, texts: list[str]) -> list[list[int]]:
    ids: list[list[int]] = tokenizer(texts, add_special_tokens=False, verbose=False).input_ids if texts else []
    return ids
