"""What `make demo` left in results/: looked at as its user would. Skipped where it has not been run."""

import base64
import json
import math
import re
import shutil
import subprocess
from pathlib import Path

import polars as pl
import pytest
import yaml

from instructmining.data.examples import folded_prompt

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "results"
FINAL = RESULTS / "runs/small/instructmining/unseen/best-main"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-logging=stderr",
]

pytestmark = pytest.mark.skipif(not (RESULTS / "report.html").exists(), reason="make demo has not been run here")


def read(path):
    return json.loads(path.read_text())


def prompts(dataset):
    examples = pl.read_parquet(RESULTS / f"datasets/{dataset}/examples.parquet")
    return {folded_prompt(*row) for row in examples.select("instruction", "input").iter_rows()}


def test_parts_are_disjoint_by_prompt():
    """Held-out sets, head pairs, check pairs, candidates and pool share no prompt; the sides of a pair share theirs."""
    parts = {
        "fit": ["fit_set"],
        "search": ["search_set"],
        "test": ["test_set"],
        "head": ["head_chosen", "head_rejected"],
        "check": ["check_chosen", "check_rejected"],
        "candidates": ["alpaca", "conversations", "chosen", "rejected"],
        "pool": ["pool_alpaca", "pool_conversations", "pool_chosen", "pool_rejected"],
    }
    named = {dataset for datasets in parts.values() for dataset in datasets}
    assert named == set(yaml.safe_load((ROOT / "config/config.yaml").read_text())["datasets"])
    sets = {part: set().union(*map(prompts, datasets)) for part, datasets in parts.items()}
    for one in sets:
        for other in sets:
            assert one == other or not sets[one] & sets[other], (one, other)


def test_the_rule_has_its_diagnostics():
    rule = read(RESULTS / "quality_rules/fitted.json")
    assert rule["n"] >= 12
    assert rule["target"] == "log_loss" and rule["direction"] == "lower_is_better"
    names = set(rule["coefficients"])
    for key in ("standard_errors", "p_values"):
        assert set(rule[key]) == names
    for key in ("r_squared", "adjusted_r_squared", "aic", "bic", "loo_r_squared"):
        assert math.isfinite(rule[key])
    sets = pl.read_csv(RESULTS / "quality_rules/fitted/all_subsets.csv")
    assert sets.height == 511


def test_nine_indicators_were_scored_and_checked():
    check = read(RESULTS / "indicator_check.json")["indicators"]
    assert len(check) == 9
    assert {found["verdict"] for found in check.values()} <= {"separates", "does not separate"}


def test_the_search_and_the_comparison_have_what_they_promise():
    assert len(read(RESULTS / "searches/main.json")["trials"]) >= 6
    table = pl.read_csv(RESULTS / "tables/main.csv")
    assert {"instructmining", "cherry", "longest", "full"} <= set(table["strategy"])
    assert set(table.filter(pl.col("strategy") == "instructmining")["random_seeds"]) == {3}
    losses = [read(path)["value"] for path in (RESULTS / "evaluations").rglob("*_loss.json")]
    assert len(losses) >= 29 and all(0.5 < loss < 4 for loss in losses)


def test_training_on_everything_lowers_the_training_loss():
    [full] = [read(path)["loss_curve"] for path in (RESULTS / "runs/small/full").rglob("train.json")]
    third = len(full) // 3
    first, last = ([point["loss"] for point in part] for part in (full[:third], full[-third:]))
    assert sum(last) / third < sum(first) / third
    assert len(list((RESULTS / "runs/small/mixtures").rglob("train.json"))) >= 12


def test_the_final_model_generates_text():
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model, tokenizer = (auto.from_pretrained(FINAL / "model") for auto in (AutoModelForCausalLM, AutoTokenizer))
    prompt = tokenizer("### Instruction:\nName three colours.\n\n### Response:\n", return_tensors="pt")
    ids = model.generate(**prompt, max_new_tokens=20, do_sample=False)
    text = tokenizer.decode(ids[0, prompt["input_ids"].shape[1] :], skip_special_tokens=True)
    assert re.search(r"\b(red|blue|green|yellow|orange|purple|black|white)\b", text, re.IGNORECASE), text


def test_the_walk_back_from_the_report_s_best_example():
    best = pl.read_csv(RESULTS / "tables/examples/instructmining/unseen.csv").row(0, named=True)
    ranking = pl.read_parquet(RESULTS / "rankings/instructmining/unseen.parquet").row(0, named=True)
    examples = pl.read_parquet(RESULTS / f"datasets/{ranking['dataset']}/examples.parquet")
    example = examples.row(by_predicate=pl.col("id") == ranking["id"], named=True)
    assert best["id"] == ranking["id"]
    assert best["row"] == example["row"]


def browsed(page, tmp_path, *flags):
    """What Chromium says of a page on the disk."""
    profile = f"--user-data-dir={tmp_path / 'profile'}"
    return subprocess.run(
        [CHROMIUM, *FLAGS, profile, "--virtual-time-budget=20000", *flags, f"file://{page}"],
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")
def test_the_report_opens_in_a_browser_without_an_error_or_a_request(tmp_path):
    shot = tmp_path / "report.png"
    done = browsed(RESULTS / "report.html", tmp_path, "--window-size=1400,1000", f"--screenshot={shot}")
    assert shot.stat().st_size > 20_000
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    # Snakemake's own shell warns of the stylesheet compiler that it carries inside
    ours = [line for line in console if "cdn.tailwindcss.com should not be used" not in line]
    assert ours == []


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")
@pytest.mark.parametrize(("width", "menu"), [(1400, True), (390, False)])
def test_the_report_opens_on_its_summary(tmp_path, width, menu):
    done = browsed(RESULTS / "report.html", tmp_path, f"--window-size={width},900", "--dump-dom")
    (shown,) = re.findall(r'<iframe src="data:text/html[^,]*;base64,([^"]+)"', done.stdout)
    assert base64.b64decode(shown) == (RESULTS / "figures/summary.html").read_bytes()
    (width_of_menu,) = re.findall(r'<nav class="transition-all ([\w/-]+)', done.stdout)
    assert (width_of_menu != "w-0") == menu


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")
@pytest.mark.parametrize("page", sorted(RESULTS.glob("figures/**/*.html")) or [None], ids=str)
def test_every_page_draws_its_charts_and_tables(tmp_path, page):
    done = browsed(page, tmp_path, "--dump-dom")
    assert [line for line in done.stderr.splitlines() if "CONSOLE" in line] == []
    source = page.read_text()
    assert not re.search(r"""(?:src|href)=["']?https?://""", source)
    if 'class="chart' in source:
        assert "<svg" in done.stdout or "<canvas" in done.stdout
