"""UniEval's dialogue dimensions (Zhong et al. 2022, arXiv 2210.07197), each a yes-or-no question to a T5 model.

The value is p(Yes) / (p(Yes) + p(No)) at the decoder's first step. It equals sigmoid(logit of Yes - logit of No), so
only two rows of the output matrix are needed. The model always runs in float32: T5 overflows in float16, and the
rounding of bfloat16 alone adds noise of 5e-4 to a predicted log-loss. The method follows the authors' ``utils.py`` and
``metric/scorer.py``; the questions are verbatim.

An example is read as one turn of a dialogue: its prompt is the dialogue history. It has no fact, so the questions for
``engagingness`` and ``groundedness`` contain an empty one. ``engagingness`` is asked about each sentence of the
response, and the probabilities are summed, as in the authors' ``metric/evaluator.py``, with the same sentence splitter
(NLTK's).
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import polars as pl
import torch
from transformers import AutoModelForSeq2SeqLM

from instructmining.data.examples import prompt_text
from instructmining.jobs.errors import InputError
from instructmining.jobs.log import progress
from instructmining.models import t5
from instructmining.models.batching import Budget, over_batches
from instructmining.models.loading import check_device, check_loaded, load_pretrained, load_tokenizer
from instructmining.models.token_cache import encoded_parts
from instructmining.settings import BATCH_TOKENS, DEVICE, GPUS, MODEL, OUTPUTS, REVISION, Output, Scorer, one_of, whole

SPEC = Scorer(
    version=2,
    outputs={
        "naturalness": Output(
            "probability",
            "higher is better",
            "probability of Yes against No: is this a natural response in the dialogue?",
        ),
        "coherence": Output(
            "probability",
            "higher is better",
            "probability of Yes against No: is this a coherent response given the dialogue history?",
        ),
        "understandability": Output(
            "probability",
            "higher is better",
            "probability of Yes against No: is this an understandable response in the dialogue?",
        ),
        "engagingness": Output(
            "sum of probabilities",
            "higher is better",
            "probability of Yes against No, of each sentence: "
            "is this an engaging and informative response according to the dialogue history and fact?",
        ),
        "groundedness": Output(
            "probability",
            "higher is better",
            "probability of Yes against No: is this response consistent with knowledge in the fact?",
        ),
    },
    settings={
        "outputs": OUTPUTS,
        "model": MODEL,
        "revision": REVISION,
        "max_length": whole(1024, "tokens of question and text together", minimum=2),
        "batch_tokens": BATCH_TOKENS,
        "device": DEVICE,
        "gpus": GPUS,
        "precision": one_of(
            ["float32"], "float32", "T5 overflows in float16, and bfloat16 is too coarse for the published rule"
        ),
    },
    order=6,
)


QUESTIONS = {
    "naturalness": "question: Is this a natural response in the dialogue? </s> response: {output}",
    "coherence": (
        "question: Is this a coherent response given the dialogue history? </s> response: {output}"
        " </s> dialogue history: {history}"
    ),
    "engagingness": (
        "question: Is this an engaging and informative response according to the dialogue history and fact?"
        " </s> response: {output} </s> dialogue history: {history} </s> fact: {fact}"
    ),
    "groundedness": (
        "question: Is this response consistent with knowledge in the fact? </s> response: {output} </s> fact: {fact}"
    ),
    "understandability": ("question: Is this an understandable response in the dialogue? </s> response: {output}"),
}


def question(dimension: str, output: str, history: str, fact: str = "") -> str:
    """The text that UniEval reads. ``history`` ends with a blank line. Every ``</s>`` becomes the end token."""
    return QUESTIONS[dimension].format(output=output, history=history, fact=fact)


def questions(dimension: str, output: str, history: str, fact: str = "") -> list[str]:
    """The questions of a dimension about one response; the probabilities of Yes are summed over them."""
    parts = sentences(output) if dimension == "engagingness" else [output]
    return [question(dimension, part, history, fact) for part in parts]


def sentences(text: str) -> list[str]:
    """The sentences of a text, by NLTK's Punkt model for English.

    Raises:
        InputError: the data of the Punkt model are not installed.
    """
    from nltk import sent_tokenize

    try:
        parts: list[str] = sent_tokenize(text)
    except LookupError as error:
        what = "expected NLTK's punkt_tab data (python -m nltk.downloader punkt_tab), or NLTK_DATA to name their folder"
        raise InputError(f"unieval: engagingness is asked of each sentence: {what}") from error
    return parts


def score(parts: Iterable[pl.DataFrame], settings: dict[str, Any]) -> Iterator[pl.DataFrame]:
    """Yield one column per dimension in ``settings["outputs"]``: probability of Yes against No, higher is better.

    ``engagingness`` is a sum over sentences, between 0 and their number. Texts over ``max_length`` tokens lose their
    right end. A value is null where one text alone does not fit in memory.

    Raises:
        InputError: see `load_model`, `judge` and `sentences`.
    """
    dimensions = list(settings["outputs"])
    tokenizer, model = load_model(settings)
    ask, tokens = judge(tokenizer, model), Budget(settings["batch_tokens"])
    advance = progress(settings["rows"] * len(dimensions), "questions")

    def encoded(examples: pl.DataFrame) -> tuple[list[int], list[list[int]], list[bool]]:
        texts = [
            questions(dimension, output, prompt_text(instruction, given) + "\n\n")
            for instruction, given, output in examples.select("instruction", "input", "output").iter_rows()
            for dimension in dimensions
        ]
        ids, cut = question_ids(tokenizer, [one for some in texts for one in some], settings["max_length"])
        return [len(some) for some in texts], ids, cut

    depends_on = ("unieval", dimensions, settings["max_length"])
    cache = settings.get("token_cache")
    for examples, (counts, ids, cut) in encoded_parts(parts, encoded, cache, tokenizer, *depends_on):
        answers = iter(zip(ask(ids, tokens, advance), cut, strict=True))
        asked = [[next(answers) for _ in range(count)] for count in counts]
        sums = [_sum([value for value, _ in some]) for some in asked]
        cuts = [any(one for _, one in some) for some in asked]
        width = len(dimensions)
        columns = [pl.Series(name, sums[place::width], dtype=pl.Float64) for place, name in enumerate(dimensions)]
        yield examples.select(
            "id",
            *columns,
            truncated=pl.any_horizontal(pl.Series(f"{place}", cuts[place::width]) for place in range(width)),
            reason=pl.when(pl.any_horizontal(column.is_null() for column in columns)).then(
                pl.lit("does not fit in memory")
            ),
        )


def _sum(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None


def load_model(settings: dict[str, Any]) -> tuple[Any, Any]:
    """UniEval's tokenizer and T5 model.

    Raises:
        InputError: the precision is not float32, a weight is missing, or the model is no T5.
    """
    if settings["precision"] != "float32":
        raise InputError(f"unieval: precision is {settings['precision']}: T5 needs float32")
    tokenizer = load_tokenizer(settings["model_path"], settings["revision"])
    device = check_device(settings["device"])
    model, report = load_pretrained(
        AutoModelForSeq2SeqLM,
        settings["model_path"],
        settings["revision"],
        dtype=torch.float32,
        use_safetensors=True,
        output_loading_info=True,
    )
    check_loaded(settings["model_path"], report)
    if model.config.model_type != "t5":
        raise InputError(f"{settings['model_path']}: model type is {model.config.model_type}: expected t5")
    return tokenizer, model.to(device).eval()


def question_ids(tokenizer: Any, texts: list[str], max_length: int) -> tuple[list[list[int]], list[bool]]:
    """Token ids of each text, and whether it was cut. As the authors do, the right end is cut, not the end token."""
    encoded = tokenizer(texts, truncation=False, verbose=False).input_ids if texts else []
    ids = [row if len(row) <= max_length else [*row[: max_length - 1], row[-1]] for row in encoded]
    return ids, [len(row) > max_length for row in encoded]


def judge(tokenizer: Any, model: Any) -> Callable[..., list[float | None]]:
    """A function from rows of token ids, a budget and ``advance`` to each row's probability of Yes against No.

    The probability is None where a row alone does not fit in memory.

    Raises:
        InputError: Yes and No begin with the same token.
    """
    yes, no = (tokenizer(word).input_ids[0] for word in ("Yes", "No"))
    if yes == no:
        raise InputError("unieval: its tokenizer has the same token for Yes and No")
    first_step = t5.first_step(model)
    direction = model.lm_head.weight[yes] - model.lm_head.weight[no]

    def ask(ids: list[list[int]], tokens: Budget, advance: Callable[[int], None] | None = None) -> list[float | None]:
        @torch.inference_mode()
        def launch(batch: list[int]) -> Callable[[], list[float]]:
            return torch.sigmoid((first_step([ids[row] for row in batch]) @ direction).double()).tolist

        return over_batches([len(row) for row in ids], tokens, launch, advance)

    return ask
