"""All checks of a rule together, in figures and in words; the published observations give the published analysis."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml

from configs import ROOT, check
from instructmining.quality_rules import checks as rule_checks
from instructmining.quality_rules.influence import influential
from instructmining.quality_rules.observations import from_csv
from instructmining.quality_rules.regression import estimate, with_predictions
from instructmining.quality_rules.stability import chosen_indicators
from instructmining.report.pages import quality_rule
from instructmining.report.words import quality_rule as rule_words
from observed import NAMES, PUBLISHED, synthetic

SETTINGS = {"max_indicators": 4, "bootstrap": 400, "seed": 0}


def checked(table: pl.DataFrame, indicators, against=None, **settings):
    wanted = SETTINGS | settings
    rule, sets = estimate(table, {"indicators": indicators, **wanted}, None)
    observations = with_predictions(rule, table)
    return rule, sets, rule_checks.check(rule, observations, sets, wanted, against)


def words(rule, sets, checks) -> str:
    return rule_words.in_short(rule, sets, checks, quality_rule.honest_loo(rule))


def test_where_a_set_stands_is_its_place_in_the_table() -> None:
    rule, sets, checks = checked(synthetic(), ["coherence", "reward"])
    standing = {row["criterion"]: row for row in checks.standing.iter_rows(named=True)}
    assert list(standing) == ["r_squared", "adjusted_r_squared", "aic", "bic", "loo_r_squared"]
    assert (standing["r_squared"]["sets"], standing["aic"]["sets"]) == (3, 7)
    for criterion, row in standing.items():
        among = sets.filter(n_indicators=2) if criterion == "r_squared" else sets
        sign = -1 if criterion in ("aic", "bic") else 1
        assert row["rank"] == 1 + ((among[criterion] - row["value"]) * sign > 1e-12).sum()
        assert row["best_value"] == (sign * among[criterion]).max() * sign
    assert standing["aic"]["value"] == pytest.approx(rule["aic"])
    assert rule_checks.standing(["mtld"], sets).is_empty()


def test_a_sound_rule_is_called_so_and_a_useless_one_too() -> None:
    generator = np.random.default_rng(1)
    x = {name: generator.normal(size=80) for name in NAMES}
    y = 0.3 * x["reward"] - 0.2 * x["output_length"] + 0.02 * generator.normal(size=80)
    sound = pl.DataFrame({"mixture": [f"m-{i:02d}" for i in range(80)], **x, "loss": np.exp(y)})
    told = words(*checked(sound, ["reward", "output_length"], max_indicators=2))
    assert "It predicts the loss" in told and "reward alone does with" in told
    assert "Nothing speaks against" in told
    assert "a stable choice: 100.0 % of resamples choose it" in told
    noise = sound.with_columns(loss=pl.Series(np.exp(generator.normal(size=80))))
    assert "It does not predict the loss" in words(*checked(noise, ["reward"]))
    poor = words(*checked(sound, ["coherence", "reward"], max_indicators=2))
    assert "not the one that these observations ask for: no resample chooses it" in poor
    assert "coherence not distinguishable from zero" in poor


def test_a_set_of_more_indicators_than_the_mixtures_bear_is_no_evidence() -> None:
    rule, sets, checks = checked(synthetic(), ["coherence", "reward"])
    better = pl.col("best_value") - 20
    first = checks.standing.with_columns(best_set=pl.lit("a + b + c"), best_value=better)
    sentences = {n: rule_words.stands({**rule, "n": n}, checks._replace(standing=first))[-1] for n in (11, 12)}
    assert "11 mixtures are too few for so many indicators" in sentences[11] and "evidence" not in sentences[11]
    assert "very strong evidence" in sentences[12]
    elsewhere = checks.chosen_sets.filter(~pl.col("indicators").is_in(["coherence + reward", "reward + coherence"]))
    checks = checks._replace(standing=first, chosen_sets=elsewhere)
    short = rule_words.in_short({**rule, "n": 11}, sets, checks, 0.5)
    assert "was not the natural choice: no resample chooses it." in short


def test_one_mixture_stands_out_alone() -> None:
    table = pl.DataFrame({"mixture": ["m-0", "m-1"], "cooks_distance": [9.0, 0.1], "studentised_residual": [2.0, 0.1]})
    _, _, checks = checked(synthetic(), ["reward"])
    checks = checks._replace(influence=table, without_influential=checks.without_influential.clear())
    assert rule_words.influence(checks)[0].startswith("1 of 2 mixtures stands out")


def test_a_coefficient_whose_sign_turns_is_named() -> None:
    generator = np.random.default_rng(0)
    a = generator.normal(size=60)
    b = a + 0.2 * generator.normal(size=60)
    y = a - 0.5 * b + 0.02 * generator.normal(size=60)
    table = pl.DataFrame({"mixture": [f"m-{i:02d}" for i in range(60)], "a": a, "b": b, "loss": np.exp(y)})
    rule, sets, checks = checked(table, ["a", "b"])
    assert rule_words.turned(rule, checks.univariate) == ["b"]
    assert "the sign of b the other way round than alone" in words(rule, sets, checks)
    assert rule_words.turned(*[checked(table, ["b"])[i] for i in (0,)], checked(table, ["b"])[2].univariate) == []


def test_the_config_that_comes_along_asks_for_the_published_set_and_for_the_papers_procedure() -> None:
    config = check(yaml.safe_load((ROOT / "config/published.yaml").read_text(encoding="utf-8")))
    assert not any(config[section] for section in ("models", "datasets", "indicators", "recipes", "comparisons"))
    published, procedure = config["quality_rules"].values()
    assert published["indicators"] == ["reward", "understandability", "naturalness", "coherence"]
    assert (procedure["indicators"], procedure["max_indicators"]) == ("auto", 4)
    for rule in (published, procedure):
        assert not Path(rule["observations"]).is_absolute() and rule["origin"]
        assert rule["against"] == "instructmining-v2"


@pytest.mark.skipif(not PUBLISHED.exists(), reason="the published observations are not beside the project")
def test_the_published_rule_is_reproduced_and_would_not_have_been_chosen() -> None:
    four = ["reward", "understandability", "naturalness", "coherence"]
    rule, sets, checks = checked(from_csv(PUBLISHED, four), four, "instructmining-v2")
    # Table 9 and section 1 of the methods: 124 of the 129 mixtures
    here = checks.coefficients
    assert here["coefficient"].to_list() == pytest.approx([0.02456, -0.00779, 0.43793, -0.31482, -0.15028], abs=5e-6)
    assert here["standard_error"].to_list() == pytest.approx([0.063, 0.0029, 0.166, 0.108, 0.127], abs=5e-4)
    value = dict(checks.fit.iter_rows())
    assert [value[name] for name in ("n", "r_squared", "f", "log_likelihood")] == pytest.approx(
        [124, 0.5018, 29.96, 415.04], rel=1e-4
    )
    beside = checks.published.filter(figure="coefficient")
    assert beside["published"].to_list() == [0.0274, -0.0078, 0.4421, -0.3212, -0.1520]
    assert beside["in_standard_errors"].abs().max() < 0.07
    assert checks.published.filter(figure="r_squared_on_these")["published"].item() == pytest.approx(0.501, abs=5e-4)
    standing = {row["criterion"]: row for row in checks.standing.iter_rows(named=True)}
    assert set(standing["r_squared"]["best_set"].split(" + ")) == {
        "input_length",
        "output_length",
        "naturalness",
        "perplexity",
    }
    assert standing["r_squared"]["best_value"] == pytest.approx(0.539, abs=5e-4)
    assert (standing["r_squared"]["rank"], standing["r_squared"]["sets"]) == (84, 126)
    assert set(standing["bic"]["best_set"].split(" + ")) == {"naturalness", "perplexity"}
    assert standing["aic"]["sets"] == sets.height == 511
    assert rule_words.own_share(rule, checks.chosen_sets) == 0
    assert chosen_indicators(checks.chosen_sets, four)["indicator"][0] == "naturalness"
    assert influential(checks.influence)[0] == "row-008"
    alone = dict(checks.univariate.select("indicator", "r").iter_rows())
    assert len(alone) == 9 and alone["reward"] == pytest.approx(-0.683, abs=5e-4)
    told = words(rule, sets, checks)
    for said in ("reward alone does with 0.439", "understandability, naturalness nearly given", "no resample chooses"):
        assert said in told
    beside_words = " ".join(rule_words.beside(checks.published))
    assert "are reproduced: the largest difference is 0.060" in beside_words
    assert "not distinguishable from zero: coherence (t -1.2)" in beside_words


@pytest.mark.skipif(not PUBLISHED.exists(), reason="the published observations are not beside the project")
def test_the_papers_procedure_takes_another_set() -> None:
    rule, sets, checks = checked(from_csv(PUBLISHED), "auto", "instructmining-v2")
    assert set(rule["indicators"]) == {"input_length", "output_length", "naturalness", "perplexity"}
    assert "one of several that would have done" in words(rule, sets, checks)
    beside = " ".join(rule_words.beside(checks.published))
    assert "other indicators than the published rule. In common: naturalness (0.296 here, -0.321 published)" in beside
