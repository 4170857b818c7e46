import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from instructmining.batching import batches, over_batches, packed_mask, padded


@given(st.lists(st.integers(1, 300), max_size=60), st.integers(1, 600))
def test_batches_hold_every_row_once_within_the_budget(lengths, budget):
    found = batches(lengths, budget)
    assert sorted(row for batch in found for row in batch) == list(range(len(lengths)))
    for batch in found:
        assert len(batch) == 1 or len(batch) * max(lengths[row] for row in batch) <= budget


@given(st.lists(st.integers(1, 50), max_size=40), st.integers(1, 200), st.integers(1, 60))
def test_out_of_memory_halves_the_budget_and_loses_nothing(lengths, budget, room):
    def forward(batch):
        if len(batch) * max(lengths[row] for row in batch) > room:
            raise torch.OutOfMemoryError("no room")
        return [lengths[row] * 10 for row in batch]

    expected = [length * 10 if length <= room else None for length in lengths]
    assert over_batches(lengths, budget, forward) == expected


def test_another_error_is_not_taken_for_lack_of_memory():
    def forward(batch):
        raise RuntimeError("shape mismatch")

    with pytest.raises(RuntimeError, match="shape mismatch"):
        over_batches([3, 4], 100, forward)


def test_padded_on_the_right():
    assert padded([[1, 2, 3], [4]], 0, torch.device("cpu")).tolist() == [[1, 2, 3], [4, 0, 0]]


@given(st.lists(st.integers(1, 6), min_size=1, max_size=5))
def test_packed_mask_is_causal_inside_and_closed_between_examples(lengths):
    mask = packed_mask(lengths)[0, 0]
    owner = [i for i, length in enumerate(lengths) for _ in range(length)]
    for i in range(len(owner)):
        for j in range(len(owner)):
            assert bool(mask[i, j]) == (owner[i] == owner[j] and j <= i)
