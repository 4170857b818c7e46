"""Page "Ablation": the quality rule refitted without each of its indicators."""

from collections.abc import Mapping
from pathlib import Path

import polars as pl
from markupsafe import Markup

from instructmining.evaluations import LOWER
from instructmining.jobs.files import read_json
from instructmining.report import html as pages
from instructmining.report.charts import studies as study_figures
from instructmining.report.job import Job
from instructmining.report.pages.comparison import titled
from instructmining.settings import Page
from instructmining.tables.ablation import GROUP, sentence
from instructmining.tables.ablation import coefficients as coefficients_table
from instructmining.tables.ablation import table as ablation_table

SPEC = Page(
    version=2,
    category="2 Comparison",
    caption=(
        "Ablation {study}: the quality rule refitted without each of its indicators, what each refitted rule selects, "
        "and the difference to the full rule with its interval over items and seeds."
    ),
    for_each="dag.shown.each_ablation",
    path="ablations/{study}.html",
    tables={"table": "ablations/{study}/differences.csv", "rules": "ablations/{study}/rules.csv"},
    shown_tables={"table": "ablation as CSV"},
    inputs={
        "evaluations": "dag.studies.study_evaluations",
        "per_item": "dag.studies.study_items",
        "subsets": "dag.studies.study_subsets",
        "quality_rules": "dag.studies.ablation_rules",
    },
    params={
        "strategy": "dag.studies.study_strategy",
        "ablated": "dag.studies.ablated_indicators",
        "recipes": "dag.studies.ablation_recipes",
    },
    labels={"what": "ablation"},
    subcategory="{study}",
    versions=["STUDIES"],
    order=60,
)

ABOUT = (
    "Each row below is the quality rule fitted anew, on the same observations, without one indicator: it selects from "
    "the same pool, and what it selects is finetuned as the full rule's subset is. {direction}. “In common” is the "
    "share of the full rule's subset that is selected without the indicator as well: near 100 % there is little left "
    "that could differ."
)
JUDGEMENT = (
    "The interval of a difference holds the chance of the evaluation items (paired bootstrap) and of training (the "
    "spread over seeds, Student's t). The chance of the fit is not in it: other mixtures would have given other "
    "coefficients. “Worse” and “better” need p below 0.05 after Holm's correction for all {count} differences."
)
ONE_SEED = (
    "Every run was made once, so what training alone changes is not known and no difference has an interval: raise "
    "seeds in the study."
)

LINES = "A point: the value without an indicator, less that of the full rule (dashed); its line the 95 % interval."
FIRST = ("left_out", "benchmark", "difference", "difference_low", "difference_high", "p_holm", "verdict")
CONSTANT = ("pool", "recipe", "benchmark", "size", "direction")
FULL = pl.col("left_out").fill_null("nothing: the full rule")


def tables(job: Job) -> dict[str, pl.DataFrame]:
    """The differences to the full rule, and the refitted rules."""
    ablated = job.params["ablated"]
    ids = {place: frame["id"] for place, frame in job.subsets().items()}
    rules = {Path(path).stem: read_json(path) for path in job.inputs["quality_rules"]}
    return {
        "table": ablation_table(job.evaluations(), ablated, job.params["recipes"], ids),
        "rules": coefficients_table(rules, ablated),
    }


def draw(job: Job, made: Mapping[str, pl.DataFrame]) -> str:
    """The page of a job."""
    return page(job.names["study"], job.params["strategy"], made["table"], made["rules"])


def page(study: str, strategy: str, table: pl.DataFrame, coefficients: pl.DataFrame) -> str:
    """``strategy``: the full rule's; ``table`` and ``coefficients``: from ``instructmining.tables.ablation``."""
    directions = table["direction"].unique().sort().to_list()
    lower = "Lower is better" if directions == [LOWER] else "Which way is better stands in the table"
    parts = [pages.words(f"Does strategy {strategy} need each of its indicators?", ABOUT.format(direction=lower))]
    differences = table["p_value"].drop_nulls().len()
    told = JUDGEMENT.format(count=differences) if differences else ONE_SEED
    parts.append(pages.words(told) if differences else pages.warning(told))
    for (pool, recipe, benchmark, size), group in table.group_by(GROUP, maintain_order=True):
        examples = f"{group['examples'][0]:,} examples" + ("" if str(size).isdigit() else f" ({size})")
        parts.append(pages.heading(f"{benchmark}: pool {pool}, recipe {recipe}, {examples}"))
        parts.append(pages.charts(study_figures.left_out(group, titled(group.row(0, named=True))), note=LINES))
        lines = [Markup("The full rule: {}").format(f"{group['value'][0]:.4f}")]
        for row in group.drop_nulls("left_out").iter_rows(named=True):
            lines.append(Markup("{}: <strong>{}</strong>").format(sentence(row), row["verdict"]))
        parts.append(pages.bullets(lines))
    parts += [
        pages.heading("Every difference"),
        pages.table(
            pages.arranged(table, FIRST, CONSTANT).with_columns(FULL),
            note=f"Also as results/tables/ablations/{study}/differences.csv.",
        ),
        pages.heading("The refitted rules"),
        pages.words(
            "Coefficients move when an indicator that says nearly the same is left out; what the fit loses is in R² "
            "and, less flattering, in the leave-one-out R²."
        ),
        pages.table(coefficients.with_columns(FULL), note=f"Also as results/tables/ablations/{study}/rules.csv."),
    ]
    return pages.page(f"Ablation: {study}", parts)
