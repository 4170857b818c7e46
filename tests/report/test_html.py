"""Pages as a browser would read them, from a small results tree."""

import json
import math
import shutil
import subprocess
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

import artifacts
from instructmining.jobs.errors import InputError
from instructmining.jobs.files import write_parquet
from instructmining.quality_rules import checks as rule_checks
from instructmining.report import html as pages
from instructmining.report.charts import base as figures
from instructmining.report.pages import agreement as agreement_page
from instructmining.report.pages import examples, indicators, overlaps, quality_rule
from instructmining.report.words import quality_rule as rule_words
from instructmining.tables import agreement
from page_reader import SCRIPTS, read, specs
from report_pages import MISSED, RULE_SETTINGS, all_pages, extremes, indicators_page, judged, judged_page, rule, sets


def test_items_that_no_run_tells_apart_are_neither_worst_nor_best(tmp_path):
    evaluations, random = judged(tmp_path)
    text = read(judged_page(evaluations, random)).text
    assert "Worst items" in text and "none is worst" not in text
    for path in evaluations["path"]:
        items = Path(path).with_suffix(".items.parquet")
        write_parquet(pl.read_parquet(items).with_columns(value=pl.lit(0.5)), items, {})
    text = read(judged_page(evaluations, random)).text
    assert "Worst items" not in text and "none is worst" in text


def test_pages_run_only_their_own_script_fetch_nothing_and_stay_small(made):
    for name, page in made.items():
        reader = read(page)
        assert reader.scripts <= SCRIPTS, name
        assert not reader.addresses and not reader.handlers, name
        assert "http://" not in page and "https://" not in page, name
        assert len(page) < 1_500_000, name


def test_same_artifacts_give_the_same_bytes(made, results):
    assert all_pages(results) == made


def test_example_texts_are_shown_as_they_are(made):
    reader = read(made["examples"])
    assert artifacts.SCRIPT in reader.text
    assert "数を数えて 🙂" in reader.text


@given(st.text(st.characters(exclude_characters="\r\0", exclude_categories=["Cs"]), min_size=1))
def test_any_text_survives_as_text(text):
    page = pages.page(text, [pages.words(text), pages.heading(text), pages.bullets([text]), pages.facts({text: text})])
    reader = read(page)
    assert reader.scripts == 2 and not reader.handlers
    assert reader.text.count(text) >= 6


def test_markup_is_kept_and_the_rest_of_a_paragraph_escaped():
    line = Markup("{}: <strong>{}</strong>").format("<b>", "better")
    assert "&lt;b&gt;: <strong>better</strong>" in pages.page("t", [pages.bullets([line])])


def test_bundles_come_once_and_only_where_needed():
    frame = pl.DataFrame({"trial": [0, 1], "size": [10, 20], "value": [1.0, 2.0]})
    chart, table = pages.charts(figures.search_sizes(frame, 0)), pages.table(frame)
    for parts, vega, tables in (
        ([pages.words("a")], 0, 0),
        ([chart, chart], 1, 0),
        ([table, table], 0, 1),
        ([chart, table], 1, 1),
    ):
        page = pages.page("t", parts)
        assert page.count('id="vega"') == vega and page.count('id="tables"') == tables
        assert len(specs(page)) == page.count('<div class="chart">') + page.count("<table></table>")


def test_tables_hold_every_row_in_full_precision_and_escape_cells():
    frame = pl.DataFrame({"<i>name": ["</script>", None], "x": [0.123456789, None]})
    (spec,) = specs(pages.page("t", [pages.table(frame)]))
    assert json.loads(spec["data_json"]) == [["&lt;/script&gt;", 0.123456789], [None, None]]
    assert "&lt;i&gt;name" in spec["table_html"]


@pytest.mark.skipif(not shutil.which("node"), reason="no JavaScript here")
@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([2.32, 2.3311, 0.05], ["2.320", "2.331", "0.0500"]),
        ([0.1817, 0.0051, 0.0], ["0.1817", "0.00510", "0"]),
        ([-98.36, 1000.4, 3.14159], ["-98.4", "1000", "3.14"]),
        ([3.3e-11, 0.5], ["3.30e-11", "0.5000"]),
        ([12.0, 3.0], ["12", "3"]),
        ([2e-8, 3e-9], ["2.00e-8", "3.00e-9"]),
    ],
)
def test_decimals_of_a_column_are_aligned_and_small_values_keep_their_digits(values, shown):
    (spec,) = specs(pages.page("t", [pages.table(pl.DataFrame({"x": values}))]))
    render = spec["columnDefs"][0]["render"]
    script = f"console.log(JSON.stringify({json.dumps(values)}.map((value) => ({render})(value, 'display'))))"
    run = subprocess.run(["node", "-e", script], capture_output=True, text=True, check=True, timeout=60)
    assert json.loads(run.stdout) == shown


def test_a_short_table_has_no_search_and_a_long_text_says_how_to_read_it():
    short, long = pl.DataFrame({"x": ["a"] * 10}), pl.DataFrame({"x": ["a" * 61] * 11})
    plain, searched = (specs(pages.page("t", [pages.table(frame)]))[0]["layout"] for frame in (short, long))
    assert (plain["topEnd"], plain["bottomStart"]) == (None, None)
    assert (searched["topEnd"], searched["bottomStart"]) == ("search", "info")
    assert "cut off" not in pages.page("t", [pages.table(short)])
    assert "Click a text that is cut off" in pages.page("t", [pages.table(long, note="n")])


def test_what_is_looked_for_comes_first_and_what_is_always_the_same_goes():
    frame = pl.DataFrame({"pool": ["p", None], "recipe": ["a", "b"], "seed": [0, 0], "value": [1.0, 2.0]})
    assert pages.arranged(frame, ["value"], ["pool", "recipe", "absent"]).columns == ["value", "recipe", "seed"]


def test_a_legend_names_every_colour_and_escapes_names():
    page = pages.page("t", [pages.legend({"<b>": "#fff", "c": "#fff"}, {"c"})])
    assert '<span style="border-color:#fff;background:#fff"></span>&lt;b&gt;' in page
    assert '<span style="border-color:#fff;"></span>c' in page


def test_a_dataset_has_one_colour_on_every_curve_and_in_every_pool(made):
    layers = [spec["layer"][0] for spec in specs(made["indicators"]) if "layer" in spec]
    curves = [layer for layer in layers if layer["mark"]["type"] == "area"]
    colours = [spec["encoding"]["color"]["scale"] for spec in curves]
    known = {}
    for scale in colours:
        for name, colour in zip(scale["domain"], scale["range"], strict=True):
            assert known.setdefault(name, colour) == colour
    assert len(set(known.values())) == len(known) and all(spec["encoding"]["x"]["title"] for spec in curves)
    colours, dashed = indicators.colours_of([*(str(i) for i in range(9)), "8 (unseen)", "1 (unseen)"])
    assert colours["8 (unseen)"] == colours["0"] == figures.PALETTE[0] and dashed == {"8", "8 (unseen)"}


def test_every_picture_of_the_summary_says_how_to_read_it(made):
    sections = made["summary"].split('<section class="beside">')[1:]
    assert sections and all('<p class="note">' in part.partition('class="chart"')[2] for part in sections)


def test_comparison_says_the_verdict_and_warns_of_sets_used_for_selection(made):
    text = " ".join(read(made["comparison"]).text.split())
    assert "over 3 seeds: better" in text and "over 3 seeds: not distinguishable" in text
    assert "other: used to fit a quality rule or to drive a search" in text


def test_comparison_states_its_family_its_reach_and_its_baselines(made):
    text = " ".join(read(made["comparison"]).text.split())
    assert "A family is every strategy against random in this comparison: 6 comparisons." in text
    assert "With 3 random seeds and 6 comparisons, the clearest difference must exceed 12.6 standard" in text
    assert "everything 1.7429: baseline" in text
    assert "; p 0.0" in text and "Holm 0.0" in text


def test_overlaps_say_which_random_order_missed_its_limit(made):
    text = " ".join(read(made["overlaps"]).text.split())
    assert "random-1 on pool unseen: no draw kept to an overlap of 30%. The least found is used: 75.0%" in text
    assert len([spec for spec in specs(made["overlaps"]) if "layer" in spec]) == len(artifacts.SIZES)
    assert overlaps.limit("random-1", "unseen", {**MISSED, "overlap_limit_met": True}) == []
    assert overlaps.limit("best", "unseen", {}) == []


def test_agreement_shows_what_it_has_and_counts_what_it_has_not(made):
    text = " ".join(read(made["agreement"]).text.split())
    assert "This study has one recipe: there is nothing to hold it against." in text
    assert "Agreeing: 1 of 1; disagreeing: 0; cannot be told" in text
    (benchmarks, sizes) = specs(made["agreement"])
    assert len(json.loads(benchmarks["data_json"])) == 1 and len(json.loads(sizes["data_json"])) == 2
    few = agreement.agreement(pl.DataFrame(FEW))
    assert "Left out: 1 pair of benchmarks with at most 2 runs in common" in read(agreement_page.page(few)).text


FEW = [
    {"recipe": "r", "strategy": s, "seed": None, "pool": "p", "size": "9", "benchmark": b, "value": v, "direction": "x"}
    for b in ("one", "other")
    for s, v in (("a", 1.0), ("b", 2.0))
]


def test_a_rule_that_does_not_hold_is_called_so(results):
    found, _ = rule(results, "fitted")
    bad = {
        **found,
        "loo_r_squared_with_selection": -0.2,
        "selection_p_value": 0.4,
        "n": 12,
        "vif": dict.fromkeys(found["indicators"], 40.0),
    }
    bad["p_values"] = dict.fromkeys(found["coefficients"], 0.4)
    bad["bootstrap_intervals"] = {name: [-1.0, 1.0] for name in found["coefficients"]}
    text = " ".join(quality_rule.trust(bad))
    for weakness in (
        "is not above zero",
        "may be there by chance",
        "12 mixtures are few",
        "p > 0.05",
        "sign changes",
        "VIF above 10",
    ):
        assert weakness in text
        assert weakness not in " ".join(quality_rule.trust({**found, "n": 200} | good(found)))
    assert quality_rule.trust({**found, "n": 200} | good(found))[-1].startswith("No warning")


def test_what_the_choice_of_indicators_costs_is_said(results, made):
    found, _ = rule(results, "fitted")
    honest = rule_words.number(found["loo_r_squared_with_selection"])
    for name in ("fitted", "summary"):
        text = " ".join(read(made[name]).text.split())
        assert f"chose these indicators among {found['sets_compared']} sets" in text
        assert f"the leave-one-out R² is {honest}; shuffled losses reach the R² with p 0.005" in text
    assert quality_rule.honest_loo({**found, "loo_r_squared_with_selection": 0.1}) == 0.1
    listed = found | dict.fromkeys(("loo_r_squared_with_selection", "selection_p_value", "sets_compared"))
    assert "hold for a list of indicators given beforehand" in " ".join(quality_rule.trust(listed))
    assert quality_rule.honest_loo(listed) == found["loo_r_squared"]
    empty = (rule(results, "published")[1], sets(results, "published"))
    checks = rule_checks.check(listed, *empty, RULE_SETTINGS, None)
    assert "sets compared" not in read(quality_rule.page("l", listed, *empty, checks)).text


def good(found: dict) -> dict:
    narrow = {name: [value * 0.9, value * 1.1] for name, value in found["coefficients"].items()}
    return {"bootstrap_intervals": narrow, "p_values": dict.fromkeys(found["coefficients"], 0.001)}


def test_published_rules_claim_no_fit(results):
    found, _ = rule(results, "published")
    assert "not fitted here" in quality_rule.trust(found)[0]


def test_extremes_are_the_ends_and_the_middle_and_lead_back_to_the_source(results):
    frame = extremes(results, 10)
    scored = pl.read_parquet(results / "rankings/best/unseen.parquet").filter(pl.col("score").is_not_null())
    assert frame["group"].to_list() == ["best"] * 10 + ["middle"] * 10 + ["worst"] * 10
    assert frame["rank"][:10].to_list() == list(range(10))
    assert frame["rank"][-1] == scored["rank"].max() and frame["score"].null_count() == 0
    row = frame.row(0, named=True)
    source = pl.read_parquet(results / f"datasets/{row['dataset']}/examples.parquet").row(
        by_predicate=pl.col("id") == row["id"], named=True
    )
    assert (row["output"], row["row"]) == (source["output"], source["row"])
    assert row["reward"] is not None and row["source"] == f"data/{row['dataset']}.json"


def test_an_example_has_the_raw_rule_and_its_exponential(results, made):
    row = extremes(results, 10).row(0, named=True)
    assert row["predicted_loss"] == pytest.approx(math.exp(row["score"]))
    assert f"{row['score']:.4g} · predicted loss {row['predicted_loss']:.4g}" in read(made["examples"]).text


def test_a_small_pool_shows_no_example_twice(results):
    frame = extremes(results, 1000)
    assert frame["id"].n_unique() == frame.height == 588


def test_an_example_without_text_is_an_error(results):
    ranking = pl.DataFrame({"id": ["gone"] * 3, "dataset": ["alpaca"] * 3, "score": [1.0] * 3, "rank": [0, 1, 2]})
    paths = [str(results / "datasets/alpaca/examples.parquet")]
    with pytest.raises(InputError, match="example gone is not in dataset alpaca"):
        examples.extremes(ranking, paths, [str(results / "indicators/alpaca.parquet")], {"alpaca": "x"}, 1)


def test_recall_of_approximate_neighbours_is_shown(results, made):
    frame = indicators.neighbours(artifacts.neighbour_files(results))
    columns = ["examples of", "reference", "null", "method", "distance recall", "neighbour recall", "sample"]
    assert frame.select(columns).rows() == [
        ("alpaca", "dataset", 2, "exact", None, None, None),
        ("pools/unseen", "pool", 2, "nn-descent", 0.996, 0.9987, 1000),
    ]
    exact_only = indicators.neighbours(artifacts.neighbour_files(results)[:1])
    assert exact_only.schema == frame.schema
    assert "recall@i" in made["indicators"]


def test_nulls_and_truncated_are_counted(results):
    counts = indicators.missing([str(results / "indicators/alpaca.parquet")])
    assert counts.filter(indicator="reward").row(0) == ("alpaca", "reward", 300, 6, 11)


def test_what_a_run_on_the_pool_scored_is_shown_beside_what_datasets_have(results, tmp_path):
    """Under the pool's name, the shards together."""
    paths = []
    for shard, values in (("000-of-002", [0.5, 0.7, None]), ("001-of-002", [0.6])):
        path = tmp_path / f"pools/unseen/ifd/dolly-{shard}.parquet"
        counts = {"rows": len(values), "truncated": 1, "null": {"ifd": values.count(None)}}
        origin = {
            **counts,
            "units": {"ifd": "ratio"},
            "directions": {"ifd": "higher"},
            "scorer": "causal",
            "model": "run",
        }
        frame = pl.DataFrame(
            {"id": [str(i) for i in range(len(values))], "ifd": values, "truncated": False, "reason": None}
        )
        write_parquet(frame, path, origin)
        paths.append(str(path))
    tables = [str(results / "indicators/alpaca.parquet")]
    assert indicators.missing(tables, paths).filter(indicator="ifd").rows() == [("dolly (unseen)", "ifd", 4, 1, 2)]
    assert indicators.meaning(tables, paths).filter(indicator="ifd")["model"].item() == "run"
    page = indicators_page(tables, [], None, paths)
    assert "dolly (unseen)" in page and "dolly (unseen)" not in indicators_page(tables, [], None)


@pytest.mark.skipif(not shutil.which("chromium"), reason="no browser here")
@pytest.mark.parametrize(
    "name", ["summary", "comparison", "fitted", "benchmark", "examples", "size_scan", "indicators"]
)
def test_browser_draws_everything_and_has_nothing_to_say(made, name, tmp_path):
    page = tmp_path / "page.html"
    page.write_text(made[name], encoding="utf-8")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
    flags += ["--disable-component-update", "--disable-sync", f"--user-data-dir={tmp_path / 'profile'}"]
    flags += ["--enable-logging=stderr", "--v=0", "--virtual-time-budget=20000", "--dump-dom"]
    run = subprocess.run(["chromium", *flags, page.as_uri()], capture_output=True, text=True, timeout=60, check=True)
    assert "CONSOLE" not in run.stderr
    assert f'data-drawn="{len(specs(made[name]))}"' in run.stdout
