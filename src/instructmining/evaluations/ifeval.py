"""IFEval: the share of prompts whose verifiable instructions a response follows (Zhou et al. 2023, arXiv 2311.07911).

lm-evaluation-harness's own checkers decide, without its tasks and without network.
"""

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import polars as pl

from instructmining.data.examples import read_details, read_examples
from instructmining.data.share_used import check_share_used
from instructmining.evaluations.job import EvaluationJob
from instructmining.jobs.errors import InputError
from instructmining.settings import BATCH_TOKENS, BENCHMARK_DATASET, GENERATION, MIN_SHARE_USED, Benchmark, text

SPEC = Benchmark(
    version=1,
    meaning="instructions that can be checked by a program",
    value="share of prompts all of whose instructions are followed (strict)",
    needs="IFEval's prompts as a file",
    direction="higher_is_better",
    settings={
        "dataset": BENCHMARK_DATASET.but(meaning="the prompts; otherwise the source stands here", again="its answers"),
        "generation": GENERATION,
        "nltk_data": text(None, "where `tokenizers/punkt_tab` lies", type_words="a model or folder"),
        "min_share_used": MIN_SHARE_USED.but(meaning="a smaller share of prompts with an answer is an error"),
        "batch_tokens": BATCH_TOKENS.but(
            meaning="tokens of prompts and answers in a batch; halved when memory runs out"
        ),
    },
    items_format="ifeval",
    order=3,
)


UNIT = "share of prompts"
# the checkers look for the first when they are imported, and would download it; the second is what they read
_SENTENCE_MODEL = ("tokenizers/punkt_tab", "tokenizers/punkt_tab/english")

_SCHEMA: dict[str, Any] = {
    "id": pl.String,
    "value": pl.Float64,
    "weight": pl.Float64,
    "loose": pl.Float64,
    "instructions": pl.List(pl.String),
    "followed_strict": pl.List(pl.Boolean),
    "followed_loose": pl.List(pl.Boolean),
    "category": pl.String,
    "prompt": pl.String,
    "response": pl.String,
    "reason": pl.String,
}


def evaluate(job: EvaluationJob, settings: Mapping[str, Any]) -> tuple[dict[str, Any], pl.DataFrame]:
    """Prompts of which every instruction is followed, among those with a response; higher is better.

    Reads ``job.examples``, whose details are ``instruction_id_list`` and ``kwargs``, and ``job.answers`` (id, response,
    finish) in the same order. Settings: ``min_share_used``, and ``nltk_data``, the folder of NLTK's data (None: where
    NLTK itself looks). ``value`` is strict; loose also takes the response without its first or last line, or asterisks.

    Returns:
        The figures (beside the value each share and its ``n``, over prompts and over instructions, and strict over the
        instructions of each type) and the items: id, value, weight, loose, instructions, followed_strict,
        followed_loose, category, prompt, response, reason.

    Raises:
        InputError: an instruction is unknown or has other arguments, data is missing, or there are too few responses.
    """
    examples, details = read_examples(job.examples), read_details(job.examples)
    generations = pl.read_parquet(job.answers)
    utils, known = _checkers(settings["nltk_data"])
    if examples["id"].to_list() != generations["id"].to_list():
        raise InputError("ifeval: the responses are not those to its prompts: other ids, or in another order")
    rows = zip(examples.iter_rows(named=True), details, generations.iter_rows(named=True), strict=True)
    items = pl.DataFrame([_item(*row, utils, known) for row in rows], schema=_SCHEMA)
    used = items.drop_nulls("value")
    check_share_used("ifeval", used.height, items.height, settings["min_share_used"], "prompts have a response")
    return _figures(items, used, generations), items


def _item(
    example: Mapping[str, Any], detail: Mapping[str, Any], generation: Mapping[str, Any], utils: Any, known: Any
) -> dict[str, Any]:
    names = detail["instruction_id_list"]
    item = {
        **{"id": example["id"], "weight": 1.0, "instructions": names, "prompt": example["instruction"]},
        **{"category": ", ".join(dict.fromkeys(map(_type, names))), "response": generation["response"]},
    }
    with _seeded(example["id"]):
        _check(detail, known, example)
        if generation["response"] is None:
            return {**item, "reason": generation["finish"]}
        doc = {"key": None, "prompt": example["instruction"], **detail}
        found = utils.process_results(doc, [generation["response"]])
    return {
        **item,
        "value": float(found["prompt_level_strict_acc"]),
        "loose": float(found["prompt_level_loose_acc"]),
        "followed_strict": found["inst_level_strict_acc"],
        "followed_loose": found["inst_level_loose_acc"],
    }


def _check(detail: Mapping[str, Any], known: Mapping[str, Any], example: Mapping[str, Any]) -> None:
    """Build every instruction once: what is wrong with a row is its own fault, not the checkers'."""
    where = f"ifeval: row {example['row']} of {example['dataset']}"
    for name, given in zip(detail["instruction_id_list"], detail["kwargs"], strict=True):
        if name not in known:
            raise InputError(f"{where}: instruction {name!r} is none of the harness's {len(known)}")
        try:
            known[name](name).build_description(**{key: value for key, value in given.items() if value})
        except (TypeError, ValueError, AttributeError) as error:
            raise InputError(f"{where}: instruction {name!r} with {dict(given)}: {error}") from None


def _figures(items: pl.DataFrame, used: pl.DataFrame, generations: pl.DataFrame) -> dict[str, Any]:
    strict, loose = (used[column].explode(empty_as_null=False) for column in ("followed_strict", "followed_loose"))
    types: dict[str, list[bool]] = defaultdict(list)
    for name, followed in zip(used["instructions"].explode(empty_as_null=False), strict, strict=True):
        types[_type(name)].append(followed)
    return {
        "value": used["value"].mean(),
        "n_used": used.height,
        "n_expected": items.height,
        "unit": UNIT,
        "direction": SPEC.direction,
        "prompt_loose": _share(used["loose"]),
        "instruction_strict": _share(strict),
        "instruction_loose": _share(loose),
        "by_type": {name: _share(pl.Series(followed)) for name, followed in sorted(types.items())},
        "not_ended": int((generations["finish"] == "length").sum()),
        "checkers": f"lm_eval {version('lm_eval')}",
    }


def _share(values: pl.Series) -> dict[str, Any]:
    return {"share": values.cast(pl.Float64).mean(), "n": len(values)}


def _type(instruction: str) -> str:
    return instruction.partition(":")[0]


def _checkers(folder: str | None) -> tuple[Any, Mapping[str, Any]]:
    """The harness's module that checks responses, and its checkers by instruction; seconds are what it imports."""
    import nltk

    # NLTK reads only below the folders of its path
    folders = [str(Path(folder).resolve())] if folder else None
    if folders and folders[0] not in nltk.data.path:
        nltk.data.path[:0] = folders
    for name in _SENTENCE_MODEL:
        try:
            nltk.data.find(name, folders)
        except LookupError:
            raise InputError(
                f"ifeval: NLTK's sentence model is missing: no {name} in {folder or 'the folders where NLTK looks'}; "
                "let `nltk_data` name the package llama-index-core with the folder "
                "llama_index/core/_static/nltk_cache, or run python -m nltk.downloader punkt_tab with a network"
            ) from None
    import langdetect
    from lm_eval.tasks.ifeval import instructions_registry, utils

    langdetect.DetectorFactory.seed = 0
    return utils, instructions_registry.INSTRUCTION_DICT


@contextmanager
def _seeded(name: str) -> Iterator[None]:
    """The checkers draw what they cannot use (two prompts ask for ``#`` and ``!`` as letters): by the item's id."""
    state = random.getstate()
    random.seed(name)
    try:
        yield
    finally:
        random.setstate(state)
