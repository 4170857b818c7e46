"""The registry: names, shards, and the check that refuses a broken scorer's values."""

import os
import subprocess
import sys

import polars as pl
import pytest

from instructmining import scorers
from instructmining.jobs.errors import InputError
from instructmining.jobs.files import write_parquet
from instructmining.settings import versions
from instructmining.settings.discovery import specs


def frame(values, reason=None):
    rows = len(values)
    return pl.DataFrame(
        {
            "id": [f"{row:020x}" for row in range(rows)],
            "x": pl.Series(values, dtype=pl.Float64),
            "truncated": [row == 0 for row in range(rows)],
            "reason": pl.Series([reason] * rows, dtype=pl.String),
        }
    )


def test_registry_is_complete_and_needs_no_torch():
    assert set(specs("scorers")) == set(versions.SCORERS)
    code = "import sys, instructmining.scorers; assert not {'torch', 'transformers'} & set(sys.modules)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)


@pytest.mark.parametrize("name", sorted(specs("scorers")))
def test_every_registered_scorer_loads(name):
    assert callable(scorers.load(name).score)


def test_unknown_scorer_is_named():
    with pytest.raises(InputError, match="'mltd': expected one of lengths, mtld"):
        scorers.load("mltd")


def test_output_columns():
    assert scorers.output_columns("lexical", {"scorer": "mtld"}) == {"mtld": "lexical"}
    asked = {"input_length": "prompt_tokens"}
    assert scorers.output_columns("lengths", {"scorer": "lengths", "outputs": asked}) == asked
    for wrong in ({}, {"length": "x"}):
        with pytest.raises(InputError, match=r"indicators\.lengths\.outputs: expected some of input_length"):
            scorers.output_columns("lengths", {"scorer": "lengths", "outputs": wrong})


def test_check_counts_nulls_and_truncated():
    counts = scorers.check(frame([1.0, None, 2.0]), ["x"], "results/x.parquet")
    assert counts == {"rows": 3, "truncated": 1, "null": {"x": 1}}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_check_refuses_what_is_not_finite(value):
    with pytest.raises(InputError, match=r"results/x.parquet: indicator x is -?(nan|inf) in row 2 \(id 0+2\)"):
        scorers.check(frame([1.0, None, value, 3.0]), ["x"], "results/x.parquet")


def test_check_refuses_a_constant():
    scorers.check(frame([3.0] * 7), ["x"], "f")
    scorers.check(frame([3.0] * 249 + [4.0]), ["x"], "f")
    with pytest.raises(InputError, match=r"^f: indicator x is 3.0 on all 250 rows: the model or its parser is broken$"):
        scorers.check(frame([3.0] * 250), ["x"], "f")
    with pytest.raises(InputError, match=r"3\.0 on all 8 rows"):
        scorers.check(frame([3.0] * 8 + [None]), ["x"], "f")


def test_check_refuses_all_null_and_says_why():
    scorers.check(frame([None] * 7), ["x"], "f")
    with pytest.raises(InputError, match=r"null on all 8 rows \(no word\): the model or its parser is broken"):
        scorers.check(frame([None] * 8, "no word"), ["x"], "f")


def test_provenance_names_no_path_and_says_unpinned():
    settings = {"scorer": "reward", "model": "/data/models/rm", "revision": "main", "precision": "bfloat16"}
    settings["model_record"] = {"model": "rm", "revision": "unpinned"}
    settings |= {"model_path": "/data/models/rm", "outputs": {"reward": "rew"}, "max_length": 512, "device": "cuda"}
    found = scorers.provenance(settings, {"rows": 3, "truncated": 1, "null": {"rew": 0}})
    assert "/data" not in str(found)
    assert (found["model"], found["revision"], found["dtype"]) == ("rm", "unpinned", "bfloat16")
    assert found["settings"] == {"max_length": 512}
    assert found["units"] == {"rew": "logit"} and found["directions"] == {"rew": "higher is better"}
    assert found["truncated"] == 1


def test_totals_over_shards(tmp_path):
    for shard, nulls in (("000-of-002", 1), ("001-of-002", 2)):
        counts = {"rows": 5, "truncated": 1, "null": {"x": nulls}}
        write_parquet(frame([1.0]), tmp_path / "entry" / f"{shard}.parquet", counts)
    paths = [str(path) for path in (tmp_path / "entry").iterdir()]
    assert scorers.totals(paths) == {"entry": {"rows": 10, "truncated": 2, "null": {"x": 3}}}
