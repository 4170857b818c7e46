"""Paths of the study: each is spelled once."""

from instructmining.jobs import paths

PATTERNS = {name: value for name, value in vars(paths).items() if name.isupper()}


def test_no_two_names_stand_for_one_path() -> None:
    assert len(set(PATTERNS.values())) == len(PATTERNS)


def test_every_file_lies_below_the_folders_that_the_study_may_write() -> None:
    assert {value.split("/")[0] for value in PATTERNS.values()} == {"results", "logs", ".snakemake"}


def test_a_pattern_is_filled_with_a_pattern_or_with_a_name() -> None:
    assert paths.log("rank_pool/{ranking}/{pool}") == "logs/rank_pool/{ranking}/{pool}.log"
    assert paths.cost("score/a/b/000-of-001") == "results/costs/score/a/b/000-of-001.tsv"
    assert paths.job_record("all") == "results/jobs/all.json"
    assert paths.RANKING.format(ranking="random-1", pool="{pool}") == "results/rankings/random-1/{pool}.parquet"
