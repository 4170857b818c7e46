import hashlib
import json
import random
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instructmining.data import reading
from instructmining.data.examples import EXAMPLE_SCHEMA, example_id
from instructmining.data.ngrams import Index
from instructmining.data.reading import provenance, read_dataset, write_rejected
from instructmining.jobs.errors import InputError
from instructmining.jobs.files import sha256

SHARED = Path(__file__).parents[2] / "../shared/data"
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="no shared data beside the project")


def row(instruction, output="a", input=""):
    return {"instruction": instruction, "input": input, "output": output}


def read(tmp_path, lines, **options):
    path = tmp_path / "rows.jsonl"
    path.write_text("".join((r if isinstance(r, str) else json.dumps(r)) + "\n" for r in lines))
    base = {"path": str(path), "format": "alpaca", "max_bad_share": 1.0}
    excluded = {name: options.pop(name) for name in ("excluded_prompts", "excluded_ngrams") if name in options}
    return read_dataset("mine", base | options, **excluded)


def test_examples(tmp_path):
    frame, rejected, summary = read(tmp_path, [row(" q\r\n", "a\n", "i"), row("p")], licence="MIT", origin="here")
    assert frame.schema == EXAMPLE_SCHEMA
    assert frame.rows() == [
        (example_id("q", "i", "a"), "q", "i", "a", "mine", 0),
        (example_id("p", "", "a"), "p", "", "a", "mine", 1),
    ]
    assert rejected == []
    assert summary == {
        "dataset": "mine",
        "source": str(tmp_path / "rows.jsonl"),
        "revision": None,
        "sha256": sha256(tmp_path / "rows.jsonl"),
        "format": "alpaca",
        "licence": "MIT",
        "origin": "here",
        "rows": None,
        "outside_rows": 0,
        "rows_read": 2,
        "kept": 2,
        "not_sampled": 0,
        "duplicates": 0,
        "rejected": {},
        "bad_share": 0.0,
        "notes": {},
    }
    assert "licence" not in provenance(summary) and provenance(summary)["sha256"] == summary["sha256"]


def test_every_row_left_out_has_its_reason(tmp_path):
    rows = [
        row("q"),
        row("q\n"),
        row("\0"),
        row("q", "\ud83d"),
        row(" "),
        row("q", "\n"),
        "{",
        row("secret"),
        row("Q 2 "),
    ]
    frame, rejected, summary = read(tmp_path, [*rows, row("r")], exclude_pattern="s.cret", excluded_prompts={"q 2"})
    assert frame["instruction"].to_list() == ["q", "r"]
    reasons = ["duplicate", "nul_byte", "lone_surrogate", "empty_instruction", "empty_output", "malformed_json"]
    reasons += ["excluded_pattern", "excluded_prompt"]
    assert [(entry["row"], entry["reason"]) for entry in rejected] == list(enumerate(reasons, 1))
    assert [entry["data"] for entry in rejected] == rows[1:]
    assert summary["rejected"] == dict.fromkeys(sorted(reasons), 1)
    assert (summary["rows_read"], summary["kept"], summary["duplicates"]) == (10, 2, 1)
    assert summary["bad_share"] == 0.5
    write_rejected(tmp_path / "rejected.jsonl", rejected)
    assert [json.loads(line) for line in (tmp_path / "rejected.jsonl").read_text("ascii").splitlines()] == rejected


def test_rejected_values_that_json_does_not_know(tmp_path):
    pl.DataFrame({"instruction": [b"\xff", b""]}).write_parquet(tmp_path / "a.parquet")
    with pytest.raises(InputError, match=r"no example left of 2 rows read \(2 wrong_type\)"):
        read_dataset("a", {"path": str(tmp_path / "a.parquet"), "format": "alpaca", "max_bad_share": 1.0})
    write_rejected(tmp_path / "r.jsonl", [{"row": 0, "reason": "wrong_type", "data": {"x": b"\xff"}}])
    assert json.loads((tmp_path / "r.jsonl").read_text())["data"] == {"x": "b'\\xff'"}


def test_excluded_prompts_compare_without_case_and_whitespace(tmp_path):
    frame, *_ = read(tmp_path, [row("A\n b", input="C"), row("ab c")], excluded_prompts={"a b c"})
    assert frame["instruction"].to_list() == ["ab c"]


def test_excluded_ngrams_are_looked_for_in_prompt_and_response(tmp_path):
    index = Index(["One two, three! Four", "x y"], 3)
    rows = [
        row("a", "now one TWO (three)"),
        row("two three four?"),
        row("one", "two-three", "two three"),
        row("one two", "three"),
        row("two four three one", "x y"),
    ]
    frame, rejected, summary = read(tmp_path, rows, excluded_ngrams=index, max_bad_share=0.0)
    assert frame["row"].to_list() == [4]
    assert [(entry["row"], entry["reason"]) for entry in rejected] == [(n, "excluded_ngram") for n in range(4)]
    assert summary["bad_share"] == 0.0
    reason = read(tmp_path, [*rows, *rows], excluded_ngrams=index, excluded_prompts={"a"})[1]
    assert reason[0]["reason"] == "excluded_prompt" and reason[-1]["reason"] == "duplicate"


@pytest.mark.parametrize(("limit", "fatal"), [(0.2, False), (0.1999, True), (0.0, True), (1.0, False)])
def test_share_of_bad_rows(tmp_path, limit, fatal):
    """Two of ten rows are bad; duplicates, patterns and excluded prompts are not."""
    rows = [row("1"), row("1"), row("x"), row("p"), row("2", ""), {"instruction": "3"}, *map(row, "4567")]
    options = {"max_bad_share": limit, "exclude_pattern": "x", "excluded_prompts": {"p"}}
    if not fatal:
        assert read(tmp_path, rows, **options)[2]["bad_share"] == 0.2
        return
    with pytest.raises(InputError) as caught:
        read(tmp_path, rows, **options)
    assert str(caught.value) == (
        f"{tmp_path / 'rows.jsonl'}: 20.0% of 10 rows cannot be read as alpaca, max_bad_share is {limit:.1%}: "
        "row 4 empty_output, row 5 missing_field:output"
    )


def test_a_row_of_several_instances_is_bad_once(tmp_path):
    rows = [{"instruction": "q", "instances": [{"output": o} for o in ("a", "", "b", "")]}, row("x")]
    frame, rejected, summary = read(tmp_path, rows, format="instances")
    assert frame["row"].to_list() == [0, 0]
    assert [entry["reason"] for entry in rejected] == ["empty_output", "empty_output", "missing_field:instances"]
    assert summary["bad_share"] == 1.0


def test_wrong_format_is_fatal(tmp_path):
    with pytest.raises(InputError, match=r"100\.0% of 2 rows cannot be read as dolly"):
        read(tmp_path, [row("q") | {"output": 3}] * 2, format="dolly", max_bad_share=0.99)


def test_nothing_left_is_fatal(tmp_path):
    with pytest.raises(InputError, match=r"rows\.jsonl: no example left of 0 rows read"):
        read(tmp_path, [])
    with pytest.raises(InputError, match=r"no example left of 1 rows read \(1 excluded_prompt\)"):
        read(tmp_path, [row("q")], excluded_prompts={"q"})


def test_pattern_that_is_none(tmp_path):
    with pytest.raises(InputError, match="exclude_pattern '\\('"):
        read(tmp_path, [row("q")], exclude_pattern="(")


def test_rows_outside_the_range_are_not_looked_at(tmp_path):
    rows = ["{", row("0"), row("1"), "{", row("1"), row("0")]
    frame, rejected, summary = read(tmp_path, rows, rows=[1, 5])
    assert frame["row"].to_list() == [1, 2]
    assert [(entry["row"], entry["reason"]) for entry in rejected] == [(3, "malformed_json"), (4, "duplicate")]
    assert (summary["rows"], summary["rows_read"], summary["outside_rows"]) == ([1, 5], 4, 2)


def test_sample(tmp_path):
    rows = [row(str(n)) for n in range(200)]
    full, *_ = read(tmp_path, rows)
    some, rejected, summary = read(tmp_path, rows, limit=50, seed=1)
    assert (len(some), rejected, summary["not_sampled"], summary["kept"]) == (50, [], 150, 50)
    assert some["row"].is_sorted() and some["row"].n_unique() == 50
    assert some.equals(full.filter(pl.col("row").is_in(some["row"].to_list())))
    assert some.equals(read(tmp_path, rows, limit=50, seed=1)[0])
    assert not some.equals(read(tmp_path, rows, limit=50, seed=2)[0])
    assert read(tmp_path, rows, limit=500, seed=1)[0].equals(full)
    grown, *_ = read(tmp_path, [*rows, row("new")], limit=50, seed=1)
    assert len(set(grown["id"]) - set(some["id"])) <= 1


def test_a_sample_needs_memory_for_a_batch_and_itself(tmp_path, monkeypatch):
    """Several examples a row, duplicates, bad rows: trimming after every batch changes nothing."""
    rows = [{"instruction": f"q{n % 70}", "instances": [{"output": f"{k}"} for k in range(n % 4)]} for n in range(90)]
    whole = read(tmp_path, rows, format="instances", limit=13, seed=3)
    everything = read(tmp_path, rows, format="instances")[0]
    heights = []
    sample = reading._sample

    def watched(kept, batch, limit):
        heights.append(kept.height + len(batch))
        return sample(kept, batch, limit)

    monkeypatch.setattr(reading, "BATCH", 10)
    monkeypatch.setattr(reading, "_sample", watched)
    frame, rejected, summary = read(tmp_path, rows, format="instances", limit=13, seed=3)
    assert frame.equals(whole[0]) and (rejected, summary) == whole[1:]
    assert (summary["kept"], summary["not_sampled"]) == (13, everything.height - 13)
    assert len(heights) == 10 and max(heights) <= 13 + 10 * 3
    assert read(tmp_path, rows, format="instances")[0].equals(everything)


def test_the_draw_is_pinned(tmp_path):
    """Another draw would be another sample in every study: decide on it by a version."""
    rows = [row(str(n)) for n in range(30)]
    key = (1).to_bytes(8, "little")
    draws = [hashlib.blake2b(f"{n}:0".encode(), digest_size=8, key=key).digest() for n in range(30)]
    expected = sorted(sorted(range(30), key=draws.__getitem__)[:6])
    assert read(tmp_path, rows, limit=6, seed=1)[0]["row"].to_list() == expected


def test_sample_is_uniform(tmp_path):
    rows = [row(str(n)) for n in range(20)]
    counts = [0] * 20
    for seed in range(300):
        for n in read(tmp_path, rows, limit=5, seed=seed)[0]["row"]:
            counts[n] += 1
    # binomial(300, 1/4): mean 75, standard deviation 7.5
    assert min(counts) > 45 and max(counts) < 105


def test_both_sides_of_pairs_sample_the_same_rows(tmp_path):
    rows = [{"prompt": str(n), "chosen": "a", "rejected": "" if n == 7 else "b"} for n in range(100)]
    one, two = (read(tmp_path, rows, format="preference", side=s, limit=30)[0] for s in ("chosen", "rejected"))
    assert len(set(one["row"]) ^ set(two["row"])) <= 2


texts = st.text(st.characters(exclude_characters="\0"), max_size=5)


@settings(max_examples=60, deadline=None)
@given(pairs=st.lists(st.tuples(texts, texts), min_size=1, max_size=8), seed=st.integers(0, 9))
def test_ids_do_not_depend_on_order_or_repetition(tmp_path_factory, pairs, seed):
    folder = tmp_path_factory.mktemp("order")
    rows = [row("fixed"), *(row(q, a) for q, a in pairs)]
    shuffled = random.Random(seed).sample(rows * 2, len(rows) * 2)
    first, second = (read(folder, some)[0] for some in (rows, shuffled))
    assert set(first["id"]) == set(second["id"])
    assert first["id"].is_unique().all() and second["id"].is_unique().all()


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.dictionaries(st.sampled_from(["instruction", "input", "output"]), texts | st.integers())),
    surrogate=st.booleans(),
)
def test_every_row_is_kept_or_rejected(tmp_path_factory, rows, surrogate):
    folder = tmp_path_factory.mktemp("junk")
    rows = [row("fixed"), *rows, *([row("q", "\udc00")] if surrogate else [])]
    frame, rejected, summary = read(folder, rows)
    assert sorted([*frame["row"], *(entry["row"] for entry in rejected)]) == list(range(len(rows)))
    assert summary["rows_read"] == summary["kept"] + sum(summary["rejected"].values()) == len(rows)


def test_truncated_list_is_counted(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps([row(str(n)) for n in range(30)])[:-10])
    _, rejected, summary = read_dataset("a", {"path": str(path), "format": "alpaca", "max_bad_share": 0.05})
    assert (summary["kept"], summary["rejected"]) == (29, {"truncated_file": 1})
    assert rejected[0]["row"] == 29 and rejected[0]["data"].startswith('{"instruction": "29"')


def test_saved_folder_has_a_hash(tmp_path):
    import datasets

    datasets.Dataset.from_list([row("q")]).save_to_disk(tmp_path / "saved")
    options = {"path": str(tmp_path / "saved"), "format": "alpaca", "max_bad_share": 0.0}
    first = read_dataset("a", options)[2]["sha256"]
    (tmp_path / "saved" / "cache-123.arrow").write_bytes(b"x")
    assert read_dataset("a", options)[2]["sha256"] == first
    (tmp_path / "saved" / "more.txt").write_bytes(b"x")
    assert read_dataset("a", options)[2]["sha256"] != first


def test_hub_revision(tmp_path, monkeypatch):
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    hub = {"hub": str(tmp_path / "repo"), "split": "train", "format": "alpaca", "max_bad_share": 0.0}
    (tmp_path / "repo").mkdir()
    (tmp_path / "repo" / "train.jsonl").write_text(json.dumps(row("q")))
    summary = read_dataset("a", hub | {"revision": "main"})[2]
    assert (summary["source"], summary["revision"], summary["sha256"]) == (f"{tmp_path}/repo@main", "unpinned", None)
    assert read_dataset("a", hub | {"revision": "abc123"})[2]["revision"] == "abc123"


@needs_shared
@pytest.mark.parametrize(
    ("name", "format", "read", "rejected", "notes"),
    [
        ("alpaca_9k.json", "alpaca", 9229, {"empty_output": 4}, {}),
        ("dolly_3k.json", "dolly", 2996, {"duplicate": 2}, {}),
        ("lima_1k.json", "sharegpt", 1000, {}, {}),
        ("oasst_trees_100.jsonl", "oasst", 100, {}, {"later_turns_dropped": 73, "other_replies_dropped": 100}),
        ("self_instruct_252.jsonl", "instances", 252, {}, {}),
    ],
)
def test_real_files(name, format, read, rejected, notes):
    source = {"path": str(SHARED / name), "format": format, "max_bad_share": 0.001}
    frame, _, summary = read_dataset("real", source)
    assert (summary["rows_read"], summary["rejected"], summary["notes"]) == (read, rejected, notes)
    assert len(frame) == summary["kept"] == read - sum(rejected.values())
    assert frame["id"].n_unique() == len(frame)


@needs_shared
def test_a_real_row_by_hand():
    data = json.loads((SHARED / "dolly_3k.json").read_text())
    frame, *_ = read_dataset("d", {"path": str(SHARED / "dolly_3k.json"), "format": "dolly", "max_bad_share": 0})
    for _, *found, _, number in frame.rows()[::500]:
        assert found == [data[number][key].replace("\r\n", "\n").strip() for key in ("instruction", "input", "output")]
    name, instruction, input, output, *_ = frame.rows()[0]
    joined = "".join(f"{len(text)}:{text}" for text in (instruction, input, output))
    assert hashlib.sha256(joined.encode()).hexdigest().startswith(name)
