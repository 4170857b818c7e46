"""The paper's published observations, given by path in a config that holds nothing else."""

import json
from pathlib import Path

import polars as pl
import pytest

from workflow.small import snakemake, write_config

pytestmark = pytest.mark.workflow
TABLE = Path(__file__).parents[2] / "../shared/data/instructmining_observations.csv"


@pytest.mark.skipif(not TABLE.exists(), reason="the published observations are not here")
def test_the_published_rule_is_refitted(tmp_path):
    four = ["reward", "understandability", "naturalness", "coherence"]
    write_config(tmp_path, {"quality_rules": {"published": {"observations": str(TABLE.resolve()), "indicators": four}}})
    done = snakemake(tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    rule = json.loads((tmp_path / "results/quality_rules/published.json").read_text())
    found = [rule["coefficients"][name] for name in ("intercept", *four)]
    assert found == pytest.approx([0.02456, -0.00779, 0.43793, -0.31482, -0.15028], abs=1e-5)
    assert rule["r_squared"] == pytest.approx(0.5018, abs=1e-4)
    assert rule["f"] == pytest.approx(29.96, abs=0.01)
    assert rule["log_likelihood"] == pytest.approx(415.04, abs=0.01)
    sets = pl.read_csv(tmp_path / "results/quality_rules/published/all_subsets.csv")
    assert sets.height == 511
    assert (tmp_path / "results/report.html").exists()
