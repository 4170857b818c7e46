"""What the targets of the Snakefile name."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from configs import SMALL, changed, check
from instructmining.dag import pages, targets

NONE = SimpleNamespace()


def test_everything_has_the_run_that_a_search_ends_with_and_models_that_are_kept() -> None:
    found = targets.everything(check(SMALL))
    run = "results/runs/small/instructmining/unseen/best-main"
    assert {f"{run}/{file}" for file in ("model", "README.md", "subset.parquet", "subset.jsonl")} <= set(found)
    weights = "results/runs/small/random-1/unseen/16/model"
    assert weights in found
    assert weights not in targets.everything(check(changed("comparisons.first.keep_models", False)))


def test_a_part_that_the_config_lacks_has_no_page() -> None:
    config = check(SMALL)
    kinds = ["agreement", "benchmarks", "comparisons", "contamination", "costs", "data", "examples", "indicators"]
    assert pages.kinds_of_pages(config, NONE) == [*kinds, "overlaps", "quality_rules", "searches", "summary"]
    raw = changed("comparisons", {})
    raw["searches"] = {}
    found = pages.kinds_of_pages(check(raw), NONE)
    assert found == ["data", "quality_rules", "summary"]


def test_subsets_of_known_sizes_come_before_those_that_a_search_finds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = check(SMALL)
    known, found = targets.subsets(config, NONE), targets.searches(config, NONE)
    assert known[0] == "results/subsets/mixtures/base-000.parquet"
    assert known[-1] == "results/subsets/full/unseen/all.parquet"
    assert found[0] == "results/searches/main.json" and len(found) == 4
    assert all("best-main" in path for path in found[1:]) and not any("best-" in path for path in known)
    assert targets.chosen(config, NONE) == []
    trial = Path("results/subsets/searches/main/003.parquet")
    trial.parent.mkdir(parents=True)
    trial.touch()
    assert targets.chosen(config, NONE) == [str(trial)]
