"""Evaluation by loss: mean negative log-likelihood per response token on a held-out set (IM section 3, CR 4)."""

from typing import Any

import polars as pl

from instructmining.data.examples import read_examples
from instructmining.data.share_used import check_share_used
from instructmining.evaluations.job import EvaluationJob
from instructmining.jobs.log import progress
from instructmining.models.attention import budget
from instructmining.models.likelihood import read_responses
from instructmining.models.loading import check_length, load_causal_lm, load_tokenizer
from instructmining.models.prompts import encode
from instructmining.settings import BATCH_TOKENS, BENCHMARK_DATASET, MAX_LENGTH, MIN_SHARE_USED, Benchmark

SPEC = Benchmark(
    version=2,
    meaning="mean negative log-likelihood (nats) per response token",
    value="mean negative log-likelihood, nats per response token",
    needs="a dataset with responses",
    direction="lower_is_better",
    settings={
        "dataset": BENCHMARK_DATASET.but(meaning="the set; otherwise the source stands here, with any key of datasets"),
        "max_length": MAX_LENGTH.but(meaning="tokens of prompt and response that are read"),
        "min_share_used": MIN_SHARE_USED.but(
            meaning="a smaller share of items that can be used is an error: nothing is scored on the rest in silence"
        ),
        "batch_tokens": BATCH_TOKENS,
    },
    order=1,
)


UNIT = "nats per response token"


def evaluate(job: EvaluationJob, settings: dict[str, Any]) -> tuple[dict[str, Any], pl.DataFrame]:
    """Sum of the NLL of all response tokens given their prompts, divided by their number; lower is better.

    The end token is not counted. Reads ``job.model`` and ``job.examples``.

    Returns:
        The figures (value, n_used, n_expected, unit, direction, tokens, truncated) and the items: id, nll (nats, null
        where an item has no response token), tokens, value.

    Raises:
        InputError: fewer than ``min_share_used`` of the items can be used.
    """
    examples = read_examples(job.examples)
    tokenizer = load_tokenizer(job.model)
    model = load_causal_lm(job.model, precision=settings["precision"], device=settings["device"])
    check_length(model, settings["max_length"], job.model)
    limits = (settings["max_length"], settings["max_prompt_length"])
    encoded = encode(examples, tokenizer, settings["template"], *limits, end=False)
    tokens = budget(model, settings["batch_tokens"])
    readings = read_responses(model, encoded, tokens, advance=progress(len(encoded), "items evaluated"))
    items = pl.DataFrame(
        {
            "id": examples["id"],
            "nll": pl.Series([r.nll if r else None for r in readings], dtype=pl.Float64),
            "tokens": pl.Series([r.tokens if r else 0 for r in readings], dtype=pl.Int64),
        }
    ).with_columns(value=pl.col("nll") / pl.col("tokens"))
    used = items.drop_nulls("nll")
    what = "items have a response token within max_length and fit in memory"
    check_share_used("loss", used.height, items.height, settings["min_share_used"], what)
    figures = {
        "value": float(used["nll"].sum()) / int(used["tokens"].sum()),
        "n_used": used.height,
        "n_expected": items.height,
        "unit": UNIT,
        "direction": SPEC.direction,
        "tokens": int(used["tokens"].sum()),
        "truncated": sum(example.truncated for example in encoded),
    }
    return figures, items
