"""Page "Summary": what was found, in words, each with the figure that carries it."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from instructmining import comparison, figures, pages
from instructmining.quality_rules.regression import formula
from instructmining.report import comparison as comparison_page
from instructmining.report import examples, indicators, quality_rule, rule_words, search

WHERE = (
    "The other pages hold the figures: Comparison every run of a comparison with its intervals, what it cost, how much "
    "the subsets overlap, and whether benchmarks, budgets and recipes agree, Search the trials, Quality rule the "
    "regression with its diagnostics, Indicators the distributions and the indicator check, Examples the best, middle "
    "and worst of each ranking in full, Data the sources and what became of their rows."
)


def page(
    rules: Mapping[str, tuple[Mapping[str, Any], pl.DataFrame]],
    check: Mapping[str, Any] | None,
    searches: Mapping[str, Mapping[str, Any]],
    comparisons: Mapping[str, tuple[pl.DataFrame, pl.DataFrame, Sequence[str]]],
    extremes: Mapping[str, pl.DataFrame],
    runs: Sequence[Mapping[str, Any]],
    models: Sequence[str],
    selection_benchmarks: Sequence[str],
) -> str:
    """Each argument may be empty; its section is then left out.

    ``rules``: name to the quality rule and its observations; ``check``: the indicator check; ``searches``: name to
    the search; ``comparisons``: name to table, evaluations and names of the random strategies; ``extremes``: title
    to the frame of ``examples.extremes``; ``runs``: every train.json; ``models``: folders of the final models.
    """
    parts = [pages.facts(_short(rules, searches, comparisons, runs))]
    for name, (table, evaluations, random) in comparisons.items():
        parts += _comparison(name, table, evaluations, random, selection_benchmarks)
    for name, (rule, observations) in rules.items():
        parts += [pages.heading(f"Quality rule {name}"), pages.words(formula(rule))]
        parts.append(pages.bullets(quality_rule.trust(rule)))
        if observations.height:
            parts.append(pages.charts(figures.predicted_observed(observations)))
    if check is not None:
        frame = indicators.check_frame(dict(check))
        parts += [pages.heading("Indicator check"), pages.words(indicators.CHECK, indicators.check_sentence(frame))]
        parts.append(pages.charts(figures.indicator_check(frame)))
    for name, found in searches.items():
        parts += _search(name, found)
    for title, frame in extremes.items():
        parts += _examples(title, frame)
    if runs:
        parts += _cost(runs)
    if models:
        parts += [pages.heading("Final model"), pages.words("A folder that from_pretrained loads, with its card:")]
        parts.append(pages.bullets(models))
    parts += [pages.heading("Where to look further"), pages.words(WHERE)]
    return pages.page("Summary", parts)


def _short(
    rules: Mapping[str, tuple[Mapping[str, Any], pl.DataFrame]],
    searches: Mapping[str, Mapping[str, Any]],
    comparisons: Mapping[str, tuple[pl.DataFrame, pl.DataFrame, Sequence[str]]],
    runs: Sequence[Mapping[str, Any]],
) -> dict[str, str]:
    told = {}
    for name, (rule, _) in rules.items():
        if rule["n"] is not None and not rule.get("preset"):
            told[f"R² of {name}"] = f"{rule['r_squared']:.3f}"
            told[f"leave-one-out R² of {name}"] = rule_words.number(quality_rule.honest_loo(rule))
            if rule["selection_p_value"] is not None:
                told[f"p of {name}, {rule['sets_compared']} sets compared"] = rule_words.number(
                    rule["selection_p_value"]
                )
    told |= {f"size found by {name}": f"{found['best_size']:,}" for name, found in searches.items()}
    for name, (table, _, _) in comparisons.items():
        judged = comparison.compared(table)
        better = judged.filter(pl.col("verdict") == comparison.BETTER).height
        told[f"better than random in {name}"] = f"{better} of {judged.height}"
    if runs:
        told["finetunings"] = f"{len(runs):,}"
        told["training in all"] = duration(sum(float(run["seconds"]["train"]) for run in runs))
    return told


def _comparison(
    name: str,
    table: pl.DataFrame,
    evaluations: pl.DataFrame,
    random: Sequence[str],
    selection_benchmarks: Sequence[str],
) -> list[pages.Part]:
    judged = comparison.compared(table)
    used = sorted(set(table["benchmark"]) & set(selection_benchmarks))
    lines = [comparison_page.line(row) for row in judged.iter_rows(named=True)]
    parts = [pages.heading(f"Comparison {name}: does selection beat random?"), pages.words(answer(judged))]
    parts += [pages.bullets(lines), *([pages.warning(comparison_page.seen_warning(used))] if used else [])]
    first = evaluations.sort(pl.col("benchmark").is_in(used), maintain_order=True).row(0, named=True)
    same = [pl.col(key) == first[key] for key in ("pool", "recipe", "benchmark")]
    title = f"{first['pool']}, {first['recipe']}, {first['benchmark']}"
    return [*parts, pages.charts(figures.against_size(evaluations.filter(*same), list(random), title))]


def answer(judged: pl.DataFrame) -> str:
    """How many comparisons with random came out which way."""
    if judged.is_empty():
        return "Nothing was compared with a random subset of its size."
    counts = judged.group_by("verdict").len().sort("len", "verdict", descending=[True, False])
    told = ", ".join(f"{count} {word}" for word, count in counts.iter_rows())
    plural = "" if judged.height == 1 else "s"
    same = f"{judged.height} comparison{plural} with random subsets of the same size"
    return f"{same}, at 5 % for all of them together: {told}."


def _search(name: str, found: Mapping[str, Any]) -> list[pages.Part]:
    trials = search.trace(dict(found))
    sizes = trials["size"].sort().to_list()
    told = (
        f"The search found {found['best_size']:,} examples, with loss {found['best_value']:.4f}, in trial "
        f"{found['best_trial']} of {trials.height}; sizes from {sizes[0]:,} to {sizes[-1]:,} were tried."
    )
    chart = figures.search_sizes(trials, found["best_trial"])
    return [pages.heading(f"Search {name}"), pages.words(told), pages.charts(chart)]


def _examples(title: str, frame: pl.DataFrame) -> list[pages.Part]:
    best = frame.filter(pl.col("group") == "best").head(3)
    worst = frame.filter(pl.col("group") == "worst").tail(3)
    return [
        pages.heading(f"Best and worst examples: {title}"),
        pages.heading("Best", 3),
        pages.html(examples.cards(best, opened=True)),
        pages.heading("Worst", 3),
        pages.html(examples.cards(worst, opened=True)),
    ]


def _cost(runs: Sequence[Mapping[str, Any]]) -> list[pages.Part]:
    frame = pl.DataFrame(
        [
            {
                "recipe": run["recipe"],
                "subset": run["subset"],
                "examples": run["examples"],
                "tokens": run["tokens"],
                "train_seconds": float(run["seconds"]["train"]),
            }
            for run in runs
        ]
    )
    seconds = frame["train_seconds"]
    facts = {
        "finetunings": f"{frame.height:,}",
        "training in all": duration(float(seconds.sum())),
        "median a run": duration(float(seconds.quantile(0.5, "linear") or 0)),
        "tokens trained on": f"{frame['tokens'].sum():,}",
    }
    return [pages.heading("Cost"), pages.facts(facts), pages.table(frame)]


def duration(seconds: float) -> str:
    """Seconds as "42 s", "7.5 min" or "3.1 h"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
