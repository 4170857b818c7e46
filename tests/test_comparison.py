import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import artifacts
from instructmining import comparison
from instructmining.errors import InputError


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
    table = comparison.compare(frame, ["random"], draws=200)
    assert table.schema == pl.Schema(comparison.TABLE_SCHEMA)
    row = table.row(by_predicate=(pl.col("benchmark") == "held_out") & (pl.col("size") == "200"), named=True)
    seeds = frame.filter(benchmark="held_out", size="200", strategy="random")["value"]
    chosen = frame.filter(benchmark="held_out", size="200", strategy="best")["value"].item()
    assert row["random_seeds"] == 3
    assert row["random_mean"] == pytest.approx(seeds.mean())
    assert row["random_sd"] == pytest.approx(seeds.std(ddof=1))
    assert row["difference"] == pytest.approx(chosen - seeds.mean())
    assert row["difference_low"] < row["difference"] < row["difference_high"] < 0
    assert comparison.sentence(row).startswith(f"best {chosen:.4f} vs random {seeds.mean():.4f} ± ")


def test_verdicts_tell_the_clear_difference_from_the_small_one(results):
    table = comparison.compare(evaluations(results), ["random"], draws=200)
    verdicts = dict(table.filter(benchmark="held_out").select("size", "verdict").iter_rows())
    assert verdicts == {
        "200": comparison.BETTER,
        "best-main": comparison.BETTER,
        "400": comparison.SAME,
        "all": comparison.NO_RANDOM,
    }


def test_without_random_every_row_says_so(results):
    table = comparison.compare(evaluations(results, "best/unseen/*/held_out"), ["random"])
    assert set(table["verdict"]) == {comparison.NO_RANDOM}
    assert table["difference"].null_count() == table.height


@pytest.mark.parametrize(
    ("difference", "interval", "spread", "seeds", "word"),
    [
        (-0.10, (-0.12, -0.08), 0.004, 3, comparison.BETTER),
        (+0.10, (0.08, 0.12), 0.004, 3, comparison.WORSE),
        # within one more random subset's reach: t(2) · 0.004 · sqrt(4/3) = 0.0199
        (-0.019, (-0.03, -0.01), 0.004, 3, comparison.SAME),
        (-0.021, (-0.03, -0.01), 0.004, 3, comparison.BETTER),
        # the items disagree
        (-0.10, (-0.21, 0.01), 0.004, 3, comparison.SAME),
        (-0.10, (-0.12, -0.08), None, 1, comparison.ONE_SEED),
    ],
)
def test_verdict_needs_both_items_and_seeds(difference, interval, spread, seeds, word):
    assert comparison.verdict(difference, interval, spread, seeds) == word


def written(folder: Path, frames: list[pl.DataFrame]) -> list[str]:
    paths = [folder / f"{i}.json" for i in range(len(frames))]
    for path, frame in zip(paths, frames, strict=True):
        artifacts.write_evaluation(path, frame)
    return [str(path) for path in paths]


def test_interval_is_that_of_a_plain_bootstrap(tmp_path, monkeypatch):
    frames = [artifacts.items(level, n=15) for level in (1.6, 1.7, 1.8)]
    selected, *random = written(tmp_path, frames)
    monkeypatch.setattr(comparison, "_BLOCK", 45)  # three draws a block
    found = comparison.paired_interval(selected, random, draws=400, seed=3)
    draw = np.random.default_rng(11)
    differences = []
    for _ in range(4000):
        rows = draw.integers(0, 15, 15)
        losses = [frame[rows]["nll"].sum() / frame[rows]["tokens"].sum() for frame in frames]
        differences.append(losses[0] - (losses[1] + losses[2]) / 2)
    assert found == pytest.approx(np.quantile(differences, [0.025, 0.975]), abs=0.003)
    assert found == comparison.paired_interval(selected, random, draws=400, seed=3)


@given(shift=st.floats(-1, 1), order=st.permutations(range(12)))
def test_interval_moves_with_the_level_and_not_with_the_order(tmp_path_factory, shift, order):
    base = artifacts.items(1.7, n=12)
    moved = base.with_columns(nll=pl.col("nll") + shift * pl.col("tokens"))[order]
    selected, random = written(tmp_path_factory.mktemp("items"), [moved, base])
    low, high = comparison.paired_interval(selected, [random], draws=20)
    assert math.isclose(low, shift, abs_tol=1e-9) and math.isclose(high, shift, abs_tol=1e-9)


def test_other_items_are_an_error_that_names_the_file(tmp_path):
    first, second = artifacts.items(1.7, n=12), artifacts.items(1.8, n=11)
    selected, random = written(tmp_path, [first, second])
    with pytest.raises(InputError, match=r"1\.json: its items with a loss are not those of .*0\.json"):
        comparison.paired_interval(selected, [random])


def without(frame: pl.DataFrame, *lost: int) -> pl.DataFrame:
    """As evaluating writes items that did not fit: still there, without a loss."""
    return frame.with_columns(nll=pl.when(~pl.int_range(pl.len()).is_in(lost)).then("nll"))


def test_items_without_a_loss_are_left_out_and_must_be_the_same_ones(tmp_path):
    first, second = artifacts.items(1.7, n=12), artifacts.items(1.8, n=12)
    kept = written(tmp_path / "kept", [frame[2:] for frame in (first, second)])
    both = written(tmp_path / "both", [without(first, 0, 1), without(second, 0, 1)])
    assert comparison.paired_interval(both[0], both[1:]) == comparison.paired_interval(kept[0], kept[1:])
    other = written(tmp_path / "other", [without(first, 0), without(second, 1)])
    with pytest.raises(InputError, match=r"other/1\.json: its items with a loss are not those of .*other/0\.json"):
        comparison.paired_interval(other[0], other[1:])
    none = written(tmp_path / "none", [without(frame, *range(12)) for frame in (first, second)])
    with pytest.raises(InputError, match=r"none/0\.json: no item has a loss"):
        comparison.paired_interval(none[0], none[1:])


def test_a_loss_that_is_no_number_is_no_verdict(tmp_path):
    first, second = artifacts.items(1.7, n=12), artifacts.items(1.8, n=12)
    broken = [first, second.with_columns(nll=pl.lit(float("nan")))]
    paths = [str(tmp_path / f"{i}.json") for i in range(2)]
    for path, frame in zip(paths, broken, strict=True):
        frame.write_parquet(Path(path).with_suffix(".items.parquet"))
    with pytest.raises(InputError, match=r"0\.json: a loss of its items, or of .*1\.json, is not a finite number"):
        comparison.paired_interval(paths[0], paths[1:])
