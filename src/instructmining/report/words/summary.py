"""The sentences of the page "Summary": tables in, words out."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from markupsafe import Markup

from instructmining.costs.tables import dearer
from instructmining.report.pages import comparison as comparison_page
from instructmining.report.pages import costs, indicators
from instructmining.report.words.quality_rule import LARGE_P
from instructmining.tables.comparison import BETTER, SAME, WORSE, compared
from instructmining.tables.significance import holm

# Verdicts shown one by one; the comparison's page has them all.
SHOWN = 3


def beats(table: pl.DataFrame) -> tuple[str, str]:
    """A word, and how many comparisons with random came out which way."""
    judged = compared(table)
    if judged.is_empty():
        return "Not asked here.", "Nothing was compared with a random subset of its size."
    counts = judged.group_by("verdict").len().sort("len", "verdict", descending=[True, False])
    told = ", ".join(f"{count} {word}" for word, count in counts.iter_rows())
    plural = "" if judged.height == 1 else "s"
    same = f"{judged.height} comparison{plural} with random subsets of the same size"
    return _word(judged["verdict"].to_list()), f"{same}, at 5 % for all of them together: {told}."


def _word(verdicts: Sequence[str]) -> str:
    found = set(verdicts)
    if not found & {BETTER, WORSE, SAME}:
        return "It cannot be told."
    if BETTER in found:
        return "Yes." if found == {BETTER} else "In part."
    return "No, it does worse." if WORSE in found else "Not shown."


def decisive(table: pl.DataFrame) -> list[str]:
    """The first verdicts against random; where there is none, what the study could have found at all."""
    judged = compared(table)
    rows = judged.filter(pl.col("verdict").is_in([BETTER, WORSE]))
    if rows.is_empty():
        return comparison_page.reach_words(table)
    lines: list[str] = [comparison_page.line(row) for row in rows.head(SHOWN).iter_rows(named=True)]
    return lines + ([f"… and {rows.height - SHOWN} more."] if rows.height > SHOWN else [])


def size_found(found: Mapping[str, Any], trials: pl.DataFrame) -> list[str]:
    """The size that a search found and how sure that is. ``trials``: from ``search.trace``."""
    sizes, ordered = trials["size"].to_list(), trials.drop_nulls("value").sort("value", "size")
    told = Markup("<strong>{} examples</strong>, with loss {}: the best of {} sizes tried, from {} to {}.").format(
        f"{found['best_size']:,}", f"{found['best_value']:.4f}", len(set(sizes)), f"{min(sizes):,}", f"{max(sizes):,}"
    )
    unsure = []
    if ordered.height > 1:
        margin = ordered["value"][1] - ordered["value"][0]
        unsure.append(
            f"The next best, {ordered['size'][1]:,}, is {margin:.4f} behind. Each size was trained once: the spread of "
            "random subsets says how much of such a margin is noise."
        )
    ends = {min(sizes): "smallest", max(sizes): "largest"}
    if len(set(sizes)) > 1 and found["best_size"] in ends:
        unsure.append(f"It is the {ends[found['best_size']]} size tried: the best may lie beyond.")
    return [told, *([" ".join(unsure)] if unsure else [])]


def unit_of(strategies: pl.DataFrame) -> str:
    """What costs are compared in, as ``cost_tables.measure``, from its ``strategies_table``."""
    if strategies["total_money"].null_count() < strategies.height:
        return "money"
    return "gpu_hours" if strategies["total_gpu_hours"].sum() else "cpu_hours"


def dear(strategies: pl.DataFrame, unit: str) -> str:
    """Which strategies cost more than finetuning on everything."""
    known = strategies.filter(pl.col(f"everything_{unit}").is_not_null(), pl.col("size") != "all")
    if known.is_empty():
        return "What finetuning on everything costs is not known."
    names = known["strategy"].unique(maintain_order=True).to_list()
    told: dict[str, list[bool]] = {name: [] for name in names}
    for row in known.iter_rows(named=True):
        told[row["strategy"]].append(dearer(row, unit) is not None)
    more = [name if all(sizes) else f"{name} (at some sizes)" for name, sizes in told.items() if any(sizes)]
    if not more:
        return "Every strategy costs less than finetuning on everything."
    less = [name for name, sizes in told.items() if not any(sizes)]
    rest = f"; {_and(less)} less" if less else ""
    return f"{_and(more)} cost{'s' * (len(more) == 1)} more than finetuning on everything{rest}."


def _and(names: Sequence[str]) -> str:
    return " and ".join([*([", ".join(names[:-1])] if names[1:] else []), names[-1]])


def price(group: pl.DataFrame, unit: str, label: str, random: Sequence[str]) -> list[str]:
    """Of one pool and recipe: what is dearer than everything, and the dearest beside random and everything."""
    total, drawn = f"total_{unit}", pl.col("strategy").is_in(list(random))
    sized = group.filter(pl.col("size") != "all").sort(total, descending=True, maintain_order=True)
    shown = pl.concat([sized.filter(~drawn).head(1), sized.filter(drawn).head(1)])
    rows = shown.select("strategy", "size", total).rows()
    told = ", ".join(f"{strategy} {cost:.3g} ({size})" for strategy, size, cost in rows)
    said = [f"Selecting and finetuning at the dearest size, in {label}: {told}."] if rows else []
    said.append(costs.everything_sentence(group.row(0, named=True), unit, label))
    missing = int(group["missing"].sum())
    lacking = [f"Jobs not measured, which count nothing: {missing:,}."] if missing else []
    return [Markup("<strong>{}</strong>").format(dear(group, unit)), " ".join([*said, *lacking])]


def training(runs: Sequence[Mapping[str, Any]]) -> str:
    """How much the whole study trained."""
    seconds = sum(float(run["seconds"]["train"]) for run in runs)
    plural = "" if len(runs) == 1 else "s"
    return f"The whole study: {len(runs):,} finetuning{plural}, {duration(seconds)} of training."


def duration(seconds: float) -> str:
    """Seconds as "42 s", "7.5 min" or "3.1 h"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def separating(frame: pl.DataFrame) -> str:
    """The indicator check in words. ``frame``: from ``indicators.check_frame``."""
    pairs = max(frame["n_pairs_used"].to_list(), default=0)
    return Markup(
        "<strong>Of good and bad answers</strong> ({} preference pairs): {} AUC: how often the chosen answer has the "
        "higher value; 0.5 is a coin, below it the rejected one has."
    ).format(f"{pairs:,}", indicators.check_sentence(frame))


def correlated(rule: str, univariate: pl.DataFrame) -> tuple[str, dict[str, Any] | None]:
    """Which indicators go with the loss of the mixtures, one at a time, and the row of the strongest.

    ``univariate``: from ``univariate_fits``. p values are adjusted for all that vary (Holm 1979).
    """
    known = univariate.drop_nulls("p")
    if known.is_empty():
        return f"Of the loss of mixtures (rule {rule}): no indicator varies over them.", None
    ordered = known.with_columns(p_holm=pl.Series(holm(known["p"].to_list()))).sort(pl.col("r").abs(), descending=True)
    clear = ordered.filter(pl.col("p_holm") <= LARGE_P)
    strongest = ordered.row(0, named=True)
    if clear.is_empty():
        told = f"none can be told from chance; the strongest is {strongest['indicator']} ({strongest['r']:+.2f})"
    else:
        told = ", ".join(f"{row['indicator']} ({row['r']:+.2f})" for row in clear.iter_rows(named=True))
        rest = known.height - clear.height
        told += f"; the other {rest} cannot be told from chance" if rest else ""
    start = Markup(
        "<strong>Of the loss</strong> of {} mixtures (rule {}), r of its log with one indicator at a time, p values "
        "adjusted for all of them (Holm): {}."
    )
    return start.format(known["n"][0], rule, told), strongest
