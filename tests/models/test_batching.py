"""The batching engine: budgets, memory that runs out, order of results, packed and padded batches."""

import threading

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from instructmining.models.batching import Budget, ahead, batches, over_batches, packed, padded

CPU = torch.device("cpu")


@given(st.lists(st.integers(1, 300), max_size=60), st.integers(1, 600))
def test_batches_hold_every_row_once_within_the_budget(lengths, tokens):
    found = batches(lengths, tokens)
    assert sorted(row for batch in found for row in batch) == list(range(len(lengths)))
    for batch in found:
        assert len(batch) == 1 or len(batch) * max(lengths[row] for row in batch) <= tokens


@given(st.lists(st.integers(1, 50), max_size=40), st.integers(1, 200), st.integers(1, 60))
def test_out_of_memory_halves_the_budget_and_loses_nothing(lengths, tokens, room):
    budget, heard = Budget(tokens), []

    def launch(batch):
        if len(batch) * max(lengths[row] for row in batch) > room:
            raise torch.OutOfMemoryError("no room")
        return lambda: [lengths[row] * 10 for row in batch]

    expected = [length * 10 if length <= room else None for length in lengths]
    assert over_batches(lengths, budget, launch, heard.append) == expected
    assert sum(heard) == len(lengths)
    # what was learnt about memory holds for the next part
    assert budget.tokens == tokens or budget.tokens <= tokens // 2 or budget.tokens == 1


def test_results_are_fetched_one_batch_behind():
    events = []

    def launch(batch):
        events.append(("launch", batch))
        return lambda: events.append(("fetch", batch)) or batch

    assert over_batches([3, 2, 1], Budget(1), launch) == [0, 1, 2]
    assert events == [
        ("launch", [0]),
        ("launch", [1]),
        ("fetch", [0]),
        ("launch", [2]),
        ("fetch", [1]),
        ("fetch", [2]),
    ]


def test_another_error_is_not_taken_for_lack_of_memory():
    def launch(batch):
        raise RuntimeError("shape mismatch")

    with pytest.raises(RuntimeError, match="shape mismatch"):
        over_batches([3, 4], Budget(100), launch)


def test_ahead_makes_the_next_item_while_one_is_used():
    made = [threading.Event() for _ in range(3)]

    def items():
        for event in made:
            event.set()
            yield event

    for place, _ in enumerate(ahead(items())):
        assert all(event.wait(timeout=10) for event in made[: place + 2])
    assert list(ahead([])) == []


def test_ahead_hands_an_error_on():
    def items():
        yield 1
        raise ValueError("unreadable")

    found = ahead(items())
    assert next(found) == 1
    with pytest.raises(ValueError, match="unreadable"):
        next(found)


@given(st.lists(st.integers(1, 6), min_size=1, max_size=5), st.lists(st.integers(1, 3), max_size=3))
def test_packed_rows_and_their_suffixes(lengths, tails):
    rows = [[100 * row + place for place in range(length)] for row, length in enumerate(lengths)]
    suffixes = [[-10 * (number + 1) - place for place in range(tail)] for number, tail in enumerate(tails)]
    batch = packed(rows, CPU, suffixes)
    ids, positions = batch["input_ids"][0], batch["position_ids"][0]
    queries, keys = batch["cu_seq_lens_q"].tolist(), batch["cu_seq_lens_k"].tolist()
    index = batch.get("key_index", torch.arange(len(ids)))
    expected = [(row, row, range(len(row))) for row in rows]
    for row in rows:
        expected += [(suffix, [*row, *suffix], range(len(row), len(row) + len(suffix))) for suffix in suffixes]
    assert len(queries) == len(keys) == len(expected) + 1
    for place, (tokens, seen, where) in enumerate(expected):
        own = slice(queries[place], queries[place + 1])
        assert ids[own].tolist() == tokens
        assert positions[own].tolist() == list(where)
        assert ids[index[keys[place] : keys[place + 1]]].tolist() == seen
    assert batch["max_length_q"] == max(len(tokens) for tokens, _, _ in expected)
    assert batch["max_length_k"] == max(len(seen) for _, seen, _ in expected)


def test_padded_on_the_right():
    assert padded([[1, 2, 3], [4]], 0, CPU).tolist() == [[1, 2, 3], [4, 0, 0]]
