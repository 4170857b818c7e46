"""A quality rule from the files that it is made of, with all that is written with it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from instructmining.indicators import table as indicator_table
from instructmining.jobs.errors import InputError
from instructmining.jobs.files import read_json, sha256
from instructmining.quality_rules import diagnostics, observations, regression

Paths = Sequence[str | Path]


class QualityRule(NamedTuple):
    """What is written of a quality rule.

    Attributes:
        rule: the rule as JSON, with its provenance.
        observations: what it was fitted on, one row a mixture, with the rule's predictions; no rows if published.
        all_subsets: every set of indicators with its figures; no rows if published.
        diagnostics: what a reader should know before trusting the rule.
    """

    rule: dict[str, Any]
    observations: pl.DataFrame
    all_subsets: pl.DataFrame
    diagnostics: dict[str, Any]


def quality_rule(
    name: str,
    settings: Mapping[str, Any],
    columns: Sequence[str],
    version: int,
    *,
    table: str | Path | None = None,
    mixtures: Paths = (),
    evaluations: Paths = (),
    indicators: Paths = (),
) -> QualityRule:
    """Fit a rule on runs, or on a table of observations; or write down a published one: as its settings say.

    Args:
        name: of the rule, for errors.
        settings: the rule's config.
        columns: the indicators that it may have; none: every indicator of the table.
        version: of quality rules.
        table: the CSV file, for settings with ``observations``.
        mixtures, evaluations: for settings with ``mixtures``: the subsets, and their runs' losses in the same order.
        indicators: shards with the columns of the mixtures' examples.

    Raises:
        InputError: the table cannot be read, a mixture has no loss or no value, or nothing can be fitted.
    """
    provenance: dict[str, Any] = {"settings": settings, "version": version}
    if "preset" in settings:
        rule = regression.published(settings["preset"], settings.get("columns"))
        return _made(rule, observations.empty(rule["indicators"]), diagnostics.no_sets(), {}, provenance)
    if "observations" in settings:
        if table is None:
            raise InputError(f"quality rule {name}: expected a table of observations")
        source, nulls = str(table), dict[str, int]()
        observed = observations.from_csv(table, columns, settings.get("origin"))
        provenance["sha256"] = sha256(table)
    else:
        source, losses = f"quality rule {name}", [read_json(path) for path in evaluations]
        by_mixture = {Path(path).stem: loss["value"] for path, loss in zip(mixtures, losses, strict=True)}
        examples = indicator_table.attach(observations.mixture_examples(mixtures), indicators, columns)
        observed, nulls = observations.from_runs(examples, by_mixture, columns)
        provenance["indicators"] = indicator_table.provenance(indicators)
        provenance["evaluations"] = indicator_table.in_common([loss["provenance"] for loss in losses])
    try:
        rule, sets = regression.estimate(observed, settings, columns)
    except InputError as error:
        raise InputError(f"{source}: {error}") from error
    return _made(rule, observed, sets, nulls, provenance)


def _made(
    rule: dict[str, Any],
    observed: pl.DataFrame,
    sets: pl.DataFrame,
    nulls: Mapping[str, int],
    provenance: Mapping[str, Any],
) -> QualityRule:
    predicted, summary = regression.with_predictions(rule, observed), regression.summary(rule, sets, nulls)
    return QualityRule({**rule, "provenance": provenance}, predicted, sets, summary)
