"""Evaluations as tables: runs by benchmarks with intervals, one benchmark by category, and item by item."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from instructmining.data.examples import prompt_text, read_examples
from instructmining.evaluations import HIGHER
from instructmining.jobs.files import read_json
from instructmining.tables.comparison import STRATEGY
from instructmining.tables.significance import mean_interval, value_interval

RUN = ["recipe", "pool", "strategy", "seed", "size"]
# columns of items that say which part of a benchmark an item belongs to
_PARTS = ("category", "task")
_TEXT = 600


def runs(evaluations: pl.DataFrame) -> pl.DataFrame:
    """One row a run and benchmark: its key, ``value`` with the 95 % interval over items, unit, direction and counts.

    ``evaluations``: from ``comparison.read_evaluations``. The interval (percentile bootstrap) holds the chance of the
    items alone: what another training would change is in the spread over random seeds.
    """
    intervals = [value_interval(path) for path in evaluations["path"]]
    return evaluations.select(
        *RUN,
        "examples",
        "benchmark",
        "value",
        pl.Series("low", [low for low, _ in intervals], dtype=pl.Float64),
        pl.Series("high", [high for _, high in intervals], dtype=pl.Float64),
        "unit",
        "direction",
        "n_used",
        "n_expected",
    )


def wide(table: pl.DataFrame) -> pl.DataFrame:
    """``runs`` for reading: a row a run, a column a benchmark, ``value (low to high)``."""
    told = pl.format("{} ({} to {})", *(pl.col(name).round(4) for name in ("value", "low", "high")))
    benchmarks = table["benchmark"].unique(maintain_order=True).to_list()
    found = table.with_columns(told=told).pivot("benchmark", index=[*RUN, "examples"], values="told")
    constant = [name for name in ("recipe", "pool") if found[name].n_unique() == 1]
    return found.select(*RUN, "examples", *benchmarks).drop(constant)


def by_recipe(table: pl.DataFrame, recipes: Sequence[str]) -> pl.DataFrame:
    """Does what holds for one recipe hold for others? (Cao et al. 2023, Table 6)

    ``table``: from ``comparison.compare``. One row for each pool, benchmark, size and strategy that meets random; for
    each recipe its value, and the difference to random's mean with the interval, as text. Empty where no recipe has a
    random subset, or there is one recipe.
    """
    met = table.filter(pl.col("difference").is_not_null())
    if len(recipes) < 2 or met.is_empty():
        return pl.DataFrame()
    interval = pl.format("{} ({} to {})", *(pl.col(f"difference{end}").round(4) for end in ("", "_low", "_high")))
    told = met.with_columns(
        told=pl.format(
            "{}; {}", pl.col("value").round(4), pl.coalesce(interval, pl.col("difference").round(4).cast(pl.String))
        )
    )
    index = ["pool", "benchmark", "size", "strategy", "baseline"]
    found = told.pivot("recipe", index=index, values="told", maintain_order=True)
    constant = [name for name in ("pool", "benchmark", "baseline") if found[name].n_unique() == 1]
    return found.select(*index, *(name for name in recipes if name in found.columns)).drop(constant)


def details(paths: Sequence[str | Path]) -> pl.DataFrame:
    """What stands beside the value, number by number: ``figure`` and one column a run. Lists but those of an interval
    are left to the file."""
    rows: dict[str, dict[str, Any]] = {}
    for path in paths:
        figures = {key: value for key, value in read_json(path).items() if key not in ("provenance", "direction")}
        for name, value in _flat(figures):
            rows.setdefault(name, {})[label(path)] = value
    names = [label(path) for path in paths]
    return pl.DataFrame(
        [{"figure": name, **{run: values.get(run) for run in names}} for name, values in rows.items()],
        schema={"figure": pl.String, **dict.fromkeys(names, pl.String)},
    )


def label(path: str | Path) -> str:
    """A run in a word or two: order and size."""
    order, _, size = Path(path).parts[-4:-1]
    return f"{order}, {size}"


def _flat(value: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, str]]:
    for key, inner in value.items():
        name = f"{prefix}{key}"
        if isinstance(inner, Mapping):
            yield from _flat(inner, f"{name}, ")
        elif isinstance(inner, float):
            yield name, f"{inner:.4f}"
        elif key == "interval" and inner:
            yield name, f"{inner[0]:.4f} to {inner[1]:.4f}"
        elif inner is not None and not isinstance(inner, list):
            yield name, str(inner)


def items(evaluations: pl.DataFrame, examples: str | Path | None) -> pl.DataFrame:
    """Every item of one benchmark: ``id``, ``part``, ``prompt``, ``mean``, a column a strategy, ``response``.

    ``mean`` is over all runs that could use the item; a strategy's column over its runs. ``part``: its category or
    task, null where there are none. Prompts come from the items or, where these have none, from ``examples``; texts are
    cut at 600 characters. ``response``: of the first run that is no baseline, where the benchmark keeps any.
    """
    frames = []
    for row in evaluations.iter_rows(named=True):
        frame = _read_items(row["path"])
        frames.append(frame.with_columns(strategy=pl.lit(row["strategy"]), role=pl.lit(row.get("role", STRATEGY))))
    every = pl.concat(frames, how="diagonal_relaxed")
    of_each = _mean_value(every, "id", "strategy")
    by_strategy = of_each.pivot("strategy", index="id", values="value", maintain_order=True)
    means = _mean_value(every, "id").rename({"value": "mean"})
    first = frames[0].select("id", *[name for name in ("part", "prompt", "response") if name in frames[0].columns])
    found = first.join(means, on="id", how="left", maintain_order="left")
    found = found.join(by_strategy, on="id", how="left", maintain_order="left")
    if "prompt" not in found.columns:
        texts = {row["id"]: prompt_text(row["instruction"], row["input"]) for row in _examples(examples)}
        found = found.with_columns(prompt=pl.col("id").replace_strict(texts, default=None, return_dtype=pl.String))
    order = ["id", "part", "prompt", "mean", *evaluations["strategy"].unique(maintain_order=True), "response"]
    cut = [pl.col(name).str.slice(0, _TEXT) for name in ("prompt", "response") if name in found.columns]
    return found.with_columns(cut).select([name for name in order if name in found.columns])


def _mean_value(frame: pl.DataFrame, *keys: str) -> pl.DataFrame:
    """The mean ``value`` by ``keys``, of lists: polars' own mean of a group is put together of parts in an order that
    changes from run to run, and with it the last digit."""
    return frame.group_by(keys, maintain_order=True).agg("value").with_columns(pl.col("value").list.mean())


def parts(evaluations: pl.DataFrame, draws: int = 1_000) -> pl.DataFrame:
    """One row a strategy, size and part: ``value`` over the strategy's runs, ``low``, ``high``, ``items``.

    Empty where the benchmark has no categories or tasks. An interval over items, as ``runs``.
    """
    found = []
    for row in evaluations.iter_rows(named=True):
        frame = _read_items(row["path"])
        if "part" in frame.columns:
            found.append(frame.with_columns(strategy=pl.lit(row["strategy"]), size=pl.lit(row["size"])))
    schema = {"strategy": pl.String, "size": pl.String, "part": pl.String, "value": pl.Float64}
    rows: list[dict[str, Any]] = []
    if found:
        # of several seeds an item has the mean of theirs
        every = pl.concat(found).drop_nulls("value").group_by("strategy", "size", "part", "id", maintain_order=True)
        means = every.agg(pl.col("value").mean(), pl.col("weight").first())
        for (strategy, size, part), frame in means.group_by("strategy", "size", "part", maintain_order=True):
            sums = frame.select(pl.col("value") * pl.col("weight"), "weight").to_numpy()
            value = float(sums[:, 0].sum() / sums[:, 1].sum())
            low, high = mean_interval(sums, draws)
            common = {"strategy": strategy, "size": size, "part": part, "value": value}
            rows.append(common | {"low": low, "high": high, "items": frame.height})
    return pl.DataFrame(rows, schema={**schema, "low": pl.Float64, "high": pl.Float64, "items": pl.Int64})


def verdicts(evaluations: pl.DataFrame) -> pl.DataFrame:
    """Verdicts of a pairwise benchmark by ``strategy``, ``size`` and ``part`` ("all" first): ``items`` and ``share``.

    ``share`` is of the verdicts of one strategy, size and part, over all its seeds. Empty for other kinds.
    """
    found = []
    for row in evaluations.iter_rows(named=True):
        frame = _read_items(row["path"])
        if "verdict" in frame.columns:
            named = frame.drop_nulls("verdict").select(
                "verdict", part=pl.col("part") if "part" in frame.columns else pl.lit(None, dtype=pl.String)
            )
            whole = named.with_columns(part=pl.lit("all"))
            run = {name: pl.lit(row[name]) for name in ("strategy", "size")}
            found.append(pl.concat([whole, named.drop_nulls("part")]).with_columns(**run))
    if not found:
        return pl.DataFrame(schema={"strategy": pl.String, "size": pl.String, "part": pl.String, "verdict": pl.String})
    key = ["strategy", "size", "part"]
    counts = pl.concat(found).group_by(*key, "verdict", maintain_order=True).len("items")
    return counts.with_columns(share=pl.col("items") / pl.col("items").sum().over(key))


def worst_and_best(frame: pl.DataFrame, direction: str, count: int = 10) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The ``count`` worst and best items by ``mean``, the most extreme first."""
    ordered = frame.drop_nulls("mean").sort("mean", descending=direction != HIGHER, maintain_order=True)
    return ordered.head(count), ordered.reverse().head(count)


def _read_items(path: str | Path) -> pl.DataFrame:
    """Items with ``weight`` (of a loss, tokens) and ``part``, without what else a kind keeps."""
    frame = pl.read_parquet(Path(path).with_suffix(".items.parquet"))
    if "weight" not in frame.columns:
        frame = frame.rename({"tokens": "weight"})
    if "text" in frame.columns:
        # without the examples that stand before the question
        frame = frame.with_columns(prompt=pl.col("text"))
    part = next((name for name in _PARTS if name in frame.columns and frame[name].null_count() < frame.height), None)
    kept = [name for name in ("prompt", "response", "verdict") if name in frame.columns]
    chosen = frame.select("id", "value", pl.col("weight").cast(pl.Float64), *kept)
    return chosen.with_columns(part=frame[part]) if part else chosen


def _examples(path: str | Path | None) -> Iterable[dict[str, Any]]:
    return read_examples(path).iter_rows(named=True) if path else ()
