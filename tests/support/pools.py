"""Pools of examples with indicators, and rankings of them, made up."""

import polars as pl
from hypothesis import strategies as st

from instructmining.selection.rankings import ranked

values = st.one_of(st.none(), st.sampled_from([0.0, 1.0, 2.0]), st.floats(-5, 5))


@st.composite
def pools(draw) -> pl.DataFrame:
    rows = draw(st.lists(st.tuples(values, values), max_size=30))
    return pl.DataFrame(
        {
            "id": [f"id{k:02d}" for k in range(len(rows))],
            "dataset": ["dolly"] * len(rows),
            "reward": [row[0] for row in rows],
            "output_length": [row[1] for row in rows],
        },
        schema={"id": pl.String, "dataset": pl.String, "reward": pl.Float64, "output_length": pl.Float64},
    )


def pool(n: int) -> pl.DataFrame:
    return pl.DataFrame({"id": [f"id{k:04d}" for k in range(n)], "dataset": "x"})


def in_order(examples: pl.DataFrame, scored: int | None = None) -> pl.DataFrame:
    """A strategy's ranking: the pool's own order, only the first ``scored`` with a score."""
    n = examples.height
    return ranked(examples, pl.Series([float(k) if k < (scored or n) else None for k in range(n)]), descending=False)
