"""config/published.yaml: the paper's own observations fitted anew, from a table that the user brings."""

import json
import shutil

import polars as pl
import pytest

from observed import PUBLISHED
from small import ROOT, snakemake

pytestmark = pytest.mark.workflow
CONFIG = str(ROOT / "config/published.yaml")


def test_without_the_table_one_line_says_where_to_get_it(tmp_path):
    for target in ("subsets", "chosen", "searches", "all"):  # `make run` asks for all of them; here is but a rule
        assert snakemake(tmp_path, "--dry-run", "--", target, config=CONFIG).returncode == 0
    done = snakemake(tmp_path, config=CONFIG)
    assert done.returncode != 0
    said = (
        "error: data/instructmining_observations.csv: no such file; where to get it: arXiv 2307.06290, Tables 20 and 21"
    )
    assert said in done.stdout + done.stderr


@pytest.mark.skipif(not PUBLISHED.exists(), reason="the published observations are not here")
def test_the_published_rule_is_refitted(tmp_path):
    (tmp_path / "data").mkdir()
    shutil.copy(PUBLISHED, tmp_path / "data")
    done = snakemake(tmp_path, config=CONFIG)
    assert done.returncode == 0, done.stderr[-3000:]
    rule = json.loads((tmp_path / "results/quality_rules/published.json").read_text())
    terms = ("intercept", "reward", "understandability", "naturalness", "coherence")
    found = [rule["coefficients"][name] for name in terms]
    assert found == pytest.approx([0.02456, -0.00779, 0.43793, -0.31482, -0.15028], abs=1e-5)
    assert rule["r_squared"] == pytest.approx(0.5018, abs=1e-4)
    assert rule["f"] == pytest.approx(29.96, abs=0.01)
    assert rule["log_likelihood"] == pytest.approx(415.04, abs=0.01)
    assert pl.read_csv(tmp_path / "results/quality_rules/published/all_subsets.csv").height == 511
    tables = tmp_path / "results/tables/quality_rules/published"
    assert pl.read_csv(tables / "published.csv")["in_standard_errors"].abs().max() < 0.07
    assert "& $415.04$ \\\\" in (tables / "ols.tex").read_text()
    assert (tmp_path / "results/report.html").exists()
