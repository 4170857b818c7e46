"""Patterns planted in simulated scans are found where they are, and seldom where there are none."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import artifacts
from instructmining.jobs.errors import InputError
from instructmining.jobs.files import write_csv, write_parquet
from instructmining.report.charts import size_scan as scan_figures
from instructmining.report.pages import size_scan as size_scan_page
from instructmining.tables import curves, significance, size_scan
from instructmining.tables.comparison import read_evaluations

SIZES = [256 * 2**i for i in range(8)]
# falls, rises from 1,024 to 4,096, falls again below the first minimum
DOUBLE = np.array([2.0, 1.9, 1.8, 1.85, 1.9, 1.8, 1.75, 1.7])
MONOTONE = np.array([2.0, 1.9, 1.84, 1.8, 1.77, 1.75, 1.74, 1.735])


def curve(values, sd=0.0, draws=400, seed=0, seen=True):
    """A curve with normal noise: observed with it unless ``seen`` is false."""
    draw = np.random.default_rng(seed)
    observed = np.asarray(values) + sd * draw.normal(size=len(values)) * seen
    noise = max(sd, 1e-9) * draw.normal(size=(draws, len(values)))
    return curves.Curve(np.array(SIZES[: len(values)]), observed, noise, np.ones(len(values)))


def plain_rise(values):
    """The highest rise, and the descent after it, by looking at every pair."""
    pairs = [(values[j] - values[i], -j, -i) for j in range(len(values)) for i in range(j + 1)]
    rise, peak, _ = max(pairs)
    return rise, max(values[-peak] - value for value in values[-peak:])


# --- one curve


def test_a_planted_double_descent_is_located():
    found = curves.find_rise(curve(DOUBLE, sd=0.005))
    assert (found.minimum.size, found.rise.size, found.second_descent.size) == (1024, 4096, 32768)
    assert found.rise.height == pytest.approx(0.1, abs=0.02) and found.rise.height_low > 0.05
    assert found.second_descent.height == pytest.approx(0.2, abs=0.03)
    assert found.minimum.size_low <= 1024 <= found.minimum.size_high <= 2048
    assert max(found.rise.p_value, found.second_descent.p_value) < 0.01
    assert found.share_below == 1


def test_a_rise_to_the_end_has_no_second_descent():
    found = curves.find_rise(curve([2.0, 1.8, 1.7, 1.75, 1.8, 1.85], sd=0.003))
    assert found.rise.p_value < 0.01 and found.rise.size == SIZES[5]
    assert found.second_descent.size is None and found.second_descent.p_value == 1


def test_a_falling_curve_has_no_rise():
    found = curves.find_rise(curve(MONOTONE))
    assert found.rise.size is None and (found.rise.height, found.rise.p_value) == (0, 1)


def test_what_every_noisy_curve_shows_is_in_the_share_by_chance():
    found = curves.find_rise(curve(np.zeros(8), sd=0.1, seed=4))
    assert found.rise.share > 0.95 and found.rise.share_by_chance > 0.95


@given(st.lists(st.floats(-5, 5), min_size=4, max_size=8))
def test_the_rise_is_the_highest_of_all_pairs(values):
    found = curves.find_rise(curve(values, draws=2))
    rise, fall = plain_rise(values)
    assert found.rise.height == pytest.approx(rise, abs=1e-12)
    assert found.second_descent.height == pytest.approx(fall if rise > 0 else 0, abs=1e-12)


@given(st.lists(st.floats(-5, 5), min_size=4, max_size=8), st.floats(-3, 3))
def test_a_common_shift_changes_no_place(values, shift):
    values = np.round(values, 2)
    one, other = (curves.find_rise(curve(v, sd=0.1, draws=30)) for v in (values, values + round(shift, 2)))
    assert (one.rise.size, one.rise.p_value) == (other.rise.size, other.rise.p_value)
    assert one.second_descent.p_value == other.second_descent.p_value


@pytest.mark.parametrize("name", ["level", "falling"])
def test_patterns_are_seldom_found_in_monotone_curves(name):
    truth = {"level": np.zeros(8), "falling": MONOTONE}[name]
    found = [curves.find_rise(curve(truth, sd=0.02, draws=300, seed=seed)) for seed in range(400)]
    rise = np.mean([f.rise.p_value < 0.05 for f in found])
    assert rise < 0.115  # 0.08, and three standard errors
    assert np.mean([f.second_descent.p_value < 0.05 for f in found]) < 0.06
    if name == "level":
        assert rise > 0.02


def test_a_double_descent_is_found_in_most_noisy_scans():
    found = [curves.find_rise(curve(DOUBLE, sd=0.02, draws=300, seed=seed)) for seed in range(100)]
    assert np.mean([f.second_descent.p_value < 0.05 for f in found]) > 0.7
    held = [f.rise.size_low <= 4096 <= f.rise.size_high for f in found]
    assert np.mean(held) > 0.9


# --- two curves


def test_a_planted_crossing_is_located():
    random = MONOTONE
    selected = MONOTONE + np.array([-0.06, -0.05, -0.05, -0.04, 0.03, 0.04, 0.05, 0.06])
    found = curves.find_crossing(curve(selected, sd=0.01), curve(random, sd=0.01, seed=1))
    assert found.pattern.size == SIZES[4] and found.pattern.p_value < 0.01
    assert SIZES[3] <= found.pattern.size_low <= SIZES[4] <= found.pattern.size_high <= SIZES[5]
    assert found.before == pytest.approx(0.05, abs=0.02) and found.after == pytest.approx(-0.045, abs=0.02)
    back = curves.find_crossing(curve(random, sd=0.01), curve(selected, sd=0.01, seed=1))
    assert back.pattern.p_value > 0.2  # random leading first is no crossing of this kind


@pytest.mark.parametrize("lead", [0.05, -0.05])
def test_curves_apart_do_not_cross(lead):
    found = curves.find_crossing(curve(MONOTONE - lead), curve(MONOTONE))
    assert found.pattern.size is None and found.pattern.p_value == 1
    assert (found.after if lead > 0 else found.before) is None


@pytest.mark.parametrize("lead", [np.zeros(8), np.full(8, 0.02), 0.06 * np.exp(-np.arange(8) / 1.5)])
def test_curves_that_only_meet_seldom_cross(lead):
    found = [
        curves.find_crossing(curve(-lead, sd=0.02, draws=300, seed=seed), curve(np.zeros(8), draws=300))
        for seed in range(300)
    ]
    assert np.mean([f.pattern.p_value < 0.05 for f in found]) < 0.08


# --- evaluations


def study(folder, levels, sd=0.003, seeds=3, draw=0):
    """Evaluations of losses with planted levels by strategy and size; random has seeds."""
    generator, paths, subsets = np.random.default_rng(draw), [], []
    for name, values in levels.items():
        for size, level in zip(SIZES, values, strict=False):
            for run in [f"{name}-{seed}" for seed in range(seeds)] if name == "random" else [name]:
                subset = folder / f"results/subsets/{run}/unseen/{size}.parquet"
                write_parquet(pl.DataFrame({"id": ["a"] * size, "dataset": "x"}), subset, {})
                path = folder / f"results/evaluations/tiny/{run}/unseen/{size}/held_out.json"
                artifacts.write_evaluation(path, artifacts.items(level + generator.normal(0, sd)))
                paths.append(str(path))
                subsets.append(str(subset))
    return read_evaluations(paths, subsets)


@pytest.fixture(scope="module")
def evaluations(tmp_path_factory):
    lead = np.array([-0.06, -0.06, -0.05, -0.04, 0.0, 0.04, 0.05, 0.05])
    return study(tmp_path_factory.mktemp("scan"), {"best": DOUBLE, "random": DOUBLE - lead, "longest": MONOTONE[:3]})


@pytest.fixture(scope="module")
def scanned(evaluations):
    return size_scan.scan(evaluations, ["random"], draws=500)


def row(table, strategy, pattern):
    return table.filter(strategy=strategy, pattern=pattern).row(0, named=True)


def test_a_scan_finds_what_was_planted_and_says_so(scanned):
    table, points = scanned
    assert row(table, "best", "first minimum")["size"] == 1024
    assert row(table, "best", "rise")["size"] == 4096
    descent, crossing = row(table, "best", "second descent"), row(table, "best", "crossing")
    assert (descent["verdict"], descent["size"]) == ("found", 32768)
    assert crossing["random"] == "random" and crossing["size"] in (4096, 8192)
    assert "random is no worse from" in crossing["words"] and "1,024 to 4,096" in row(table, "best", "rise")["words"]
    assert table["noise"].unique().to_list() == ["items and runs"]
    assert (points["low"] <= points["value"]).all() and (points["value"] <= points["high"]).all()
    assert points.filter(strategy="random")["seeds"].unique().to_list() == [3]
    assert table["family"].drop_nulls().unique().to_list() == [5]


def test_too_few_sizes_are_said_to_be(scanned):
    found = scanned[0].filter(strategy="longest")
    assert found["verdict"].unique().to_list() == ["fewer than 4 sizes"] and found["p_value"].null_count() == 4


def test_not_found_has_no_size_and_says_why(tmp_path):
    table, _ = size_scan.scan(study(tmp_path, {"best": MONOTONE - 0.05, "random": MONOTONE}), ["random"], draws=300)
    assert table["verdict"].unique().to_list() == ["not found"] and table["size"].null_count() == table.height
    assert "over all sizes best is better by" in row(table, "best", "crossing")["words"]


def test_one_seed_leaves_the_noise_of_the_items(tmp_path):
    found = study(tmp_path, {"best": DOUBLE, "random": MONOTONE}, seeds=1)
    table, points = size_scan.scan(found, ["random"], draws=300)
    assert table["noise"].unique().to_list() == ["items alone"]
    assert all("noise of the items alone" in words for words in table["words"])
    assert "No spread over seeds at held_out (unseen, tiny)" in size_scan_page.page(
        "x", found, ["random"], table, points
    )


def test_the_noise_of_one_run_is_that_of_the_random_seeds(tmp_path):
    found = study(tmp_path, {"best": DOUBLE, "random": MONOTONE}, sd=0.03, seeds=4)
    read, _ = size_scan.read_curves(found, ["random"], draws=4000, seed=0)
    # items are alike for all: what differs between sizes is runs
    noise = {name: (c.noise[:, 1:] - c.noise[:, :-1]).std() / np.sqrt(2) for name, c in read.items()}
    assert noise["best"] == pytest.approx(2 * noise["random"], rel=0.1)
    assert noise["best"] == pytest.approx(0.03, rel=0.35)


def test_higher_is_better_is_turned(tmp_path):
    paths, subsets = [], []
    for i, wins in enumerate((5, 12, 20, 12, 6, 25)):
        subset = tmp_path / f"results/subsets/best/unseen/{SIZES[i]}.parquet"
        write_parquet(pl.DataFrame({"id": ["a"] * SIZES[i], "dataset": "x"}), subset, {})
        path = tmp_path / f"results/evaluations/tiny/best/unseen/{SIZES[i]}/judged.json"
        artifacts.write_evaluation(path, artifacts.verdicts(wins))
        paths.append(str(path))
        subsets.append(str(subset))
    table, points = size_scan.scan(read_evaluations(paths, subsets), ["random"], draws=500)
    rise = row(table, "best", "rise")
    assert (rise["size"], rise["height"] > 0) == (SIZES[4], True)
    assert points["value"].min() > 0 and (points["low"] <= points["value"]).all()


def test_different_items_are_an_error(tmp_path):
    paths = [str(tmp_path / f"{i}.json") for i in range(2)]
    artifacts.write_evaluation(tmp_path / "0.json", artifacts.items(1.5))
    artifacts.write_evaluation(tmp_path / "1.json", artifacts.items(1.6, n=59))
    with pytest.raises(InputError, match=r"1\.json: its items with a loss are not those of"):
        significance.item_values(paths, 10, 0)


def test_blocks_of_resamples_change_nothing(tmp_path, monkeypatch):
    paths = [str(tmp_path / f"{i}.json") for i in range(2)]
    for i in range(2):
        artifacts.write_evaluation(tmp_path / f"{i}.json", artifacts.items(1.5 + i / 10))
    whole = significance.item_values(paths, 50, 3)
    monkeypatch.setattr(significance, "_BLOCK", 600)
    np.testing.assert_allclose(significance.item_values(paths, 50, 3), whole)
    assert whole.shape == (50, 2) and abs(np.diff(whole.mean(axis=0))[0] - 0.1) < 0.05


def test_the_same_evaluations_give_the_same_bytes_in_any_order(evaluations, scanned, tmp_path):
    shuffled = evaluations.sample(fraction=1, shuffle=True, seed=1)
    again = size_scan.scan(shuffled, ["random"], draws=500)
    for name, (one, other) in {"table": (scanned[0], again[0]), "points": (scanned[1], again[1])}.items():
        write_csv(one, tmp_path / f"{name}1.csv")
        write_csv(other, tmp_path / f"{name}2.csv")
        assert (tmp_path / f"{name}1.csv").read_bytes() == (tmp_path / f"{name}2.csv").read_bytes()


def test_the_page_shows_curves_sentences_and_tables(evaluations, scanned):
    made = size_scan_page.page("im_figure_4", evaluations, ["random"], *scanned)
    assert made == size_scan_page.page("im_figure_4", evaluations, ["random"], *scanned)
    assert "Size scan: im_figure_4" in made and "<strong>Found.</strong> best: gets worse by" in made
    assert "results/tables/size_scans/im_figure_4.csv" in made
    assert made.count("longest: no pattern is looked for: fewer than 4 sizes.") == 1


def test_the_chart_rings_what_was_found_and_nothing_else(evaluations, scanned):
    table, points = scanned
    spec = scan_figures.size_scan(evaluations, points, table, ["random"], "held_out").to_dict()
    assert spec == scan_figures.size_scan(evaluations, points, table, ["random"], "held_out").to_dict()
    assert spec["width"] == "container" and spec["layer"][0]["encoding"]["x"]["scale"]["base"] == 2
    shown = [rows for rows in spec["datasets"].values() if "pattern" in rows[0]]
    rings = {(row["strategy"], row["pattern"], row["examples"]) for rows in shown for row in rows if "strategy" in row}
    assert {("best", "first minimum", 1024), ("best", "peak", 4096), ("best", "second descent", 32768)} <= rings
    assert "longest" not in {strategy for strategy, _, _ in rings}
    assert ["crossing"] in [[row["pattern"] for row in rows] for rows in shown]
    nothing = table.filter(pl.col("verdict") != "found")
    bare = scan_figures.size_scan(evaluations, points, nothing, ["random"], "held_out").to_dict()
    assert not any("pattern" in rows[0] for rows in bare["datasets"].values())


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000))
def test_every_outcome_has_words(seed):
    draw = np.random.default_rng(seed)
    rows = size_scan._rises(curve(draw.normal(size=5), sd=0.3, draws=50, seed=seed))
    pair = (curve(draw.normal(size=5), sd=0.3, draws=50, seed=seed) for _ in range(2))
    common = {"strategy": "best", "random": "random", "noise": "items and runs", "pool": "p"}
    table = size_scan._judged([common | found for found in [*rows, size_scan._crossing(*pair)]])
    assert all(words.startswith("best: ") and words.endswith(".") for words in table["words"])
