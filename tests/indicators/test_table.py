"""Indicator files become columns of a table: by dataset, for a pool, for a block of mixtures, inside each mixture."""

import polars as pl
import pytest

from instructmining.indicators.table import attach, in_common, provenance
from instructmining.jobs.errors import InputError
from instructmining.jobs.files import write_parquet


def write(folder, files):
    paths = []
    for place, columns in files.items():
        path = folder / "indicators" / f"{place}.parquet"
        write_parquet(pl.DataFrame(columns), path, {"scorer": path.parent.name, "place": place})
        paths.append(path)
    return paths


@pytest.fixture
def shards(tmp_path):
    """Two datasets; entry `lengths` in two shards, entry `reward` in one, with ids in another order."""
    return write(
        tmp_path,
        {
            "a/lengths/000-of-002": {"id": ["1"], "output_length": [5.0], "unused": [0.0], "truncated": [False]},
            "a/lengths/001-of-002": {"id": ["2"], "output_length": [6.0], "unused": [0.0], "truncated": [True]},
            "a/reward/000-of-001": {"id": ["2", "1"], "reward": [None, 0.1], "truncated": [False, False]},
            "b/lengths/000-of-001": {"id": ["1"], "output_length": [7.0], "unused": [0.0], "truncated": [False]},
            "b/reward/000-of-001": {"id": ["1"], "reward": [0.3], "truncated": [False]},
        },
    )


def examples(*rows):
    return pl.DataFrame(rows, schema=["id", "dataset"], orient="row")


def test_indicator_files_become_columns(shards) -> None:
    table = attach(examples(("2", "a"), ("1", "b"), ("1", "a")), shards, ["reward", "output_length"])
    assert table.columns == ["id", "dataset", "reward", "output_length"]
    assert table.rows() == [("2", "a", None, 6.0), ("1", "b", 0.3, 7.0), ("1", "a", 0.1, 5.0)]
    assert attach(examples(("1", "b")), shards, ["reward"]).rows() == [("1", "b", 0.3)]
    assert attach(examples(("9", "b")), [], []).rows() == [("9", "b")]
    assert provenance(shards) == {"lengths": {"scorer": "lengths"}, "reward": {"scorer": "reward"}}
    assert in_common([{"a": None}, {"b": None}]) == {}


def test_indicator_files_that_do_not_fit_are_refused(shards, tmp_path) -> None:
    with pytest.raises(InputError, match=r"no indicator mtld in the files given"):
        attach(examples(("1", "a")), shards, ["reward", "mtld"])
    with pytest.raises(InputError, match=r"dataset a: 1 examples, 2 first, have no row .* entry lengths"):
        attach(examples(("1", "a"), ("2", "a")), [shards[0], shards[2]], ["reward", "output_length"])
    with pytest.raises(InputError, match=r"dataset b: 1 examples, 2 first, have no row .* entry reward"):
        attach(examples(("2", "b")), shards, ["reward"])
    [other] = write(tmp_path, {"b/lengths/000-of-001": {"id": ["1"], "truncated": [False]}})
    with pytest.raises(InputError, match=r"b/lengths/000-of-001.parquet: no indicator output_length, which others"):
        attach(examples(("1", "a")), [*shards[:2], other], ["output_length"])


def test_the_file_of_a_pool_names_the_dataset_of_each_example(shards, tmp_path) -> None:
    pool = {"id": ["2", "1"], "dataset": ["a", "b"], "knn": [0.2, 0.1], "truncated": [False, False]}
    paths = [*shards, *write(tmp_path, {"pools/unseen/knn/000-of-001": pool})]
    table = attach(examples(("1", "b"), ("2", "a")), paths, ["knn", "output_length"])
    assert table.rows() == [("1", "b", 0.1, 7.0), ("2", "a", 0.2, 6.0)]
    with pytest.raises(InputError, match=r"dataset a: 1 examples, 1 first, have no row .* entry knn"):
        attach(examples(("1", "a")), paths, ["knn"])


def test_an_example_of_two_mixtures_has_the_value_of_each_block_and_of_each_mixture(shards, tmp_path) -> None:
    paths = [
        *shards,
        *write(
            tmp_path,
            {
                "mixtures/base/near/000-of-001": {
                    "mixture": ["base-000", "base-001"],
                    "id": ["1", "1"],
                    "dataset": ["a", "a"],
                    "near": [0.1, 0.2],
                },
                "mixtures/more/near/000-of-001": {
                    "mixture": ["more-000"],
                    "id": ["1"],
                    "dataset": ["a"],
                    "near": [0.3],
                },
                "mixtures/base/knn/000-of-001": {"id": ["1", "2"], "dataset": ["a", "a"], "knn": [0.5, 0.6]},
                "mixtures/more/knn/000-of-001": {"id": ["1"], "dataset": ["a"], "knn": [0.7]},
            },
        ),
    ]
    mixtures = pl.DataFrame(
        {
            "id": ["1", "1", "1"],
            "dataset": ["a", "a", "a"],
            "mixture": ["more-000", "base-000", "base-001"],
            "block": ["more", "base", "base"],
        }
    )
    table = attach(mixtures, paths, ["near", "knn", "reward"])
    assert table.drop(mixtures.columns).rows() == [(0.3, 0.7, 0.1), (0.1, 0.5, 0.1), (0.2, 0.5, 0.1)]
    assert table.select(mixtures.columns).equals(mixtures)
