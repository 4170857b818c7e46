"""Page "Comparison": loss of each strategy against size, and selected against random in words and figures."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from markupsafe import Markup

from instructmining import figures, pages
from instructmining.comparison import sentence

HOW = (
    "A point is one finetuned model. Grey: random subsets, each seed a point, their mean a line, one standard "
    "deviation over seeds the band. Dashed: the whole pool. Lower is better."
)
JUDGEMENT = (
    "“Better” and “worse” need two things: the 95 % paired bootstrap interval over evaluation items excludes 0, "
    "and the difference is wider than the 95 % prediction interval for one more random subset, computed from the "
    "spread over seeds (Student's t; with 3 seeds that is about 5 standard deviations, so small differences need "
    "more seeds). No correction is made for looking at several sizes and benchmarks."
)


def page(
    name: str,
    evaluations: pl.DataFrame,
    table: pl.DataFrame,
    random: Sequence[str],
    selection_benchmarks: Sequence[str],
) -> str:
    """``evaluations`` and ``table``: from ``instructmining.comparison``; ``selection_benchmarks``: those that a
    quality rule or a search has already used."""
    parts = [pages.words("Does a selected subset give a lower loss than random subsets of the same size?", HOW)]
    used = sorted(set(evaluations["benchmark"]) & set(selection_benchmarks))
    if used:
        parts.append(pages.warning(seen_warning(used)))
    for (pool, recipe), group in evaluations.group_by("pool", "recipe", maintain_order=True):
        parts.append(pages.heading(f"Pool {pool}, recipe {recipe}"))
        charts = [
            figures.losses(frame, list(random), f"{benchmark}{' (used for selection)' * (benchmark in used)}")
            for (benchmark,), frame in group.group_by("benchmark", maintain_order=True)
        ]
        parts.append(pages.charts(*charts))
        judged = table.filter(pl.col("pool") == pool, pl.col("recipe") == recipe, pl.col("baseline").is_not_null())
        parts.append(pages.bullets([line(row) for row in judged.iter_rows(named=True)]))
    parts += [
        pages.heading("Selected against random"),
        pages.words(JUDGEMENT),
        pages.table(_constant_out(table), note=f"Also as results/tables/{name}.csv. difference = value - random_mean."),
        pages.heading("Every evaluation"),
        pages.table(evaluations.drop("path"), note="value: nats per response token, lower is better."),
    ]
    return pages.page(f"Comparison: {name}", parts)


def line(row: Mapping[str, Any]) -> Markup:
    """One row of the comparison table that has a baseline, in words."""
    label = "" if row["size"] == str(row["examples"]) else f" ({row['size']})"
    return Markup("{}, {} examples{}, {}: {}: <strong>{}</strong>").format(
        row["pool"], f"{row['examples']:,}", label, row["benchmark"], sentence(row), row["verdict"]
    )


def seen_warning(benchmarks: Sequence[str]) -> str:
    """What to say of benchmarks that selection has already used."""
    return (
        f"{', '.join(benchmarks)}: used to fit a quality rule or to drive a search, so the comparison on it is made on "
        "a set used for selection and flatters the selected subset."
    )


def _constant_out(table: pl.DataFrame) -> pl.DataFrame:
    """Without the columns that say the same in every row: on a phone every column counts."""
    constant = [name for name in ("pool", "recipe", "baseline") if table[name].drop_nulls().n_unique() == 1]
    return table.drop(constant)
