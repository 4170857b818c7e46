import polars as pl
import pytest
import vl_convert

import artifacts
from instructmining.quality_rules import regression
from instructmining.report.charts import base as figures
from instructmining.report.charts import heatmaps
from instructmining.report.charts import indicators as indicator_figures
from instructmining.report.pages import indicators, search


def losses_frame(sizes=("200", "400"), strategies=("best", "random")) -> pl.DataFrame:
    rows = []
    for size in sizes:
        for strategy in strategies:
            for seed in ("0", "1", "2") if strategy == "random" else (None,):
                value = 1.7 + 0.01 * int(seed or 0)
                rows.append(
                    {
                        "strategy": strategy,
                        "seed": seed,
                        "size": size,
                        "examples": int(size),
                        "unit": "nats",
                        "value": value,
                    }
                )
    rows.append({"strategy": "full", "seed": None, "size": "all", "examples": 900, "unit": "nats", "value": 1.65})
    return pl.DataFrame(rows, schema_overrides={"seed": pl.String}, infer_schema_length=None)


def observations() -> pl.DataFrame:
    table = artifacts.observations()
    rule = regression.fit(table, ["reward"], bootstrap=0, seed=0)
    return regression.with_predictions(rule, table)


TRIALS = search.trace({"trials": [{"trial": t, "size": 10 + t, "value": 2.0 - 0.1 * t} for t in range(4)]})
VALUES = pl.DataFrame(
    {"dataset": ["a"] * 200 + ["b"] * 100, "x": [float(i) for i in range(299)] + [1e9], "none": [None] * 300},
    schema_overrides={"none": pl.Float64},
)
ROWS = pl.DataFrame({"dataset": ["a", "a"], "fate": ["kept", "duplicate"], "rows": [9, 1]})

OVERLAPS = pl.DataFrame(
    {"strategy": ["b", "b", "a", "a"], "other": ["b", "a", "b", "a"], "overlap": [1.0, 0.25, 0.25, 1.0]}
)

CHARTS = {
    "losses": lambda: figures.against_size(losses_frame(), ["random"], "held_out"),
    "losses, one size": lambda: figures.against_size(losses_frame(sizes=("200",)), ["random"], "held_out"),
    "losses, no random": lambda: figures.against_size(losses_frame(strategies=("best",)), ["random"], "held_out"),
    "search sizes": lambda: figures.search_sizes(TRIALS, 3),
    "search order": lambda: figures.search_order(TRIALS, 3),
    "predicted and observed": lambda: figures.predicted_observed(observations()),
    "residuals": lambda: figures.residuals(observations()),
    "distribution": lambda: indicator_figures.distribution(VALUES, "x", {"a": "#000", "b": "#fff"}, "words"),
    "distribution of nothing": lambda: indicator_figures.distribution(
        VALUES, "none", {"a": "#000", "b": "#fff"}, "words"
    ),
    "indicator check": lambda: indicator_figures.indicator_check(indicators.check_frame(artifacts.check())),
    "overlaps": lambda: heatmaps.overlaps(OVERLAPS, "p, 100"),
    "rows": lambda: figures.kept_and_rejected(ROWS),
}


def data(chart) -> list[list[dict]]:
    return list(chart.to_dict()["datasets"].values())


@pytest.mark.parametrize("name", CHARTS)
def test_chart_compiles_is_responsive_and_deterministic(name):
    spec = CHARTS[name]().to_dict()
    assert spec["width"] == "container"
    assert spec == CHARTS[name]().to_dict()
    vl_convert.vegalite_to_vega(spec)
    points = [layer for layer in spec.get("layer", [spec]) if layer["mark"]["type"] == "point"]
    assert all(layer["encoding"]["tooltip"] for layer in points)


def test_losses_shows_mean_and_spread_of_random_and_full_as_a_rule():
    spec = CHARTS["losses"]().to_dict()
    spread = next(rows for rows in spec["datasets"].values() if rows and "sd" in rows[0])
    assert {row["size"] for row in spread} == {"200", "400"}
    assert spread[0]["mean"] == pytest.approx(1.71) and spread[0]["sd"] == pytest.approx(0.01)
    dashed = [layer for layer in spec["layer"] if layer["mark"].get("strokeDash")]
    assert [row["strategy"] for row in spec["datasets"][dashed[0]["data"]["name"]]] == ["full"]


def test_a_strategy_with_seeds_has_a_band_of_its_own_and_is_not_grey():
    frame = losses_frame(strategies=("best", "random"))
    strict = frame.filter(strategy="random").with_columns(strategy=pl.lit("strict"))
    spec = figures.against_size(pl.concat([frame, strict]), ["random"], "t").to_dict()
    spread = next(rows for rows in spec["datasets"].values() if rows and "sd" in rows[0])
    assert {row["strategy"] for row in spread} == {"random", "strict"}
    colour = spec["layer"][0]["encoding"]["color"]["scale"]
    grey = [name for name, shade in zip(colour["domain"], colour["range"], strict=True) if shade == figures.RANDOM]
    assert grey == ["random"]


def test_overlaps_are_in_the_order_given_on_both_axes():
    spec = CHARTS["overlaps"]().to_dict()
    for layer in spec["layer"]:
        assert layer["encoding"]["x"]["sort"] == layer["encoding"]["y"]["sort"] == ["b", "a"]


def test_best_so_far_never_rises():
    trials = search.trace({"trials": [{"trial": t, "size": 9, "value": v} for t, v in enumerate([2.0, 3.0, 1.0, 2.0])]})
    best = [row["best_so_far"] for row in data(figures.search_order(trials, 2))[0]]
    assert best == [2.0, 2.0, 1.0, 1.0]


def test_distribution_gathers_outliers_and_keeps_shares_whole():
    rows = data(CHARTS["distribution"]())[0]
    for dataset in ("a", "b"):
        assert sum(row["share"] for row in rows if row["dataset"] == dataset) == pytest.approx(1, abs=1e-3)
    assert max(row["value"] for row in rows) < 1000


def test_indicator_check_is_in_order_of_auc():
    spec = CHARTS["indicator check"]().to_dict()
    order = next(layer["encoding"]["y"]["sort"] for layer in spec["layer"] if "y" in layer["encoding"])
    assert order == ["reward", "perplexity", "output_length"]


def test_equal_values_have_an_axis_around_them():
    frame = losses_frame(sizes=("200",), strategies=("best",)).filter(size="200").with_columns(value=pl.lit(0.5))
    spec = figures.against_size(frame, [], "t").to_dict()
    low, high = spec["layer"][-1]["encoding"]["y"]["scale"]["domain"]
    assert low < 0.5 < high


def test_every_size_tried_has_a_tick():
    spec = CHARTS["search sizes"]().to_dict()
    assert spec["layer"][0]["encoding"]["x"]["axis"]["values"] == [10, 11, 12, 13]


@pytest.mark.parametrize(("width", "columns"), [(300, 1), (700, 3)])
def test_a_legend_has_as_many_columns_as_fit(width, columns):
    expression = figures.legend(["a" * 20, "b"], ["a dataset"]).columns.to_dict()["expr"]
    inner = expression.removeprefix("max(1, floor(").removesuffix("))").replace("containerSize()[0]", str(width))
    assert max(1, int(eval(inner))) == columns


def test_a_long_tail_has_a_log_axis_and_its_own_unit():
    tail = pl.DataFrame({"dataset": ["a"] * 200, "x": [1.0 + i / 100 for i in range(190)] + [500.0] * 10})
    spec = indicator_figures.distribution(tail, "x", {"a": "#000"}, "nats").to_dict()["layer"][0]["encoding"]["x"]
    assert spec["scale"]["type"] == "log" and spec["title"] == "nats, log axis"
    spec = CHARTS["distribution"]().to_dict()["layer"][0]["encoding"]["x"]
    assert "type" not in spec["scale"] or spec["scale"]["type"] == "linear"
    assert spec["title"] == "words"


def test_more_datasets_than_colours_are_told_apart_by_dashes():
    spec = indicator_figures.distribution(VALUES, "x", {"a": "#000", "b": "#000"}, "words", {"b"}).to_dict()
    assert spec["layer"][1]["encoding"]["strokeDash"]["scale"] == {"domain": ["a", "b"], "range": [[1, 0], [4, 3]]}


def test_rows_keep_the_order_of_the_config():
    assert CHARTS["rows"]().to_dict()["encoding"]["y"]["sort"] is None
