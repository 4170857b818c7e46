import hashlib
import json

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from instructmining.data.examples import (
    EXAMPLE_SCHEMA,
    canonical,
    example_id,
    folded_prompt,
    item_texts,
    load_rows,
    prompt_text,
    prompts_of,
    read_examples,
)
from instructmining.jobs.errors import InputError
from instructmining.jobs.files import write_parquet

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def examples(dataset, *triples):
    rows = [(example_id(*triple), *triple, dataset, number) for number, triple in enumerate(triples)]
    return pl.DataFrame(rows, EXAMPLE_SCHEMA, orient="row")


@pytest.fixture
def folder(tmp_path):
    one = examples("one", ("a", "", "x"), ("b", "in", "y"), ("c", "", "z"))
    two = examples("two", ("d", "", "x"), ("a", "", "x"))
    for name, frame in (("one", one), ("two", two)):
        write_parquet(frame, tmp_path / name / "examples.parquet")
    return tmp_path


@given(texts)
def test_canonical_is_idempotent_and_knows_one_newline(text):
    once = canonical(text)
    assert canonical(once) == once
    assert "\r" not in once
    assert canonical(once.replace("\n", "\r\n")) == canonical(once.replace("\n", "\r")) == once


def test_canonical_changes_nothing_else():
    assert canonical(" \r\n a\r\nb\rc \t d  e\u00a0f \n\n") == "a\nb\nc \t d  e\u00a0f"


def test_id_is_pinned():
    """Every artifact on every user's disk is keyed by these."""
    assert example_id("ab", "", "c\r\n") == hashlib.sha256(b"2:ab0:1:c").hexdigest()[:20]
    assert example_id("é", "", "c") == hashlib.sha256("1:é0:1:c".encode()).hexdigest()[:20]


@given(texts, texts, texts)
def test_id_depends_on_the_canonical_texts_and_their_places(a, b, c):
    name = example_id(a, b, c)
    assert len(name) == 20 and int(name, 16) >= 0
    assert example_id(f" {a}\r\n", canonical(b), f"\n{c}") == name
    if canonical(a) != canonical(c):
        assert example_id(c, b, a) != name


def test_id_keeps_the_borders_of_texts():
    assert len({example_id("ab", "c", "d"), example_id("a", "bc", "d"), example_id("a", "b", "cd")}) == 3
    assert example_id("1:a", "", "b") != example_id("", "a", "b")


def test_prompt_text():
    assert prompt_text("do", "this") == "do\nthis"
    assert prompt_text("do", "") == "do"


def test_folded_prompt_ignores_case_and_whitespace():
    assert folded_prompt("Do  it\n", "NOW") == folded_prompt("do", "it now") == "do it now"
    assert folded_prompt("do it", "") != folded_prompt("doit", "")


def test_prompts_of_several_files(folder):
    paths = [folder / name / "examples.parquet" for name in ("one", "two")]
    assert prompts_of(paths) == {"a", "b in", "c", "d"}


def test_item_texts_are_the_prompt_with_each_output(folder):
    assert item_texts(folder / "one/examples.parquet") == [["a\nx"], ["b\nin\ny"], ["c\nz"]]
    details = pl.Series("details", [json.dumps({"outputs": ["x", "w"], "label": 1}), json.dumps({"key": 3})])
    write_parquet(examples("bar", ("a", "", "x"), ("b", "in", "")).with_columns(details), folder / "bar.parquet")
    assert item_texts(folder / "bar.parquet") == [["a\nx", "a\nw"], ["b\nin"]]


def test_read_examples_in_the_order_of_ids(folder):
    path = folder / "one" / "examples.parquet"
    whole = read_examples(path)
    assert whole["instruction"].to_list() == ["a", "b", "c"]
    wanted = [whole["id"][2], whole["id"][0], whole["id"][2]]
    found = read_examples(path, wanted)
    assert found["instruction"].to_list() == ["c", "a", "c"]
    assert found.schema == EXAMPLE_SCHEMA
    assert len(read_examples(path, [])) == 0


def test_wanted_rows_are_read_without_the_rest(folder, monkeypatch):
    path = folder / "one" / "examples.parquet"
    whole = read_examples(path)

    def refuse(*_, **__):
        raise AssertionError("the whole file is read")

    monkeypatch.setattr(pl, "read_parquet", refuse)
    assert read_examples(path, [whole["id"][1]]).rows() == [whole.row(1)]
    assert load_rows(whole.select("id", "dataset"), folder / "{dataset}" / "examples.parquet").equals(whole)


def test_read_examples_names_what_is_wrong(folder, tmp_path):
    with pytest.raises(InputError, match=r"absent\.parquet: no such examples file"):
        read_examples(tmp_path / "absent.parquet")
    with pytest.raises(InputError, match=r"one/examples\.parquet: 1 of 1 ids are not in it, first '00ff'"):
        read_examples(folder / "one" / "examples.parquet", ["00ff"])
    pl.DataFrame({"id": ["a"]}).write_parquet(tmp_path / "other.parquet")
    with pytest.raises(InputError, match=r"other\.parquet: expected the columns id, instruction"):
        read_examples(tmp_path / "other.parquet")


def test_load_rows_in_subset_order(folder):
    one, two = (read_examples(folder / name / "examples.parquet") for name in ("one", "two"))
    subset = pl.concat([two[1:2], one[2:3], two[0:1], one[0:1]]).select("id", "dataset")
    rows = load_rows(subset, folder / "{dataset}" / "examples.parquet")
    assert rows.select("id", "dataset").equals(subset)
    assert rows["instruction"].to_list() == ["a", "c", "d", "a"]
    assert rows.schema == EXAMPLE_SCHEMA
    assert load_rows(subset[:0], str(folder / "{dataset}")).schema == EXAMPLE_SCHEMA
    with pytest.raises(InputError, match="1 of 2 ids are not in it"):
        load_rows(subset.with_columns(dataset=pl.lit("two"))[:2], folder / "{dataset}" / "examples.parquet")
