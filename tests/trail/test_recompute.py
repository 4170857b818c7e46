"""Every output of every rule is computed again by ``make verify``, or has a reason why not."""

import pytest

from instructmining.trail.recompute import BY_CHECKSUM, COMPUTED, UNKNOWN, pattern_of, why_by_checksum
from workflow_rules import workflow_rules

PATTERNS = {pattern for patterns in COMPUTED for pattern in patterns}


def all_outputs() -> set[str]:
    return {name for rule in workflow_rules().values() for name in rule.outputs}


def unknown(made: set[str]) -> set[str]:
    return {name for name in made - PATTERNS if why_by_checksum(name) == UNKNOWN}


def test_every_output_is_known():
    found = all_outputs()
    # a reader of rules that finds nothing would find nothing wrong
    assert {"results/tables/{comparison}.csv", "results/indicator_check.json", "results/figures/data.html"} <= found
    assert unknown(found) == set()


def test_a_table_that_a_rule_gains_is_missed():
    gained = {"results/figures/more.html", "results/tables/more/{comparison}.csv"}
    assert unknown(gained) == {"results/tables/more/{comparison}.csv"}


def test_no_pattern_and_no_reason_is_left_of_a_rule_that_is_gone():
    made = all_outputs()
    assert made >= PATTERNS
    # beside outputs: what a judge answered, what jobs say of themselves, the report, and what the archive itself adds
    beside = {f"results/{name}" for name in ("answers", "jobs", "report.html", "surroundings")}
    beside |= {"README.md", "CITATION.cff", "config.json", "requirements.lock"}
    reasons = {
        next(key for key in BY_CHECKSUM if why_by_checksum(name) == BY_CHECKSUM[key]) for name in made - PATTERNS
    }
    told = {BY_CHECKSUM[key] for key in reasons | beside}
    assert told == set(BY_CHECKSUM.values())


@pytest.mark.parametrize(
    ("file", "pattern"),
    [
        ("results/tables/contamination/main.csv", "results/tables/contamination/{comparison}.csv"),
        ("results/tables/contamination/main-pairs.csv", "results/tables/contamination/{comparison}-pairs.csv"),
        ("results/tables/main.csv", "results/tables/{comparison}.csv"),
        ("results/subsets/mixtures/base-000.parquet", "results/subsets/mixtures/{block}-{i}.parquet"),
        ("results/subsets/searches/main/000.parquet", "results/subsets/searches/{search}/{t}.parquet"),
        ("results/subsets/random-0/unseen/12.parquet", "results/subsets/{ranking}/{pool}/{size}.parquet"),
        ("results/indicators/alpaca/mtld/000-of-001.parquet", None),
    ],
)
def test_a_name_is_of_one_pattern(file: str, pattern: str | None):
    assert pattern_of(file) == pattern
