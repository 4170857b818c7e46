"""How much of two subsets is the same."""

import polars as pl
import pytest

from instructmining.jobs.errors import InputError
from instructmining.selection import overlap
from pools import pool


def test_overlaps_of_a_comparison_are_a_table_of_all_pairs() -> None:
    examples = pool(40)
    subsets = {("up", "p", "10"): examples.head(10), ("down", "p", "10"): examples[5:15]}
    table = overlap.table({**subsets, ("up", "q", "10"): examples.head(10)}, {"p": 40, "q": 80})
    assert table.schema == pl.Schema(overlap.TABLE_SCHEMA)
    found = {(row["pool"], row["strategy"], row["other"]): row["overlap"] for row in table.iter_rows(named=True)}
    assert found == {
        ("p", "up", "up"): 1.0,
        ("p", "up", "down"): 0.5,
        ("p", "down", "up"): 0.5,
        ("p", "down", "down"): 1.0,
        ("q", "up", "up"): 1.0,
    }
    assert dict(table.select("pool", "by_chance").iter_rows()) == {"p": 0.25, "q": 0.125}
    with pytest.raises(InputError, match="pool p, size 10: up has 10 examples, down 9"):
        overlap.table({**subsets, ("down", "p", "10"): examples.head(9)}, {"p": 40})
