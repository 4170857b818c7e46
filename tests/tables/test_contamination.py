import json

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instructmining.data.examples import EXAMPLE_SCHEMA, example_id, folded_prompt
from instructmining.data.ngrams import words
from instructmining.jobs.errors import InputError
from instructmining.jobs.files import write_parquet
from instructmining.report.pages.contamination import page
from instructmining.tables import contamination
from instructmining.tables.contamination import distinct, pairs, read_items, table, with_subsets

SEVEN = "one two three four five six seven"


def frame(rows, dataset="pool"):
    """Examples of (instruction, output)."""
    made = [(example_id(one, "", two), one, "", two, dataset, place) for place, (one, two) in enumerate(rows)]
    return pl.DataFrame(made, EXAMPLE_SCHEMA, orient="row").unique("id", maintain_order=True)


@pytest.fixture
def tree(tmp_path):
    """Two datasets, three evaluation sets, and a subset of both datasets beside two of one."""
    first = frame([("Ask A", "nothing"), (f"x {SEVEN}!", "y"), ("clean", "clean")], "first")
    second = frame([("ask  a", "other"), ("say", f"One, two three\nfour. {SEVEN}"), ("q", "fine")], "second")
    held = frame([("ask a", ""), ("p", f"p {SEVEN} q"), ("short", "one two")])
    details = [{"outputs": ["better", f"{SEVEN} worse"], "label": 1}, {"outputs": ["a", "b"], "label": 2}]
    judged = frame([("which", "better"), ("what", "b")]).with_columns(details=pl.Series(map(json.dumps, details)))
    items = pl.DataFrame({"id": ["h0", "h1", "h2"], "text": ["Q", None, "none of it"], "value": [0.0, 1.0, 1.0]})
    files = {"datasets/first/examples": first, "datasets/second/examples": second}
    files |= {"loss": held, "llmbar": judged, "harness": items}
    for name, content in files.items():
        write_parquet(content, tmp_path / f"{name}.parquet")
    subsets = {
        "both": pl.concat([first, second]).select("id", "dataset"),
        "one": first.select("id", "dataset").head(2),
        "none": first.select("id", "dataset").tail(1),
    }
    return tmp_path, subsets


def found_in(tree, n=7):
    folder, subsets = tree
    items = read_items({name: folder / f"{name}.parquet" for name in ("loss", "llmbar", "harness")})
    return items, pairs(items, distinct(subsets.values(), folder / "datasets/{dataset}/examples.parquet"), n)


def test_table_and_pairs(tree):
    items, found = found_in(tree)
    counted = table(items, found, tree[1])
    assert counted.schema == contamination.TABLE_SCHEMA
    assert counted.rows() == [
        ("both", "loss", 3, 1, 1, 2 / 3, 4),
        ("both", "llmbar", 2, 0, 1, 0.5, 2),
        ("both", "harness", 2, 1, 0, 0.5, 1),
        ("one", "loss", 3, 1, 1, 2 / 3, 2),
        ("one", "llmbar", 2, 0, 1, 0.5, 1),
        ("one", "harness", 2, 0, 0, 0.0, 0),
        ("none", "loss", 3, 0, 0, 0.0, 0),
        ("none", "llmbar", 2, 0, 0, 0.0, 0),
        ("none", "harness", 2, 0, 0, 0.0, 0),
    ]
    listed = with_subsets(found, tree[1])
    assert sorted(listed.select("benchmark", "dataset", "exact", "ngram", "subsets").rows()) == sorted(
        [
            ("loss", "first", True, None, 2),
            ("loss", "second", True, None, 1),
            ("loss", "first", False, SEVEN, 2),
            ("loss", "second", False, SEVEN, 1),
            ("llmbar", "first", False, SEVEN, 2),
            ("llmbar", "second", False, SEVEN, 1),
            ("harness", "second", True, None, 1),
        ]
    )
    assert set(listed["item"]) >= {"h0"} and listed["training"].str.len_chars().unique().to_list() == [20]


def test_page_says_in_words_what_is_contaminated(tree):
    items, found = found_in(tree)
    counted, listed = table(items, found, tree[1]), with_subsets(found, tree[1])
    text = page("main", counted, listed, 7)
    assert "5 of 9 pairs of a subset and a benchmark have something in common" in text
    told = "both has something of 2 of 3 items of loss (66.7%): 1 by their prompt, 1 by 7 words in a row, in 4 training"
    assert told in text and text.index(told) < text.index("Every subset and benchmark")
    assert "none has something" not in text
    clean = page("main", counted.filter(subset="none"), listed.clear(), 7)
    assert "No item of any benchmark is in any subset" in clean and "have something in common:" not in clean


few = st.lists(st.sampled_from(["a", "B", "c.", "d"]), min_size=1, max_size=7).map(" ".join)
rows = st.lists(st.tuples(few, few), max_size=6)


@settings(max_examples=80, deadline=None)
@given(items=rows, training=rows, n=st.integers(1, 4), draw=st.randoms(use_true_random=False))
def test_counts_are_those_of_the_plain_nested_way(tmp_path_factory, items, training, n, draw):
    folder = tmp_path_factory.mktemp("sets")
    held, pool = frame(items), frame(training)
    write_parquet(held, folder / "held.parquet")
    write_parquet(pool, folder / "pool.parquet")
    subsets = {name: pool.filter([draw.random() < share for _ in range(pool.height)]) for name, share in SHARES.items()}

    def grams(row):
        own = words(f"{row[1]} {row[3]}")
        return {tuple(own[i : i + n]) for i in range(len(own) - n + 1)}

    expected = []
    for name, subset in subsets.items():
        exact, shared, concerned = set(), set(), set()
        for item in held.rows():
            for example in subset.rows():
                if folded_prompt(item[1], "") == folded_prompt(example[1], ""):
                    exact.add(item[0])
                    concerned.add(example[0])
                if grams(item) & grams(example):
                    shared.add(item[0])
                    concerned.add(example[0])
        counts = (held.height, len(exact), len(shared), len(exact | shared) / max(1, held.height), len(concerned))
        expected += [(name, "held", *counts)] * bool(held.height)
    read = read_items({"held": folder / "held.parquet"})
    found = pairs(read, distinct(subsets.values(), folder / "{dataset}.parquet"), n)
    assert table(read, found, subsets).rows() == expected


SHARES = {"all": 1.1, "half": 0.5, "few": 0.2}


def test_examples_are_read_in_parts_and_once(tree, monkeypatch):
    folder, subsets = tree
    whole = found_in(tree)[1]
    monkeypatch.setattr(contamination, "_ROWS_AT_ONCE", 2)
    assert found_in(tree)[1].equals(whole)
    parts = list(distinct(subsets.values(), folder / "datasets/{dataset}/examples.parquet"))
    assert [part.height for part in parts] == [2, 1, 2, 1]


def test_what_cannot_be_read_is_named(tree):
    folder, subsets = tree
    with pytest.raises(InputError, match=r"gone\.parquet: no such examples file"):
        read_items({"gone": folder / "gone.parquet"})
    write_parquet(pl.DataFrame({"id": ["a"]}), folder / "other.parquet")
    with pytest.raises(InputError, match=r"other\.parquet: expected the columns"):
        read_items({"other": folder / "other.parquet"})
    unknown = pl.DataFrame({"id": ["0" * 20], "dataset": ["first"]})
    with pytest.raises(InputError, match=r"first/examples\.parquet: 1 of 4 ids of the subsets are not in it"):
        list(distinct([*subsets.values(), unknown], folder / "datasets/{dataset}/examples.parquet"))
