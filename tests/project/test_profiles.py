"""The profiles name rules that are there, and leave none of the work out."""

from pathlib import Path

import pytest
import yaml
from snakemake_executor_plugin_slurm.partitions import read_partition_file

from workflow_rules import workflow_rules

ROOT = Path(__file__).parents[2]
SLURM = yaml.safe_load((ROOT / "profiles/slurm/config.yaml").read_text())


def test_every_rule_is_local_or_has_memory_and_time_that_grow():
    assert set(SLURM["set-resources"]) == {name for name, rule in workflow_rules().items() if not rule.is_local}
    for rule, resources in [*SLURM["set-resources"].items(), ("default", SLURM["default-resources"])]:
        assert "attempt" in resources["mem_mb"] and "attempt" in resources["runtime"], rule
    assert SLURM["retries"] == 2


def test_no_rule_has_retries_of_its_own():
    """The executor runs Snakemake inside the job: a rule's own retries would run there too, with the old allocation."""
    for path in (ROOT / "rules").glob("*.smk"):
        assert "retries:" not in path.read_text(), path


def test_the_name_slurm_is_the_profile_from_a_clone():
    assert (ROOT / "slurm").resolve() == ROOT / "profiles/slurm"


def test_the_partitions_are_read_and_only_one_has_gpus():
    found = {p.name: p.limits.max_gpu for p in read_partition_file(ROOT / "profiles/slurm/partitions.yaml")}
    assert found["cpu"] == 0 and found["gpu"] > 0


@pytest.mark.parametrize("key", ["cores", "default-resources"])
def test_what_the_default_profile_must_leave_open(key):
    """It is read beside --profile slurm and wins: cores would cap the threads of a job at those of the login node."""
    assert key not in yaml.safe_load((ROOT / "profiles/default/config.yaml").read_text())
