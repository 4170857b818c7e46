"""Intervals and p values: right in simulation, and what a plain computation gives."""

import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t as student_t

import artifacts
from instructmining.jobs.errors import InputError
from instructmining.tables import significance


def written(folder: Path, frames: list[pl.DataFrame]) -> list[str]:
    paths = [folder / f"{i}.json" for i in range(len(frames))]
    for path, frame in zip(paths, frames, strict=True):
        artifacts.write_evaluation(path, frame)
    return [str(path) for path in paths]


# --- coverage


def covered(seed_sd: float, item_sd: float, seeds: int = 3, items: int = 60, studies: int = 400) -> dict[str, float]:
    """Share of simulated studies whose 95 % interval holds the true difference, 0, by three ways of making it.

    Values of one model: what all models share an item, the run's own level, and noise an item.
    """
    draw = np.random.default_rng(0)
    found = {"items": 0, "both with replacement": 0, "ours": 0}
    for _ in range(studies):
        values = draw.normal(0, 0.4, (items, 1)) + draw.normal(0, seed_sd, 1 + seeds)
        values = values + draw.normal(0, item_sd, (items, 1 + seeds))
        weights = draw.multinomial(items, np.full(items, 1 / items), size=200) / items
        resampled = weights @ values
        alone = resampled[:, 0] - resampled[:, 1:].mean(axis=1)
        picked = draw.multinomial(seeds, np.full(seeds, 1 / seeds), size=200) / seeds
        both = resampled[:, 0] - (resampled[:, 1:] * picked).sum(axis=1)
        error, freedom = significance.spread(values[:, :1].mean(axis=0), values[:, 1:].mean(axis=0))
        for name, draws in (("items", alone), ("both with replacement", both)):
            low, high = np.quantile(draws, [0.025, 0.975])
            found[name] += bool(low <= 0 <= high)
        found["ours"] += significance.two_sided_p(alone, error, freedom) >= 0.05
    return {name: count / studies for name, count in found.items()}


@pytest.mark.parametrize(
    ("seed_sd", "item_sd", "ours", "items"),
    [
        # the seeds decide: their chance is what resampling the items cannot see
        (0.03, 0.05, (0.92, 0.98), (0.2, 0.4)),
        # both
        (0.006, 0.05, (0.95, 1.0), (0.7, 0.9)),
        # the items decide
        (0.0005, 0.2, (0.93, 1.0), (0.90, 0.97)),
    ],
)
def test_the_interval_covers_the_truth_wherever_the_chance_is(seed_sd, item_sd, ours, items):
    found = covered(seed_sd, item_sd)
    assert ours[0] <= found["ours"] <= ours[1]
    assert items[0] <= found["items"] <= items[1]
    if seed_sd == 0.03:
        assert found["both with replacement"] < 0.7


# --- items


def test_item_differences_are_those_of_a_plain_bootstrap(tmp_path, monkeypatch):
    frames = [artifacts.items(level, n=15) for level in (1.6, 1.65, 1.7, 1.8)]
    paths = written(tmp_path, frames)
    monkeypatch.setattr(significance, "_BLOCK", 45)  # three draws a block
    found = significance.item_differences(paths[:2], paths[2:], draws=400, seed=3)
    draw = np.random.default_rng(11)
    differences = []
    sums = [(frame["nll"].to_numpy(), frame["tokens"].to_numpy()) for frame in frames]
    for _ in range(4000):
        rows = draw.integers(0, 15, 15)
        losses = [nll[rows].sum() / tokens[rows].sum() for nll, tokens in sums]
        differences.append((losses[0] + losses[1]) / 2 - (losses[2] + losses[3]) / 2)
    quantiles = [0.025, 0.5, 0.975]
    assert np.quantile(found, quantiles) == pytest.approx(np.quantile(differences, quantiles), abs=0.003)
    assert len(found) == 400
    assert np.array_equal(found, significance.item_differences(paths[:2], paths[2:], draws=400, seed=3))


@given(shift=st.floats(-1, 1), order=st.permutations(range(12)))
def test_differences_move_with_the_level_and_not_with_the_order(tmp_path_factory, shift, order):
    base = artifacts.items(1.7, n=12)
    moved = base.with_columns(nll=pl.col("nll") + shift * pl.col("tokens"))[order]
    selected, random = written(tmp_path_factory.mktemp("items"), [moved, base])
    found = significance.item_differences([selected], [random], draws=20, seed=0)
    assert np.allclose(found, shift, atol=1e-9)


def differences(paths: list[str]) -> np.ndarray:
    return significance.item_differences(paths[:1], paths[1:], draws=20, seed=0)


def test_other_items_are_an_error_that_names_the_file(tmp_path):
    paths = written(tmp_path, [artifacts.items(1.7, n=12), artifacts.items(1.8, n=11)])
    with pytest.raises(InputError, match=r"1\.json: its items with a loss are not those of .*0\.json"):
        differences(paths)


def without(frame: pl.DataFrame, *lost: int) -> pl.DataFrame:
    """As evaluating writes items that did not fit: still there, without a loss."""
    return frame.with_columns(nll=pl.when(~pl.int_range(pl.len()).is_in(lost)).then("nll"))


def test_items_without_a_loss_are_left_out_and_must_be_the_same_ones(tmp_path):
    first, second = artifacts.items(1.7, n=12), artifacts.items(1.8, n=12)
    kept = written(tmp_path / "kept", [frame[2:] for frame in (first, second)])
    both = written(tmp_path / "both", [without(first, 0, 1), without(second, 0, 1)])
    assert np.array_equal(differences(both), differences(kept))
    other = written(tmp_path / "other", [without(first, 0), without(second, 1)])
    with pytest.raises(InputError, match=r"other/1\.json: its items with a loss are not those of .*other/0\.json"):
        differences(other)
    none = written(tmp_path / "none", [without(frame, *range(12)) for frame in (first, second)])
    with pytest.raises(InputError, match=r"none/0\.json: no item has a loss"):
        differences(none)


def test_a_loss_that_is_no_number_is_an_error(tmp_path):
    first, second = artifacts.items(1.7, n=12), artifacts.items(1.8, n=12)
    broken = [first, second.with_columns(nll=pl.lit(float("nan")))]
    paths = [str(tmp_path / f"{i}.json") for i in range(2)]
    for path, frame in zip(paths, broken, strict=True):
        frame.write_parquet(Path(path).with_suffix(".items.parquet"))
    with pytest.raises(InputError, match=r"not a finite number in one of .*0\.json, .*1\.json"):
        differences(paths)


# --- seeds, and both


def test_without_chance_in_the_items_it_is_student_s_prediction_interval():
    random = np.array([1.70, 1.72, 1.71])
    error, freedom = significance.spread(np.array([1.6]), random)
    assert (error, freedom) == (pytest.approx(0.01 * math.sqrt(4 / 3)), 2)
    alone = np.full(50, 1.6 - random.mean())
    p = significance.two_sided_p(alone, error, freedom)
    assert p == pytest.approx(2 * student_t.sf(0.11 / error, 2))
    reach = student_t.ppf(0.975, 2) * error
    assert significance.interval(alone, error, freedom) == pytest.approx((-0.11 - reach, -0.11 + reach))


def test_several_runs_of_a_strategy_make_it_student_s_two_sample_test():
    from scipy.stats import ttest_ind

    selected, random = np.array([1.60, 1.64, 1.61, 1.65]), np.array([1.70, 1.62, 1.66])
    error, freedom = significance.spread(selected, random)
    alone = np.full(50, selected.mean() - random.mean())
    assert freedom == 5
    assert significance.two_sided_p(alone, error, freedom) == pytest.approx(ttest_ind(selected, random).pvalue)
    with pytest.raises(ValueError, match="one random seed"):
        significance.spread(selected, random[:1])


def test_without_spread_over_runs_it_is_the_bootstrap_over_items():
    draws = np.random.default_rng(0).normal(-1, 1, 4000)
    low, high = significance.interval(draws, 0.0, 2)
    assert (low, high) == tuple(np.quantile(draws, [0.025, 0.975]))
    assert significance.two_sided_p(draws, 0.0, 2) == pytest.approx(2 * (draws > 0).mean())
    assert significance.two_sided_p(np.full(99, -1.0), 0.0, 2) == 0.01
    assert significance.two_sided_p(np.zeros(99), 0.0, 2) == 1


@given(st.floats(-3, 3), st.floats(0.01, 3), st.integers(2, 9))
def test_the_interval_leaves_out_zero_where_p_is_below_the_level(centre, error, freedom):
    draws = np.random.default_rng(1).normal(centre, 0.3, 200)
    low, high = significance.interval(draws, error, freedom)
    assert low < draws.mean() < high
    p = significance.two_sided_p(draws, error, freedom)
    if abs(p - 0.05) > 1e-6:
        assert (low <= 0 <= high) == (p > 0.05)
    assert significance.two_sided_p(-draws, error, freedom) == pytest.approx(p)


def test_holm_is_that_of_the_paper_and_of_nothing_nothing():
    # sorted p times 4, 3, 2, 1, and never falling
    assert significance.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert significance.holm([]) == []


def test_few_seeds_reach_far():
    assert significance.reach(3, 1) == pytest.approx(4.303 * math.sqrt(4 / 3), abs=1e-3)
    assert significance.reach(3, 12) > significance.reach(3, 1) > significance.reach(10, 1)


def scored(values: list[float | None], weights: list[float]) -> pl.DataFrame:
    """Items of a benchmark that is no loss."""
    ids = [f"{row:03d}" for row in range(len(values))]
    return pl.DataFrame({"id": ids, "value": values, "weight": weights}, schema_overrides={"value": pl.Float64})


def test_items_of_any_benchmark_are_weighed_and_those_that_one_model_lacks_weigh_nothing(tmp_path):
    weights = [1.0, 2.0, 1.0, 4.0, 1.0]
    values = [1.0, 0.0, 0.5, None, 1.0], [0.0, 0.0, 1.0, 1.0, None]
    paths = written(tmp_path, [scored(one, weights) for one in values])
    got = significance.item_differences(paths[:1], paths[1:], draws=3, seed=4)
    counts = np.random.default_rng(4).multinomial(5, np.full(5, 0.2), size=3)
    for draw, difference in zip(counts, got, strict=True):
        means = []
        for one in values:
            total = sum(c * w * v for c, w, v in zip(draw, weights, one, strict=True) if v is not None)
            weight = sum(c * w for c, w, v in zip(draw, weights, one, strict=True) if v is not None)
            means.append(total / weight)
        assert difference == pytest.approx(means[0] - means[1])


def test_the_interval_of_one_value_is_that_of_a_bootstrap_over_its_items(tmp_path):
    (path,) = written(tmp_path, [scored([1.0] * 30 + [0.0] * 70 + [None], [1.0] * 101)])
    low, high = significance.value_interval(path)
    # a share of 0.3 of 100: standard error 0.046
    assert low == pytest.approx(0.3 - 1.96 * 0.0458, abs=0.012) and high == pytest.approx(
        0.3 + 1.96 * 0.0458, abs=0.012
    )
    assert significance.value_interval(path) == (low, high)
