"""Everything that is computed from a quality rule and its observations before one trusts it."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from instructmining.quality_rules import influence, stability
from instructmining.quality_rules import tables as rule_tables
from instructmining.quality_rules.diagnostics import SEPARATOR
from instructmining.quality_rules.regression import CRITERIA
from instructmining.quality_rules.univariate import univariate_fits

STANDING_SCHEMA = {
    **{"criterion": pl.String, "rank": pl.Int64, "sets": pl.Int64, "value": pl.Float64},
    **{"best_set": pl.String, "best_value": pl.Float64},
}


class Checks(NamedTuple):
    """One table each, with the columns that its function says; without rows where there is nothing to check."""

    coefficients: pl.DataFrame
    fit: pl.DataFrame
    published: pl.DataFrame
    standing: pl.DataFrame
    chosen_sets: pl.DataFrame
    influence: pl.DataFrame
    without_influential: pl.DataFrame
    univariate: pl.DataFrame


def check(
    rule: Mapping[str, Any],
    observations: pl.DataFrame,
    sets: pl.DataFrame,
    settings: Mapping[str, Any],
    against: str | None,
) -> Checks:
    """``rule``, ``observations``, ``sets``: a rule's JSON and its CSVs, without rows for published coefficients.

    ``settings``: the rule's config, of which ``max_indicators``, ``bootstrap`` and ``seed`` are read where it has
    observations; ``against``: the preset to show beside it, or None.
    """
    moved = influence.influence(rule, observations)
    indicators = [] if sets.is_empty() else sets.filter(pl.col("n_indicators") == 1)["indicators"].to_list()
    chosen = stability.no_sets()
    if observations.height:
        chosen = stability.chosen_sets(
            observations.select(pl.col(indicators).cast(pl.Float64)).to_numpy(),
            np.log(observations["loss"].to_numpy()),
            indicators,
            settings["max_indicators"],
            settings["bootstrap"],
            settings["seed"],
        )
    return Checks(
        coefficients=rule_tables.coefficient_table(rule),
        fit=rule_tables.fit_table(rule, observations),
        published=rule_tables.beside_published(rule, against, observations),
        standing=standing(rule["indicators"], sets),
        chosen_sets=chosen,
        influence=moved,
        without_influential=influence.without_influential(rule, observations, moved),
        univariate=univariate_fits(observations, indicators),
    )


def standing(indicators: list[str], sets: pl.DataFrame) -> pl.DataFrame:
    """Where a set of indicators stands among all of the all-subsets table, by each criterion, and what stands first.

    By ``r_squared`` it is held against sets of its own number, since R² alone always prefers more. Columns:
    ``criterion``, ``rank`` (1 is best), ``sets`` (how many were ranked), ``value``, ``best_set``, ``best_value``. No
    rows where the table does not have the set.
    """
    rows: list[dict[str, Any]] = []
    if sets.is_empty():  # read from a CSV without rows, its columns have no types
        return pl.DataFrame(schema=STANDING_SCHEMA)
    named = sets.with_columns(own=is_set(indicators))
    for criterion, descending in {"r_squared": True, **CRITERIA}.items():
        known = named.drop_nulls(criterion)
        if criterion == "r_squared":
            known = known.filter(pl.col("n_indicators") == len(indicators))
        ranked = known.sort(criterion, "n_indicators", "indicators", descending=[descending, False, False])
        own = ranked.with_row_index("rank", offset=1).filter("own")
        if own.height:
            figures = {"criterion": criterion, "rank": own["rank"][0], "sets": ranked.height}
            best = {"best_set": ranked["indicators"][0], "best_value": ranked[criterion][0]}
            rows.append({**figures, "value": own[criterion][0], **best})
    return pl.DataFrame(rows, schema=STANDING_SCHEMA)


def is_set(indicators: list[str]) -> pl.Expr:
    """Whether column ``indicators`` of a table of sets names just these, in whatever order."""
    return pl.col("indicators").str.split(SEPARATOR).list.sort().list.join(SEPARATOR) == SEPARATOR.join(
        sorted(indicators)
    )
