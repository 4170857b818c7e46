"""Page "Search": the sizes tried, their losses, and the size found."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from instructmining.jobs.files import read_json
from instructmining.report import html as pages
from instructmining.report.charts import base as figures
from instructmining.report.job import Job
from instructmining.settings import Page

SPEC = Page(
    version=2,
    category="4 Search",
    caption="Search {search}: the sizes that BlendSearch tried, their losses in order, and the best size.",
    for_each="dag.shown.each_search",
    path="searches/{search}.html",
    inputs={"search": "results/searches/{search}.json"},
    params={"settings": "dag.searches.choose_settings"},
    labels={"search": "{search}"},
    order=110,
)

SHADES = "A point is one trial, the darker the later; the best is ringed. Lower is better."


def draw(job: Job, _: Mapping[str, pl.DataFrame]) -> str:
    """The page of a job."""
    return page(job.names["search"], read_json(job.inputs["search"][0]), job.params["settings"])


def page(name: str, search: dict[str, Any], settings: dict[str, Any]) -> str:
    """``search``: results/searches/{name}.json; ``settings``: the config's section of that search."""
    trials = trace(search)
    facts = {
        "size found": f"{search['best_size']:,}",
        "loss there": f"{search['best_value']:.4f}",
        "trials": f"{trials.height}",
        "range": f"{settings['low']:,} to {settings['high']:,}",
    }
    intro = (
        f"BlendSearch over the number of examples taken from the top of strategy {settings['strategy']} on pool "
        f"{settings['pool']}, at most {settings['parallel']} at once: sizes are proposed evenly on a log scale, near "
        "those that did well, and small ones first, since a trial costs what its size costs. A trial is one finetuning "
        f"with recipe {settings['recipe']}; its loss is measured on {settings['loss']}."
    )
    ordered = trials.drop_nulls("value").sort("value", "size")
    parts = [pages.words(intro), pages.facts(facts)]
    if ordered.height > 1:
        margin = ordered["value"][1] - ordered["value"][0]
        parts.append(
            pages.words(
                f"The next best size, {ordered['size'][1]:,}, is {margin:.4f} behind. Each size was trained once; the "
                "spread over random seeds on the comparison page says how much of such a margin is noise."
            )
        )
    parts += [
        pages.charts(
            figures.search_sizes(trials, search["best_trial"]),
            figures.search_order(trials, search["best_trial"]),
            note=f"{SHADES} Steps: the best so far.",
        ),
        pages.heading("Trials"),
        pages.table(
            trials.with_columns(best=pl.when(pl.col("trial") == search["best_trial"]).then(pl.lit("best"))),
            note="value: nats per response token, lower is better.",
            rows=25,
        ),
    ]
    return pages.page(f"Search: {name}", parts)


def trace(search: dict[str, Any]) -> pl.DataFrame:
    """Trials in order: ``trial``, ``size``, ``value``."""
    schema = {"trial": pl.Int64, "size": pl.Int64, "value": pl.Float64}
    return pl.DataFrame(search["trials"], schema=schema).sort("trial")
