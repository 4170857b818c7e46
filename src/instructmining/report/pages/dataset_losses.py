"""Page "Loss by dataset": what finetuning on random examples of each dataset gives."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from instructmining.evaluations import LOWER
from instructmining.report import html as pages
from instructmining.report.charts import studies as study_figures
from instructmining.report.job import Job
from instructmining.report.pages.comparison import titled
from instructmining.settings import Page
from instructmining.tables import dataset_losses

SPEC = Page(
    version=2,
    category="2 Comparison",
    caption=(
        "Study {study}: the loss after finetuning on random examples of each dataset, with its spread over draws."
    ),
    for_each="dag.shown.each_dataset_study",
    path="dataset_losses/{study}.html",
    tables={"table": "dataset_losses/{study}.csv"},
    shown_tables={"table": "loss by dataset as CSV"},
    inputs={"evaluations": "dag.studies.study_evaluations", "subsets": "dag.studies.study_subsets"},
    params={"datasets": "dag.studies.study_datasets"},
    labels={"what": "loss by dataset"},
    subcategory="{study}",
    versions=["STUDIES"],
    order=70,
)

ABOUT = (
    "A point is the mean over random draws of as many examples from one dataset, its line the 95 % interval of that "
    "mean over draws (Student's t). All are evaluated on the same items. {direction}."
)
ONE_DRAW = "One draw of each dataset: what another would have given is not known. Raise seeds in the study."


def tables(job: Job) -> dict[str, pl.DataFrame]:
    """The loss after finetuning on random examples of each dataset."""
    return {"table": dataset_losses.table(job.evaluations(), job.params["datasets"])}


def draw(job: Job, made: Mapping[str, pl.DataFrame]) -> str:
    """The page of a job."""
    return page(job.names["study"], made["table"])


def page(study: str, table: pl.DataFrame) -> str:
    """``table``: from ``dataset_losses.table``."""
    directions = table["direction"].unique().to_list()
    lower = "Lower is better" if directions == [LOWER] else "The best stands on top"
    parts = [pages.words("How good is each dataset by itself, before anything is selected?")]
    parts.append(pages.words(ABOUT.format(direction=lower)))
    if table["low"].null_count():
        parts.append(pages.warning(ONE_DRAW))
    for (recipe, benchmark), group in table.group_by("recipe", "benchmark", maintain_order=True):
        parts.append(pages.heading(f"{benchmark}, recipe {recipe}, {group['examples'][0]:,} examples of each"))
        parts.append(pages.charts(study_figures.by_dataset(group, titled(group.row(0, named=True)))))
        parts.append(pages.words(summary(group.to_dicts())))
    parts += [
        pages.heading("Every dataset"),
        pages.table(
            pages.arranged(table, ["dataset", "value", "sd", "low", "high"], ["recipe", "benchmark"]),
            note=f"Also as results/tables/dataset_losses/{study}.csv.",
        ),
    ]
    return pages.page(f"Loss by dataset: {study}", parts)


def summary(rows: Sequence[Mapping[str, Any]]) -> str:
    """Best and worst of one recipe and benchmark in words; ``rows``: the best first."""
    best, worst = rows[0], rows[-1]
    told = f"Best: {best['dataset']}, {_value(best)}."
    return told if len(rows) == 1 else f"{told} Worst: {worst['dataset']}, {_value(worst)}."


def _value(row: Mapping[str, Any]) -> str:
    spread = "" if row["sd"] is None else f" ± {row['sd']:.4f}"
    return f"{row['value']:.4f}{spread} over {row['draws']} draw{'s' * (row['draws'] > 1)}"
