"""Page "Summary", the first to read: five questions, each answered in words and one picture.

Of several comparisons, searches or quality rules the first is answered in full, of the others a line each.
"""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
from markupsafe import Markup

from instructmining.jobs.files import read_json
from instructmining.quality_rules import checks as rule_checks
from instructmining.quality_rules.checks import Checks
from instructmining.report import html as pages
from instructmining.report.charts import base as figures
from instructmining.report.charts import costs as cost_figures
from instructmining.report.charts import indicators as indicator_figures
from instructmining.report.charts import quality_rule as rule_figures
from instructmining.report.job import Job
from instructmining.report.pages import comparison as comparison_page
from instructmining.report.pages import costs as costs_page
from instructmining.report.pages import indicators, quality_rule, search, size_scan
from instructmining.report.words import quality_rule as rule_words
from instructmining.report.words import summary as summary_words
from instructmining.settings import Page
from instructmining.tables.comparison import NAMES, TABLE_SCHEMA

SPEC = Page(
    version=2,
    category="1 Summary",
    caption=(
        "Start here. Does selection beat random subsets, at what size, and at what price? Which indicators carry "
        "signal, and can the quality rule be trusted? Each answer has words, one chart, and the page with the details."
    ),
    for_each="dag.shown.if_any_question",
    path="summary.html",
    inputs={
        "quality_rules": "dag.summary.all_quality_rules",
        "observations": "dag.summary.all_observations",
        "all_subsets": "dag.summary.all_indicator_sets",
        "indicator_check": "dag.data_pages.indicator_check",
        "searches": "dag.summary.all_searches",
        "size_scans": "dag.summary.all_size_scans",
        "comparisons": "dag.summary.all_comparison_tables",
        "costs": "dag.summary.all_cost_tables",
        "evaluations": "dag.comparisons.all_comparison_evaluations",
        "subsets": "dag.comparisons.all_comparison_subsets",
        "runs": "dag.summary.all_runs",
    },
    params={
        "quality_rules": "dag.summary.all_quality_rule_settings",
        "random": "dag.comparisons.random_strategies",
        "evaluations": "dag.comparisons.evaluations_by_comparison",
        "selection_benchmarks": "dag.comparisons.selection_benchmarks",
        "models": "dag.summary.final_models",
        "currency": "dag.summary.currency",
        "pages": "dag.pages.kinds_of_pages",
    },
    labels={"page": "what was found"},
    versions=["COMPARISON", "QUALITY_RULE_CHECKS"],
    order=10,
)

NOT_ASKED = "Not asked here."
# pages that only some studies have -> what is said of them
ALSO = {
    "examples": "7 Examples (the best, middle and worst of each ranking)",
    "data": "8 Data (sources, rejected rows)",
}
IN_SAMPLE = "The picture has the mixtures that it was fitted on, so it flatters."


class Rule(NamedTuple):
    """A quality rule's JSON, its observations, all-subsets table and ``checks.check`` of them."""

    rule: Mapping[str, Any]
    observations: pl.DataFrame
    sets: pl.DataFrame
    checks: Checks


class Compared(NamedTuple):
    """A comparison: its table, its evaluations and ``cost_tables.strategies_table``."""

    table: pl.DataFrame
    evaluations: pl.DataFrame
    costs: pl.DataFrame


class Study(NamedTuple):
    """What there is, each by name and in the config's order; each may be empty, the question is then not asked.

    ``check``: the indicator check; ``scans``: tables of size scans; ``runs``: every train.json; ``models``: folders
    of the final models; ``random``: the random strategies; ``selection_benchmarks``: those that a quality rule or a
    search has already used; ``currency``: of costs in money; ``pages``: which the report has, by their names
    below results/figures.
    """

    rules: Mapping[str, Rule]
    check: Mapping[str, Any] | None
    searches: Mapping[str, Mapping[str, Any]]
    scans: Mapping[str, pl.DataFrame]
    comparisons: Mapping[str, Compared]
    runs: Sequence[Mapping[str, Any]]
    models: Sequence[str]
    random: Sequence[str]
    selection_benchmarks: Sequence[str]
    currency: str
    pages: Collection[str]


def draw(job: Job, _: Mapping[str, pl.DataFrame]) -> str:
    """The page of a job."""
    found, params = job.inputs, job.params
    rules = {}
    files = zip(found["quality_rules"], found["observations"], found["all_subsets"], strict=True)
    for path, observed, sets in files:
        rule, frames = read_json(path), (pl.read_csv(observed), pl.read_csv(sets))
        checks = rule_checks.check(rule, *frames, params["quality_rules"][Path(path).stem], None)
        rules[Path(path).stem] = Rule(rule, *frames, checks)
    evaluations = job.evaluations()
    comparisons = {
        Path(table).stem: Compared(
            pl.read_csv(table, schema=TABLE_SCHEMA),
            evaluations.filter(pl.col("path").is_in(params["evaluations"][Path(table).stem])),
            pl.read_csv(costs, infer_schema_length=None, schema_overrides=NAMES),
        )
        for table, costs in zip(found["comparisons"], found["costs"], strict=True)
    }
    study = Study(
        rules=rules,
        check=next((read_json(path) for path in found["indicator_check"]), None),
        searches={Path(path).stem: read_json(path) for path in found["searches"]},
        scans={Path(path).stem: pl.read_csv(path, schema_overrides=NAMES) for path in found["size_scans"]},
        comparisons=comparisons,
        runs=[read_json(path) for path in found["runs"]],
        **{name: params[name] for name in ("models", "random", "selection_benchmarks", "currency", "pages")},
    )
    return page(study)


def page(study: Study) -> str:
    """The page as HTML."""
    sections = [_random(study), _size(study), _price(study), _signal(study), _trust(study)]
    also = [told for name, told in ALSO.items() if name in study.pages]
    return pages.page(
        "Summary", [*sections, *([pages.words(f"Also in the report: {', '.join(also)}.")] if also else [])]
    )


def _question(
    asked: str,
    told: Sequence[str],
    figure: figures.Figure | None = None,
    others: Sequence[str] = (),
    more: str = "",
    note: str = "",
) -> pages.Part:
    """Heading, answer, the others' lines, where to read on; beside them the picture, and ``note`` on how to read it."""
    parts = [pages.heading(asked), pages.words(*told), *([pages.bullets(others)] if others else [])]
    if more:
        parts.append(pages.note(f"More: {more}."))
    return pages.beside(parts, *([] if figure is None else [figure]), note=note)


def _first(study: Study, compared: Compared) -> dict[str, Any]:
    """The evaluation whose pool, recipe and benchmark are shown: the first that selection has not used."""
    used = pl.col("benchmark").is_in(list(study.selection_benchmarks))
    return compared.evaluations.sort(used, maintain_order=True).row(0, named=True)


def _same(first: Mapping[str, Any], *keys: str) -> list[pl.Expr]:
    return [pl.col(key) == first[key] for key in keys]


def _random(study: Study) -> pages.Part:
    asked = "Does selection beat random here?"
    if not study.comparisons:
        return _question(asked, [NOT_ASKED])
    (name, compared), *others = study.comparisons.items()
    first = _first(study, compared)
    used = sorted(set(compared.table["benchmark"]) & set(study.selection_benchmarks))
    figure = figures.against_size(
        compared.evaluations.filter(*_same(first, "pool", "recipe", "benchmark")),
        list(study.random),
        comparison_page.titled(first, f"{first['pool']}, {first['recipe']}"),
    )
    return _question(
        asked,
        [
            Markup("<strong>{}</strong> {}").format(*summary_words.beats(compared.table)),
            *summary_words.decisive(compared.table),
            *([comparison_page.seen_warning(used)] if used else []),
        ],
        figure,
        [Markup("{}: <strong>{}</strong> {}").format(other, *summary_words.beats(it.table)) for other, it in others],
        f"2 Comparison, {name}: every strategy with its interval; 3 Benchmarks: single items",
        comparison_page.HOW,
    )


def _size(study: Study) -> pages.Part:
    asked = "At what size?"
    scans = [f"Size scan {name}. {size_scan.found_words(table)}" for name, table in study.scans.items()]
    if not study.searches:
        return _question(asked, [*scans] or [NOT_ASKED], more="2 Comparison, size scan" if scans else "")
    (name, found), *others = study.searches.items()
    trials = search.trace(dict(found))
    models = [f"A model of the size found: {path}" for path in study.models]
    return _question(
        asked,
        summary_words.size_found(found, trials),
        figures.search_sizes(trials, found["best_trial"]),
        [*(f"Search {other}: {it['best_size']:,} examples." for other, it in others), *scans, *models],
        f"4 Search, {name}: the trials in order",
        search.SHADES,
    )


def _price(study: Study) -> pages.Part:
    asked = "At what price?"
    told = [summary_words.training(study.runs)] if study.runs else []
    if not study.comparisons:
        return _question(asked, told or [NOT_ASKED])
    (name, compared), *others = study.comparisons.items()
    first = _first(study, compared)
    unit = summary_words.unit_of(compared.costs)
    label = costs_page.UNITS.get(unit, study.currency)
    group = compared.costs.filter(*_same(first, "pool", "recipe"))
    scores = compared.evaluations.filter(*_same(first, "pool", "recipe", "benchmark"))
    figure = cost_figures.cost_score(
        costs_page.points(group, scores, unit),
        list(study.random),
        group[f"everything_{unit}"][0],
        f"{first['benchmark']} ({first['pool']}, {first['recipe']})",
        f"cost ({label})",
        costs_page.unit_words(first),
    )
    return _question(
        asked,
        [*summary_words.price(group, unit, label, study.random), *told],
        figure,
        [f"{other}: {summary_words.dear(it.costs, summary_words.unit_of(it.costs))}" for other, it in others],
        f"2 Comparison, {name}, costs: the parts of each selection",
        costs_page.chart_note(group["everything"][0]),
    )


def _signal(study: Study) -> pages.Part:
    asked, told, figure, note = "Which indicators carry signal?", [], None, ""
    fitted = [(name, it) for name, it in study.rules.items() if it.checks.univariate.height]
    if study.check is not None:
        frame = indicators.check_frame(dict(study.check))
        told += [summary_words.separating(frame)]
        figure, note = indicator_figures.indicator_check(frame), indicators.LINES
    for name, it in fitted[:1]:
        sentence, strongest = summary_words.correlated(name, it.checks.univariate)
        told.append(sentence)
        if figure is None and strongest is not None:
            figure, note = rule_figures.univariate_fit(it.observations, strongest), "A point is one mixture."
    more = ["6 Indicators: distributions and the check"] if "indicators" in study.pages else []
    more += ["5 Quality rule: each indicator against the loss"] if fitted else []
    return _question(asked, told or [NOT_ASKED], figure, more="; ".join(more) if told else "", note=note)


def _trust(study: Study) -> pages.Part:
    asked = "Can the rule be trusted?"
    if not study.rules:
        return _question(asked, [NOT_ASKED])
    (name, it), *others = study.rules.items()
    return _question(
        asked,
        [_judged(it), *([f"{quality_rule.selection_sentence(it.rule)} {IN_SAMPLE}"] if it.observations.height else [])],
        figures.predicted_observed(it.observations) if it.observations.height else None,
        [Markup("{}: {}").format(other, _judged(rule)) for other, rule in others],
        f"5 Quality rule, {name}: the regression, every other set, single mixtures",
        quality_rule.POINTS,
    )


def _judged(it: Rule) -> Markup:
    """A rule in short, after a word on it."""
    if it.observations.is_empty():
        return Markup("<strong>Not shown.</strong> {}").format(" ".join(quality_rule.trust(it.rule)))
    loo = quality_rule.honest_loo(it.rule)
    chance = (it.rule["selection_p_value"] or 0) > rule_words.LARGE_P
    word = "No." if loo is None or loo <= 0 or chance else "Within limits."
    return Markup("<strong>{}</strong> {}").format(word, rule_words.in_short(it.rule, it.sets, it.checks, loo))
