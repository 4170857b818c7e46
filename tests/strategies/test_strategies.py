"""Strategies, rankings and subsets."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instructmining import strategies
from instructmining.data.pools import pool_examples
from instructmining.jobs.errors import InputError
from instructmining.jobs.files import write_parquet
from instructmining.selection.rankings import ranked, take

RULE = {"coefficients": {"intercept": 1.0, "reward": -0.5, "output_length": 0.01}}
SETTINGS = {
    "quality_rule": {"kind": "quality_rule", "quality_rule": "fitted", "rule": RULE},
    "random": {"kind": "random", "seed": 0, "index": 1},
    "longest": {"kind": "longest", "indicator": "output_length"},
    "cherry": {"kind": "cherry", "indicator": "reward"},
    "alpagasus": {"kind": "alpagasus", "indicator": "reward", "threshold": 1.0},
}
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


@pytest.mark.parametrize("kind", sorted(SETTINGS))
@settings(max_examples=40)
@given(pool=pools(), seed=st.integers(0, 9))
def test_ranking_does_not_depend_on_input_order(kind: str, pool: pl.DataFrame, seed: int) -> None:
    rank = strategies.load(kind).rank
    ranking = rank(pool, SETTINGS[kind])
    assert ranking.columns == ["id", "dataset", "score", "rank"]
    assert ranking.schema["score"] == pl.Float64
    assert ranking["rank"].to_list() == list(range(pool.height))
    assert sorted(ranking["id"]) == sorted(pool["id"])
    shuffled = pool.sample(fraction=1.0, shuffle=True, seed=seed)
    assert rank(shuffled, SETTINGS[kind]).equals(ranking)


def test_quality_rule_orders_by_predicted_log_loss_and_flags_nulls() -> None:
    pool = pl.DataFrame(
        {
            "id": ["d", "b", "a", "c", "e"],
            "dataset": "x",
            "reward": [1.0, 0.0, 0.0, None, 2.0],
            "output_length": [10.0, 10.0, 10.0, 10.0, float("nan")],
        }
    )
    ranking = strategies.load("quality_rule").rank(pool, SETTINGS["quality_rule"])
    assert ranking["id"].to_list() == ["d", "a", "b", "c", "e"]
    assert ranking["score"].to_list() == pytest.approx([0.6, 1.1, 1.1, None, None], nan_ok=True)


def test_quality_rule_needs_its_indicators() -> None:
    with pytest.raises(InputError, match="needs indicator output_length"):
        strategies.load("quality_rule").rank(
            pl.DataFrame({"id": ["a"], "dataset": ["x"], "reward": [1.0]}), SETTINGS["quality_rule"]
        )


def test_longest_is_descending() -> None:
    pool = pl.DataFrame({"id": ["a", "b", "c"], "dataset": "x", "output_length": [3.0, None, 9.0]})
    assert strategies.load("longest").rank(pool, SETTINGS["longest"])["id"].to_list() == ["c", "a", "b"]
    with pytest.raises(InputError, match="no indicator words"):
        strategies.load("longest").rank(pool, {"indicator": "words"})


def test_alpagasus_is_descending_and_leaves_out_what_is_below_its_threshold() -> None:
    pool = pl.DataFrame({"id": list("dcbae"), "dataset": "x", "judged": [4.5, 5.0, 4.5, None, 2.0]})
    rank = strategies.load("alpagasus").rank
    assert rank(pool, {"indicator": "judged", "threshold": None})["id"].to_list() == ["c", "b", "d", "e", "a"]
    ranking = rank(pool, {"indicator": "judged", "threshold": 4.5})
    assert ranking["score"].to_list() == [5.0, 4.5, 4.5, None, None]
    assert take(ranking, None, "p")["id"].to_list() == ["c", "b", "d"]
    with pytest.raises(InputError, match=r"^pool p has 3 rankable examples, subset asks 4$"):
        take(ranking, 4, "p")
    with pytest.raises(InputError, match="no indicator words"):
        rank(pool, {"indicator": "words", "threshold": None})


def test_full_keeps_pool_order() -> None:
    pool = pl.DataFrame({"id": ["c", "a", "b"], "dataset": ["x", "x", "y"]})
    ranking = strategies.load("full").rank(pool, {"kind": "full"})
    assert ranking["id"].to_list() == ["c", "a", "b"]
    assert take(ranking, None, "p").equals(pool)


def test_random_differs_by_seed_and_index_and_is_uniform() -> None:
    pool = pl.DataFrame({"id": [f"{k:03d}" for k in range(400)], "dataset": "x"})
    rank = strategies.load("random").rank
    orders = {key: rank(pool, {"seed": key[0], "index": key[1]})["id"].to_list() for key in [(0, 0), (0, 1), (1, 0)]}
    assert len({tuple(order) for order in orders.values()}) == 3
    assert all(order != pool["id"].to_list() for order in orders.values())
    scores = rank(pool, {"seed": 0, "index": 0})["score"]
    assert scores.is_between(0, 1, closed="left").all() and abs(scores.mean() - 0.5) < 0.06
    # Another dataset in the pool leaves the order of these two as it was.
    half = rank(pool.head(200), {"seed": 0, "index": 0})["id"].to_list()
    assert [i for i in orders[(0, 0)] if i in set(half)] == half


def test_the_first_dataset_keeps_a_repeated_id() -> None:
    a = pl.DataFrame({"id": ["1", "2"], "dataset": "a"})
    b = pl.DataFrame({"id": ["3", "2"], "dataset": "b"})
    examples, repeated = pool_examples([a, b])
    assert examples.rows() == [("1", "a"), ("2", "a"), ("3", "b")]
    assert repeated == 1
    assert pool_examples([b, a])[0].rows() == [("3", "b"), ("2", "b"), ("1", "a")]


@given(pool=pools(), size=st.integers(0, 35))
def test_take_never_reaches_examples_without_score(pool: pl.DataFrame, size: int) -> None:
    ranking = strategies.load("longest").rank(pool, SETTINGS["longest"])
    rankable = pool["output_length"].count()
    if size > rankable:
        with pytest.raises(InputError, match=f"^pool unseen has {rankable} rankable examples, subset asks {size}$"):
            take(ranking, size, "unseen")
    else:
        subset = take(ranking, size, "unseen")
        assert subset.columns == ["id", "dataset"]
        assert subset["id"].to_list() == ranking["id"].to_list()[:size]
    assert take(ranking, None, "unseen").height == rankable


def test_ranked_puts_infinite_scores_last_as_null() -> None:
    pool = pl.DataFrame({"id": ["a", "b"], "dataset": "x"})
    assert ranked(pool, pl.Series([float("inf"), 1.0]), descending=True)["score"].to_list() == [1.0, None]


def test_a_grown_pool_with_the_same_best_gives_the_same_bytes(tmp_path) -> None:
    small = pl.DataFrame({"id": ["a", "b", "c"], "dataset": "x", "output_length": [9.0, 8.0, 1.0]})
    more = pl.DataFrame({"id": [f"m{k}" for k in range(500)], "dataset": "y", "output_length": 2.0})
    written = []
    for name, pool in (("small", small), ("large", pl.concat([more, small]))):
        subset = take(strategies.load("longest").rank(pool, SETTINGS["longest"]), 2, "unseen")
        write_parquet(subset, tmp_path / name, {"pool": "unseen"})
        written.append((tmp_path / name).read_bytes())
    assert written[0] == written[1]


def test_cherry_takes_the_hardest_but_nothing_above_one() -> None:
    ifd = [0.5, 1.0, 1.01, None, 0.9, float("nan")]
    pool = pl.DataFrame({"id": list("abcdef"), "dataset": "x", "ifd": ifd})
    ranking = strategies.load("cherry").rank(pool, {"kind": "cherry", "indicator": "ifd"})
    assert ranking["id"].to_list() == ["b", "e", "a", "c", "d", "f"]
    assert ranking["score"].to_list() == [1.0, 0.9, 0.5, None, None, None]
    with pytest.raises(InputError, match="3 rankable examples, subset asks 4"):
        take(ranking, 4, "unseen")
