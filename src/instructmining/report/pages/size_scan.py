"""Page "Size scan": values against size, and what the curves do: double descent, and the crossing with random."""

from collections.abc import Mapping, Sequence

import polars as pl
from markupsafe import Markup

from instructmining.evaluations import LOWER
from instructmining.report import html as pages
from instructmining.report.charts import size_scan as scan_figures
from instructmining.report.job import Job
from instructmining.report.pages.comparison import titled
from instructmining.settings import Page
from instructmining.tables.curves import LEVEL
from instructmining.tables.size_scan import FOUND, GROUP, ITEMS_ALONE, TOO_FEW, scan

SPEC = Page(
    version=2,
    category="2 Comparison",
    caption=(
        "Size scan {study}: value against the number of examples, for selected and random subsets. The page looks for "
        "a first minimum, a rise, a second descent, and the size at which random subsets catch up; for each it says "
        "how often chance alone shows as much."
    ),
    for_each="dag.shown.each_size_scan",
    path="size_scans/{study}.html",
    tables={"table": "size_scans/{study}.csv"},
    shown_tables={"table": "size scan as CSV"},
    inputs={
        "evaluations": "dag.studies.study_evaluations",
        "per_item": "dag.studies.study_items",
        "subsets": "dag.studies.study_subsets",
    },
    params={"random": "dag.comparisons.random_strategies"},
    labels={"what": "size scan"},
    subcategory="{study}",
    versions=["COMPARISON"],
    order=50,
)

HOW = (
    "A line is one strategy over growing subsets; its band the 95 % interval over the benchmark's items and over runs. "
    "Grey: random subsets, each seed a small point, their mean the line, least to greatest the band. Dashed: the whole "
    "pool. {direction}. What was found is ringed. Other items would move a whole curve up or down together: a pattern "
    "is judged by differences along it, which are surer than the band looks."
)
QUESTIONS = (
    "Cao et al. (2023) describe double descent: with more data a model gets better, then worse, then better again; "
    "and that random subsets catch up with selected ones (Phenomenon 2). Any line through noise bends and any two "
    "cross somewhere, so each pattern is held against chance here."
)
METHOD = (
    "The rise is the largest worsening over a smaller size; the first minimum is where it starts, the second descent "
    "how far the curve gets better again after its peak. The crossing parts the sizes in two so that selected leads "
    "most before it and random most from it on. Sizes have the middle 95 % of their places over resamples that have "
    "the pattern; only sizes scanned can be named.",
    "share: of the resampled curves (items and runs drawn anew), how many have the pattern, however small; "
    "share_by_chance: the same of curves that have it by chance alone. The two are often alike: with several sizes "
    "nearly every noisy curve rises somewhere. So p_value asks for the height: how often a monotone curve (the "
    "isotonic fit; for a crossing, two curves that do not cross) with the same noise shows the pattern at least as "
    "high. “Found” needs p below {level} after Holm's correction for the family, all {family} patterns of this page; a "
    "second descent needs its rise as well.",
    "Limits: the noise of a single run is taken from the random seeds, with one spread for all sizes; a scan of few "
    "sizes sees only wide and high patterns; “not found” is not “not there”. Where the true curve is level, a rise is "
    "claimed in 7 to 8 % of single curves rather than 5.",
)
CONSTANT = ("pool", "recipe", "benchmark", "random", "noise", "family", "sizes")
ALONE = (
    "No spread over seeds at {}: there the noise is that of the items alone, and what another training or another "
    "random subset would change is not in it. What is found there may be one run's chance."
)


def tables(job: Job) -> dict[str, pl.DataFrame]:
    """What the values do as the size grows, a row for each pattern; and the points of the curves, for the page."""
    table, points = scan(job.evaluations(), job.params["random"])
    return {"table": table, "points": points}


def draw(job: Job, made: Mapping[str, pl.DataFrame]) -> str:
    """The page of a job."""
    return page(job.names["study"], job.evaluations(), job.params["random"], made["table"], made["points"])


def page(name: str, evaluations: pl.DataFrame, random: Sequence[str], table: pl.DataFrame, points: pl.DataFrame) -> str:
    """``evaluations``: from ``comparison.read_evaluations``; ``random``: the strategies of kind random; ``table`` and
    ``points``: from ``instructmining.tables.size_scan.scan``."""
    directions = evaluations["direction"].unique().to_list()
    way = "Lower is better" if directions == [LOWER] else "Higher is better"
    how = HOW.format(direction=way if len(directions) == 1 else "Which way is better is said with each benchmark")
    parts = [pages.words(QUESTIONS, how, found_words(table))]
    alone = table.filter(pl.col("noise") == ITEMS_ALONE).select(pl.format("{} ({}, {})", "benchmark", "pool", "recipe"))
    if alone.height:
        parts.append(pages.warning(ALONE.format(", ".join(alone.to_series().unique(maintain_order=True)))))
    for (pool, recipe), group in evaluations.group_by("pool", "recipe", maintain_order=True):
        parts.append(pages.heading(f"Pool {pool}, recipe {recipe}"))
        for (benchmark,), frame in group.group_by("benchmark", maintain_order=True):
            here = [pl.col(column) == value for column, value in zip(GROUP, (pool, recipe, benchmark), strict=True)]
            told = table.filter(*here)
            title = titled(frame.row(0, named=True))
            chart = scan_figures.size_scan(frame, points.filter(*here), told, random, title)
            parts += [pages.charts(chart), pages.bullets(_lines(told))]
    family = max(table["family"].drop_nulls().to_list(), default=0)
    note = "height: of the rise and the second descent; of a crossing, the smaller of the two mean leads. "
    parts += [
        pages.heading("How it was judged"),
        pages.words(*(text.format(level=LEVEL, family=family) for text in METHOD)),
        pages.heading("Every pattern"),
        pages.table(
            pages.arranged(table, constant=CONSTANT), note=f"{note}Also as results/tables/size_scans/{name}.csv."
        ),
        pages.heading("Every point"),
        pages.table(
            pages.arranged(points, constant=CONSTANT),
            note="low, high: the 95 % interval; seeds: runs that a point is the mean of.",
        ),
    ]
    return pages.page(f"Size scan: {name}", parts)


def line(verdict: str, words: str) -> Markup:
    """A sentence of the table, marked where something was found."""
    return Markup("<strong>Found.</strong> {}" if verdict == FOUND else "{}").format(words)


def _lines(told: pl.DataFrame) -> list[Markup]:
    """A line a pattern; of a strategy at too few sizes one for all its patterns."""
    asked = pl.col("verdict") != TOO_FEW
    few = told.filter(~asked).unique("strategy", maintain_order=True)
    lines = [line(*row) for row in told.filter(asked)["verdict", "words"].rows()]
    return lines + [
        Markup("{}: no pattern is looked for: {}.").format(*row) for row in few["strategy", "verdict"].rows()
    ]


def found_words(table: pl.DataFrame) -> str:
    """How much was found, before the details."""
    asked = table.filter(pl.col("family").is_not_null(), pl.col("pattern") != "first minimum")
    counts = asked.group_by("pattern", maintain_order=True).agg(
        found=(pl.col("verdict") == FOUND).sum(), curves=pl.len()
    )
    told = [f"{row['pattern']} in {row['found']} of {row['curves']} curves" for row in counts.iter_rows(named=True)]
    return f"Found here: {', '.join(told)}." if told else "Nothing could be looked for: too few sizes were scanned."
