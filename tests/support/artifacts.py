"""A small, realistic results tree as the contract describes it: what the report's tests and trials read.

``build(folder)`` writes results/ under ``folder``. Losses are made so that strategy ``best`` beats random clearly
at 200 examples and not at 400.
"""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from instructmining.costs import tables as cost_tables
from instructmining.jobs.files import write_csv, write_json, write_parquet
from instructmining.quality_rules import regression

INDICATORS = ("reward", "perplexity", "output_length")
DATASETS = ("alpaca", "oasst")
SIZES = {"200": 200, "400": 400, "best-main": 283}
SCRIPT = "</script><script>console.error('injected')</script><b onclick=\"x\">"


def examples(dataset: str, rows: int, seed: int) -> pl.DataFrame:
    """Canonical examples; the texts hold what breaks careless pages."""
    texts = (
        "Explain photosynthesis.",
        'Write a poem about 1 < 2 & "quotes".',
        f"Mind the tag {SCRIPT}",
        "数を数えて 🙂",
    )
    draw = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "id": [f"{seed:04x}{row:016x}" for row in range(rows)],
            "instruction": [f"{texts[row % 4]} ({row})" for row in range(rows)],
            "input": ["" if row % 3 else f"input {row}\nsecond line" for row in range(rows)],
            "output": [" ".join(["An answer."] * int(draw.integers(1, 60))) + SCRIPT for _ in range(rows)],
            "dataset": [dataset] * rows,
            "row": np.arange(rows) * 2,
        }
    )


def indicators(frame: pl.DataFrame, seed: int) -> pl.DataFrame:
    draw = np.random.default_rng(seed + 100)
    n = frame.height
    reward = draw.normal(seed, 1, n)
    return pl.DataFrame(
        {
            "id": frame["id"],
            "reward": pl.Series(np.where(np.arange(n) % 50 == 7, np.nan, reward)).fill_nan(None),
            "perplexity": np.exp(draw.normal(1.2, 0.4, n)),
            "output_length": frame["output"].str.len_chars().cast(pl.Float64),
        }
    )


def build(folder: Path, rows: int = 300) -> Path:
    """Write the tree; returns the results folder."""
    results = folder / "results"
    tables = {}
    for seed, dataset in enumerate(DATASETS):
        tables[dataset] = _dataset(results, dataset, rows, seed)
    ranking = _ranking(results, tables)
    _quality_rules(results)
    _check(results)
    for size, count in SIZES.items():
        for name, shift in (("best", -0.08), ("random-0", 0.004), ("random-1", 0.0), ("random-2", -0.003)):
            shift = shift if size != "400" or name != "best" else 0.001
            subset = f"{name}/unseen/{size}"
            _run(results, subset, ranking.head(count), 1.9 - 0.0002 * count + shift)
    _run(results, "everything/unseen/all", ranking, 1.83)
    for i in range(12):
        _run(results, f"mixtures/base-{i:03d}", ranking.head(50), 1.9, evaluate=False)
    sizes = [64, 97, 141, 283, 357, 520]
    trials = [{"trial": t, "size": size, "value": 1.8 + 0.1 * np.log(size / 283) ** 2} for t, size in enumerate(sizes)]
    found = {"best_size": 283, "best_value": 1.8, "best_trial": 3, "trials": trials, "provenance": {}}
    write_json(results / "searches/main.json", found)
    return results


def _dataset(results: Path, dataset: str, rows: int, seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    frame = examples(dataset, rows, seed)
    table = indicators(frame, seed)
    write_parquet(frame, results / f"datasets/{dataset}/examples.parquet", {})
    summary = {
        "dataset": dataset,
        "source": f"data/{dataset}.json",
        "revision": "unpinned" if seed else None,
        "sha256": None if seed else "ab" * 32,
        "format": "alpaca",
        "licence": "CC-BY-4.0",
        "origin": f"some/{dataset}",
        "rows": None,
        "outside_rows": 0,
        "rows_read": rows + 17,
        "kept": rows,
        "not_sampled": 5,
        "duplicates": 8,
        "rejected": {"duplicate": 8, "empty_output": 4},
        "bad_share": 0.01,
        "notes": {"later_turns": 3},
    }
    write_json(results / f"datasets/{dataset}/summary.json", summary)
    origin = {
        "scorer": "causal",
        "version": 1,
        "model": "smollm2",
        "revision": "0.1.2",
        "units": dict.fromkeys(INDICATORS, "unit"),
        "directions": dict.fromkeys(INDICATORS, "higher is better"),
        "rows": rows,
        "truncated": 11,
        "null": {name: table[name].null_count() for name in INDICATORS},
    }
    write_parquet(table, results / f"indicators/{dataset}.parquet", {"judge": origin})
    return frame, table


def _ranking(results: Path, tables: dict[str, tuple[pl.DataFrame, pl.DataFrame]]) -> pl.DataFrame:
    scored = pl.concat(
        frame.select("id", "dataset").with_columns(score=0.2 - 0.05 * table["reward"])
        for frame, table in tables.values()
    )
    ranking = scored.sort("score", "id", nulls_last=True).with_columns(rank=pl.int_range(pl.len()))
    write_parquet(ranking, results / "rankings/best/unseen.parquet", {})
    return ranking


def observations(n: int = 14, seed: int = 3) -> pl.DataFrame:
    draw = np.random.default_rng(seed)
    values = {name: draw.normal(1, 0.2, n) for name in INDICATORS}
    loss = np.exp(0.5 - 0.1 * values["reward"] + 0.05 * values["perplexity"] + draw.normal(0, 0.015, n))
    return pl.DataFrame({"mixture": [f"base-{i:03d}" for i in range(n)], **values, "loss": loss})


def _quality_rules(results: Path) -> None:
    table = observations()
    settings = {"indicators": "auto", "max_indicators": 2, "bootstrap": 200, "seed": 0}
    rule, sets = regression.estimate(table, settings, list(INDICATORS))
    write_json(results / "quality_rules/fitted.json", {**rule, "provenance": {}})
    write_csv(regression.with_predictions(rule, table), results / "quality_rules/fitted/observations.csv")
    write_csv(sets, results / "quality_rules/fitted/all_subsets.csv")
    published = regression.published("instructmining-v2")
    write_json(results / "quality_rules/published.json", {**published, "provenance": {}})
    empty = pl.DataFrame(schema={"mixture": pl.String, "loss": pl.Float64})
    write_csv(empty, results / "quality_rules/published/observations.csv")
    write_csv(sets.head(0), results / "quality_rules/published/all_subsets.csv")


NEIGHBOURS = {
    "alpaca": {"method": "exact"},
    "pools/unseen": {"method": "nn-descent", "distance_recall": 0.996, "neighbour_recall": 0.9987, "sample": 1000},
}


def neighbour_files(results: Path) -> list[str]:
    """Indicator files of an entry whose neighbours are the pool's, as far as the report reads them."""
    paths = []
    for place, how in NEIGHBOURS.items():
        path = results / f"indicators/{place}/knn_6/000-of-001.parquet"
        counts = {"rows": 300, "truncated": 0, "null": {"knn_6": 2}}
        settings = {"i": 6, "reference": "pool" if "/" in place else "dataset"}
        origin = {**counts, "units": {"knn_6": "distance"}, "settings": settings, "neighbours": how}
        write_parquet(pl.DataFrame({"id": ["1"], "knn_6": [1.0]}), path, origin)
        paths.append(str(path))
    return paths


def check() -> dict[str, Any]:
    aucs = {"reward": 0.66, "perplexity": 0.48, "output_length": 0.43}
    return {
        "pairs": 90,
        "unpaired": 0,
        "indicators": {
            name: {
                "auc": auc,
                "interval": [auc - 0.05, auc + 0.05],
                "paired_accuracy": auc,
                "n_pairs_used": 90,
                "n_pairs_null": 0,
                "verdict": "does not separate" if abs(auc - 0.5) <= 0.05 else "separates",
                "direction": "higher is better",
            }
            for name, auc in aucs.items()
        },
    }


def _check(results: Path) -> None:
    write_json(results / "indicator_check.json", {**check(), "provenance": {}})


def costs() -> pl.DataFrame:
    """What the strategies cost: ``best`` more than everything, by the fit of its rule alone, random less."""
    hours = {"best": {"fit": 3.0, "select": 0.2, "finetune": 0.5}, "random": {"finetune": 0.5}}
    rows = [
        ("unseen", "tiny", strategy, "0" if strategy == "random" else None, size, part, hour, 0.0, hour, 0.0, 1, 0)
        for strategy, parts in hours.items()
        for size in SIZES
        for part, hour in parts.items()
    ]
    parts = pl.DataFrame(rows, schema=cost_tables.PARTS_SCHEMA, orient="row")
    everything = ("unseen", "tiny", cost_tables.ESTIMATED, 2.0, 0.0, 2.0, 0.0)
    known = pl.DataFrame([everything], schema=cost_tables.EVERYTHING_SCHEMA, orient="row")
    return cost_tables.strategies_table(parts, known, {"gpu_hour": None, "cpu_hour": 0.5, "currency": "USD"})


def items(level: float, n: int = 60) -> pl.DataFrame:
    """Per-item losses of one model: the items are as hard for every model, the level differs."""
    draw = np.random.default_rng(9)
    tokens = draw.integers(20, 200, n)
    value = level + draw.normal(0, 0.4, n) + np.random.default_rng(int(level * 1e6)).normal(0, 0.02, n)
    return pl.DataFrame(
        {"id": [f"{i:020x}" for i in range(n)], "nll": value * tokens, "tokens": tokens, "value": value}
    )


def verdicts(wins: int, n: int = 40) -> pl.DataFrame:
    """Items of a pairwise benchmark: so many wins, one item unused, the rest ties and losses."""
    values = [1.0] * wins + [None] + [(i % 2) / 2 for i in range(n - wins - 1)]
    names = {1.0: "win", 0.5: "tie", 0.0: "lose", None: None}
    return pl.DataFrame(
        {
            "id": [f"{i:020x}" for i in range(n)],
            "value": values,
            "weight": [1.0] * n,
            "category": ["writing" if i % 2 else "math & <b>" for i in range(n)],
            "verdict": [names[value] for value in values],
            "prompt": [f"Question {i} {SCRIPT}" for i in range(n)],
            "response": [f"Answer {i} {SCRIPT}" for i in range(n)],
        },
        schema_overrides={"value": pl.Float64, "verdict": pl.String},
    )


def write_evaluation(path: Path, frame: pl.DataFrame, **more: Any) -> None:
    """An evaluation and its items, as evaluating writes them: a loss, or items with ``value`` and ``weight``."""
    loss = "nll" in frame.columns
    total, weight = (frame["nll"], frame["tokens"]) if loss else (frame["value"] * frame["weight"], frame["weight"])
    found = {
        "value": total.sum() / (weight.filter(total.is_not_null()).sum() or 1),
        "n_used": total.len() - total.null_count(),
        "n_expected": frame.height,
        "unit": "nats per response token" if loss else "share of items",
        "direction": "lower_is_better" if loss else "higher_is_better",
        **({"tokens": int(frame["tokens"].sum()), "truncated": 0} if loss else {}),
        **more,
        "provenance": {},
    }
    write_json(path, found)
    write_parquet(frame, path.with_suffix(".items.parquet"), {})


def _run(results: Path, subset: str, ids: pl.DataFrame, level: float, evaluate: bool = True) -> None:
    write_parquet(ids.select("id", "dataset"), results / f"subsets/{subset}.parquet", {})
    train = {
        "recipe": "tiny",
        "subset": subset,
        "examples": ids.height,
        "examples_without_supervised_tokens": 0,
        "tokens": ids.height * 120,
        "supervised_tokens": ids.height * 80,
        "steps": ids.height // 8,
        "seconds": {"load": 1.0, "train": ids.height / 9, "save": 0.5},
        "loss_curve": [{"step": 1, "loss": 2.0, "learning_rate": 1e-5}],
        "settings": {},
        "provenance": {},
    }
    write_json(results / f"runs/tiny/{subset}/train.json", train)
    for benchmark, harder in (("held_out", 0.0), ("other", 0.3)):
        if evaluate:
            write_evaluation(results / f"evaluations/tiny/{subset}/{benchmark}.json", items(level + harder))
