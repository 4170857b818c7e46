"""Running a scorer: shards, parts, and one process a GPU."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from instructmining import scorers
from instructmining.data.examples import EXAMPLE_SCHEMA
from instructmining.jobs.errors import InputError
from instructmining.jobs.files import write_parquet
from instructmining.scorers import mtld, running
from mounts import fill
from tiny import SENTENCES, tiny_llama

MTLD = {"scorer": "mtld", "outputs": {"mtld": "diversity"}}


@pytest.fixture
def examples(tmp_path):
    """The path of an examples file of 11 rows."""
    texts = [*SENTENCES, *(f"{text} {text}" for text in SENTENCES[:4]), "..."]
    rows = range(len(texts))
    columns = {
        "id": [f"{row:020x}" for row in rows],
        "instruction": ["Say it."] * len(texts),
        "input": [""] * len(texts),
    }
    frame = pl.DataFrame({**columns, "output": texts, "dataset": ["d"] * len(texts), "row": list(rows)})
    frame.cast(EXAMPLE_SCHEMA).write_parquet(tmp_path / "examples.parquet")
    return tmp_path / "examples.parquet"


@given(rows=st.integers(0, 50), parts=st.integers(1, 7))
def test_shards_are_contiguous_and_complete(rows, parts):
    shards = [running.shard_rows(rows, f"{part:03d}-of-{parts:03d}") for part in range(parts)]
    assert [row for start, stop in shards for row in range(start, stop)] == list(range(rows))
    sizes = [stop - start for start, stop in shards]
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("name", ["4-of-4", "x", "0-of-0", "1of2"])
def test_impossible_shard(name):
    with pytest.raises(InputError, match="expected i-of-n"):
        running.shard_rows(1, name)


def test_outputs_get_the_names_of_the_config(examples):
    found = running.score(examples, "000-of-001", MTLD)
    assert found.columns == ["id", "diversity", "truncated", "reason"]
    assert found["diversity"].null_count() == 1 and found["reason"][-1] == "no word in the response"


@pytest.mark.parametrize("rows_at_once", [1, 4, 100])
def test_parts_and_shards_change_nothing(examples, monkeypatch, rows_at_once):
    whole = running.score(examples, "000-of-001", MTLD)
    monkeypatch.setattr(running, "_ROWS_AT_ONCE", rows_at_once)
    assert pl.concat(running.score(examples, f"{part:03d}-of-003", MTLD) for part in range(3)).equals(whole)


def test_more_shards_than_rows_gives_empty_frames(examples):
    assert running.score(examples, "000-of-100", MTLD).height == 0


@pytest.fixture
def causal(tmp_path):
    return {
        **{"scorer": "causal", "outputs": {"perplexity": "ppl"}, "model_path": str(tiny_llama(tmp_path / "model"))},
        **{"revision": "main", "precision": "float32", "device": "cpu", "template": "alpaca", "max_length": 2048},
        **{"max_prompt_length": None, "batch_tokens": 500},
    }


def test_processes_give_what_one_gives(examples, causal):
    """One process a GPU, here without GPUs: the rows are split, scored apart and put together in order."""
    one = running.score(examples, "000-of-001", causal)
    several = running.score(examples, "000-of-001", causal, gpus=3)
    assert several["id"].equals(one["id"])
    assert several["ppl"].to_list() == pytest.approx(one["ppl"].to_list(), rel=1e-5)


def test_a_process_that_fails_says_why_in_one_line(examples, causal):
    with pytest.raises(InputError, match=r"^nowhere/at/all \(revision main\): expected a folder"):
        running.score(examples, "000-of-001", {**causal, "model_path": "nowhere/at/all"}, gpus=2)


def test_each_process_sees_a_gpu_of_the_job(monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert running._visible_gpus(2) == ["0", "1"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,GPU-5f")
    assert running._visible_gpus(2) == ["2", "GPU-5f"]
    with pytest.raises(InputError, match="3 GPUs were asked for, and the job has 2"):
        running._visible_gpus(3)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(InputError, match="1 GPUs were asked for, and the job has 0"):
        running._visible_gpus(1)


@pytest.fixture
def kept(tmp_path, examples, monkeypatch):
    """Settings of a job that keeps every part of two rows, and what the scores and the file are when nothing dies."""
    monkeypatch.setattr(running, "_ROWS_AT_ONCE", 2)
    whole = running.score(examples, "000-of-001", MTLD)
    write_parquet(whole, tmp_path / "whole.parquet")
    monkeypatch.setattr(running, "_SECONDS_BETWEEN_FILES", 0)
    return {**MTLD, "work": str(tmp_path / "work")}


def die_after(monkeypatch, parts):
    """Scoring dies when it has found ``parts`` parts; returns the parts that were begun, a list that grows."""
    begun: list[int] = []
    score = mtld.score

    def dying(examples, settings):
        def counted():
            for part in examples:
                begun.append(part.height)
                yield part

        for number, frame in enumerate(score(counted(), settings)):
            if number == parts:
                raise KeyboardInterrupt
            yield frame

    monkeypatch.setattr(mtld, "score", dying)
    return begun


@pytest.mark.parametrize("parts", [0, 1, 3, 5])
def test_what_a_dead_job_had_scored_is_taken_up_again(examples, kept, monkeypatch, tmp_path, parts):
    with monkeypatch.context() as patch:
        die_after(patch, parts)
        with pytest.raises(KeyboardInterrupt):
            running.score(examples, "000-of-001", kept)
    begun = die_after(monkeypatch, None)
    found = running.score(examples, "000-of-001", kept)
    assert sum(begun) == 11 - 2 * parts
    write_parquet(found, tmp_path / "found.parquet")
    assert (tmp_path / "found.parquet").read_bytes() == (tmp_path / "whole.parquet").read_bytes()
    begun.clear()
    assert running.score(examples, "000-of-001", kept).equals(found) and begun == []


def test_a_gap_ends_what_is_taken_up(examples, kept, monkeypatch, tmp_path):
    whole = running.score(examples, "000-of-001", kept)
    [folder] = (tmp_path / "work").iterdir()
    (folder / "4-6.parquet").unlink()
    (folder / ".6-8.parquet.x.part").write_bytes(b"half of a part that was being written")
    begun = die_after(monkeypatch, None)
    assert running.score(examples, "000-of-001", kept).equals(whole)
    assert sum(begun) == 7


@pytest.mark.parametrize("change", ["settings", "file", "rows"])
def test_what_was_scored_under_other_conditions_is_not_taken_up(examples, kept, monkeypatch, tmp_path, change):
    (tmp_path / "model").write_text("one")
    kept["model_path"] = str(tmp_path / "model")
    running.score(examples, "000-of-001", kept)
    begun = die_after(monkeypatch, None)
    if change == "settings":
        kept["max_length"] = 1
    elif change == "file":
        (tmp_path / "model").write_text("two")
    else:
        pl.read_parquet(examples).with_columns(id=pl.lit("other")).write_parquet(examples)
    running.score(examples, "000-of-001", kept)
    assert sum(begun) == 11


def test_a_process_that_finds_the_disk_full_says_where(examples, causal, tmp_path, tmpfs):
    causal["token_cache"] = str(tmpfs / "tokens")
    fill(tmpfs)
    with pytest.raises(InputError, match=r"tokens.*: No space left on device: free some space there") as caught:
        running.score(examples, "000-of-001", causal, gpus=2)
    assert "\n" not in str(caught.value)


def test_how_a_job_was_run_is_not_in_the_file():
    """Shards of one dataset are put together only if they were made the same way."""
    how = {"token_cache": "results/.work/tokens", "work": "results/.work/indicators/d/e/000-of-002", "gpus": 2}
    assert scorers.provenance({**MTLD, **how}, {}) == scorers.provenance(MTLD, {})
