"""The page that the report opens on: what it answers of what there is."""

import polars as pl
import pytest

import artifacts
from instructmining.quality_rules.univariate import univariate_fits
from instructmining.report.pages import summary
from instructmining.report.words import summary as summary_words
from instructmining.tables.comparison import BETTER, ONE_SEED, SAME, TABLE_SCHEMA, WORSE
from page_reader import read, specs
from report_pages import EMPTY, summarised

QUESTIONS = (
    "Does selection beat random here?",
    "At what size?",
    "At what price?",
    "Which indicators carry signal?",
    "Can the rule be trusted?",
)


def text(page: str) -> str:
    return " ".join(read(page).text.split())


def test_every_question_has_its_answer_and_one_picture(made):
    page = text(made["summary"])
    places = [page.index(f" {asked} ") for asked in QUESTIONS]
    assert places == sorted(places)
    assert len(specs(made["summary"])) == len(QUESTIONS)
    assert summary.NOT_ASKED not in page
    for answer in (
        "In part. 6 comparisons with random subsets of the same size",
        "other: used to fit a quality rule or to drive a search",
        "283 examples, with loss 1.8000: the best of 6 sizes tried, from 64 to 520.",
        "Size scan figure_4. ",
        "best costs more than finetuning on everything; random less.",
        "in USD: best 1.85 (200), random 0.25 (200). Finetuning on everything: 1 USD (estimated",
        "(90 preference pairs): Separating (AUC): reward (0.66), output_length (0.43)",
        "again: In part.",
        "published: Not shown. Published coefficients (instructmining-v2)",
    ):
        assert answer in page, answer


def test_the_picture_of_the_comparison_is_of_a_set_not_used_for_selection(made):
    assert specs(made["summary"])[0]["title"] == "held_out (lower is better; unseen, tiny)"


def test_only_pages_that_the_report_has_are_named(made, results):
    rule = EMPTY._replace(rules={"fitted": summarised(results, "fitted")}, pages=["quality_rules", "summary"])
    page = text(summary.page(rule))
    assert "More: 5 Quality rule: each indicator against the loss." in page
    for other in ("6 Indicators", "7 Examples", "8 Data", "Also in the report"):
        assert other not in page and (other in text(made["summary"])), other
    only_data = text(summary.page(EMPTY._replace(pages=["data"])))
    assert "Also in the report: 8 Data (sources, rejected rows)." in only_data


def test_of_an_empty_study_nothing_is_asked():
    page = summary.page(EMPTY)
    assert text(page).count(summary.NOT_ASKED) == len(QUESTIONS) and not specs(page)


def test_without_an_indicator_check_the_strongest_univariate_fit_is_the_picture(results):
    study = EMPTY._replace(rules={"fitted": summarised(results, "fitted")})
    signal, _ = specs(summary.page(study))
    assert signal["title"].startswith("reward: r -")


def test_a_rule_that_shuffled_losses_could_have_made_is_not_trusted(results):
    it = summarised(results, "fitted")
    assert "Within limits. It predicts" in text(summary.page(EMPTY._replace(rules={"fitted": it})))
    for worse in ({"selection_p_value": 0.3}, {"loo_r_squared_with_selection": -0.1}):
        bad = it._replace(rule={**it.rule, **worse})
        assert "Can the rule be trusted? No. It" in text(summary.page(EMPTY._replace(rules={"fitted": bad})))


@pytest.mark.parametrize(
    ("verdicts", "word"),
    [
        ([], "Not asked here."),
        ([ONE_SEED], "It cannot be told."),
        ([BETTER, BETTER], "Yes."),
        ([BETTER, SAME], "In part."),
        ([BETTER, WORSE], "In part."),
        ([SAME, WORSE], "No, it does worse."),
        ([SAME, ONE_SEED], "Not shown."),
    ],
)
def test_the_word_on_random(verdicts, word):
    rows = [{"role": "strategy", "baseline": "random", "verdict": verdict} for verdict in verdicts]
    table = pl.DataFrame([dict.fromkeys(TABLE_SCHEMA) | row for row in rows], schema=TABLE_SCHEMA)
    assert summary_words.beats(table)[0] == word


def test_a_size_at_the_end_of_those_tried_is_called_so():
    trials = pl.DataFrame({"trial": [0, 1], "size": [10, 20], "value": [1.0, 2.0]})
    assert "the smallest size tried" in summary_words.size_found({"best_size": 10, "best_value": 1.0}, trials)[1]


def test_costs_without_a_price_are_in_hours_and_everything_may_be_unknown():
    costs = artifacts.costs()
    assert summary_words.unit_of(costs) == "money"
    unpriced = costs.with_columns(total_money=pl.lit(None, pl.Float64))
    assert summary_words.unit_of(unpriced) == "cpu_hours"
    assert summary_words.unit_of(unpriced.with_columns(total_gpu_hours=1.0)) == "gpu_hours"
    unknown = costs.with_columns(everything_money=pl.lit(None, pl.Float64))
    assert summary_words.dear(unknown, "money") == "What finetuning on everything costs is not known."
    assert summary_words.dear(costs.filter(pl.col("strategy") == "random"), "money").startswith("Every strategy")
    cheap = costs.with_columns(everything_money=pl.when(size="400").then(2.0).otherwise("everything_money"))
    assert summary_words.dear(cheap, "money").startswith("best (at some sizes) costs more")
    lacking = costs.with_columns(missing=2).head(1)
    assert summary_words.price(lacking, "money", "USD", ["random"])[1].endswith("which count nothing: 2.")


def test_correlations_are_adjusted_for_how_many_were_looked_at():
    told, strongest = summary_words.correlated("r", univariate_fits(artifacts.observations(), artifacts.INDICATORS))
    assert strongest["indicator"] == "reward" and "reward (-0." in told and "cannot be told from chance" in told
    few = artifacts.observations(4)
    assert "none can be told from chance" in summary_words.correlated("r", univariate_fits(few, ["perplexity"]))[0]
    flat = univariate_fits(few.with_columns(reward=1.0), ["reward"])
    assert summary_words.correlated("r", flat) == (
        "Of the loss of mixtures (rule r): no indicator varies over them.",
        None,
    )


@pytest.mark.parametrize(("seconds", "shown"), [(42, "42 s"), (450, "7.5 min"), (11160, "3.1 h")])
def test_durations(seconds, shown):
    assert summary_words.duration(seconds) == shown
