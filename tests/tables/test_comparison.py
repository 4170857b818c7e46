"""The comparison table: strategies against random, baselines beside them."""

from pathlib import Path

import polars as pl
import pytest

import artifacts
from instructmining.evaluations import HIGHER, LOWER
from instructmining.tables import comparison

BASELINES = {"random": "random", "everything": "full"}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return artifacts.build(tmp_path_factory.mktemp("results"), rows=200)


def evaluations(results: Path, pattern: str = "*/unseen/*/*") -> pl.DataFrame:
    paths = sorted(str(path) for path in results.glob(f"evaluations/tiny/{pattern}.json"))
    return comparison.read_evaluations(paths, [str(path) for path in results.glob("subsets/*/unseen/*.parquet")])


@pytest.mark.parametrize(
    ("path", "strategy", "seed", "size"),
    [
        ("results/evaluations/tiny/random-12/unseen/best-main/mt_bench.json", "random", "12", "best-main"),
        ("results/evaluations/tiny/longest/unseen/200/mt_bench.json", "longest", None, "200"),
    ],
)
def test_a_path_says_what_was_evaluated(path, strategy, seed, size):
    key = comparison.evaluation_key(path)
    assert key == {
        "pool": "unseen",
        "recipe": "tiny",
        "benchmark": "mt_bench",
        "size": size,
        "strategy": strategy,
        "seed": seed,
    }


def test_evaluations_carry_the_real_number_of_examples(results):
    frame = evaluations(results)
    assert frame.height == 26
    assert set(frame.filter(pl.col("size") == "best-main")["examples"]) == {283}
    assert set(frame.filter(pl.col("size") == "all")["examples"]) == {400}


def test_table_has_mean_spread_and_difference_of_the_seeds(results):
    frame = evaluations(results)
    table = comparison.compare(frame, BASELINES, draws=200)
    assert table.schema == pl.Schema(comparison.TABLE_SCHEMA)
    row = table.row(by_predicate=(pl.col("benchmark") == "held_out") & (pl.col("size") == "200"), named=True)
    seeds = frame.filter(benchmark="held_out", size="200", strategy="random")["value"]
    chosen = frame.filter(benchmark="held_out", size="200", strategy="best")["value"].item()
    assert (row["role"], row["direction"], row["random_seeds"]) == ("strategy", LOWER, 3)
    assert row["random_mean"] == pytest.approx(seeds.mean())
    assert row["random_sd"] == pytest.approx(seeds.std(ddof=1))
    assert row["difference"] == pytest.approx(chosen - seeds.mean())
    assert row["difference_low"] < row["difference"] < row["difference_high"] < 0
    assert comparison.sentence(row).startswith(f"best {chosen:.4f} vs random {seeds.mean():.4f} ± ")


def test_verdicts_tell_the_clear_difference_from_the_small_one(results):
    table = comparison.compare(evaluations(results), BASELINES, draws=400)
    verdicts = dict(table.filter(benchmark="held_out").select("size", "verdict").iter_rows())
    assert verdicts == {
        "200": comparison.BETTER,
        "best-main": comparison.BETTER,
        "400": comparison.SAME,
        "all": comparison.BASELINE,
    }


def test_the_family_is_every_strategy_against_random_and_no_baseline(results):
    table = comparison.compare(evaluations(results), BASELINES, draws=400)
    family = comparison.compared(table)
    assert family.height == 6 and set(family["family"]) == {6}
    ordered = family.sort("p_value")
    expected, largest = [], 0.0
    for place, p in enumerate(ordered["p_value"]):
        largest = max(largest, min(1.0, (6 - place) * p))
        expected.append(largest)
    assert ordered["p_holm"].to_list() == pytest.approx(expected)
    rest = table.filter(role="full")
    assert rest.height == 2 and set(rest["verdict"]) == {comparison.BASELINE}
    assert rest["p_value"].null_count() == rest["p_holm"].null_count() == rest["family"].null_count() == 2


def test_the_more_is_compared_the_more_a_difference_must_be(results):
    frame = evaluations(results, "*/unseen/200/held_out")
    many = pl.concat([evaluations(results), *(frame.with_columns(pool=pl.lit(f"p{i}")) for i in range(300))])
    alone = comparison.compare(frame, BASELINES, draws=50).row(0, named=True)
    crowded = comparison.compare(many, BASELINES, draws=50).filter(pool="p0").row(0, named=True)
    assert alone["p_value"] == crowded["p_value"] and crowded["family"] == 306
    assert (alone["verdict"], crowded["verdict"]) == (comparison.BETTER, comparison.SAME)


def test_a_baseline_with_seeds_is_one_row_with_its_mean_and_no_verdict(results):
    frame = evaluations(results, "*/unseen/200/held_out")
    strict = frame.filter(strategy="random").with_columns(strategy=pl.lit("strict"))
    table = comparison.compare(pl.concat([frame, strict]), BASELINES | {"strict": "strict_random"}, draws=100)
    row = table.row(by_predicate=pl.col("strategy") == "strict", named=True)
    assert (row["role"], row["seeds"], row["verdict"]) == ("strict_random", 3, comparison.BASELINE)
    assert row["value"] == pytest.approx(strict["value"].mean()) and row["sd"] == pytest.approx(strict["value"].std())
    assert row["difference"] == pytest.approx(0) and row["difference_low"] < 0 < row["difference_high"]
    assert row["p_value"] is row["p_holm"] is None
    assert set(table.filter(strategy="best")["family"]) == {1}
    assert "over 3 seeds vs random" in comparison.sentence(row)


def test_without_random_every_row_says_so(results):
    table = comparison.compare(evaluations(results, "best/unseen/*/held_out"), BASELINES)
    assert set(table["verdict"]) == {comparison.NO_RANDOM}
    assert table["difference"].null_count() == table.height


def test_one_random_seed_has_a_difference_and_no_verdict(results):
    frame = evaluations(results, "*/unseen/200/held_out").filter(pl.col("seed").is_null() | (pl.col("seed") == "0"))
    row = comparison.compare(frame, BASELINES).row(0, named=True)
    assert row["verdict"] == comparison.ONE_SEED and row["difference"] < 0
    assert row["difference_low"] is row["p_value"] is row["p_holm"] is row["family"] is None


@pytest.mark.parametrize(
    ("difference", "p_holm", "direction", "word"),
    [
        (-0.1, 0.04, LOWER, comparison.BETTER),
        (+0.1, 0.04, LOWER, comparison.WORSE),
        (-0.1, 0.04, HIGHER, comparison.WORSE),
        (+0.1, 0.04, HIGHER, comparison.BETTER),
        (-0.1, 0.05, LOWER, comparison.SAME),
        (-0.1, None, LOWER, comparison.ONE_SEED),
    ],
)
def test_verdict_is_by_adjusted_p_and_direction(difference, p_holm, direction, word):
    row = {"role": "strategy", "baseline": "random"}
    row |= {"difference": difference, "p_holm": p_holm, "direction": direction}
    assert comparison.verdict(row) == word
    assert comparison.verdict(row | {"role": "strict_random"}) == comparison.BASELINE
