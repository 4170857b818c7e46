"""The replayed search."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instructmining.jobs.errors import InputError
from instructmining.selection.search import choose, propose, told


def toy_loss(size: int) -> float:
    """Lowest at 2 ** 9."""
    return 1.5 + 0.02 * (math.log2(size) - 9) ** 2


def run(trials: int, loss=toy_loss, *, low: int = 32, high: int = 4096, parallel: int = 1, seed: int = 7) -> list[dict]:
    proposals: list[dict] = []
    for t in range(trials):
        losses = [loss(proposals[k]["size"]) for k in told(t, parallel)]
        proposals.append(propose(t, proposals, losses, search="main", low=low, high=high, parallel=parallel, seed=seed))
    return proposals


@given(st.integers(0, 50), st.integers(1, 4))
def test_told_are_the_trials_up_to_t_minus_parallel(trial: int, parallel: int) -> None:
    assert list(told(trial, parallel)) == [t for t in range(trial) if t <= trial - parallel]


@pytest.mark.parametrize("parallel", [1, 2])
@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 1000))
def test_every_prefix_reproduces(parallel: int, seed: int) -> None:
    proposals = run(7, parallel=parallel, seed=seed)
    assert proposals == run(7, parallel=parallel, seed=seed)
    assert all(32 <= p["size"] <= 4096 and isinstance(p["size"], int) for p in proposals)
    assert [p["trial"] for p in proposals] == list(range(7))
    assert len({p["size"] for p in proposals}) > 3


def test_more_trials_leave_the_earlier_ones() -> None:
    assert run(10)[:6] == run(6)


def test_it_starts_cheap_and_finds_the_valley() -> None:
    sizes = [p["size"] for p in run(12)]
    assert sizes[0] == 32
    assert min(map(toy_loss, sizes)) < 1.51


def test_both_ends_can_be_proposed_and_a_used_up_range_is_an_error() -> None:
    assert {p["size"] for p in run(4, low=4, high=7)} == {4, 5, 6, 7}
    with pytest.raises(InputError, match="search main: trial 4: no size between 4 and 7 is left"):
        run(5, low=4, high=7)


@pytest.mark.parametrize("key, value", [("size", 77), ("searcher_id", "002.9")])
@pytest.mark.parametrize("parallel", [1, 2])
def test_a_changed_proposal_is_noticed(parallel: int, key: str, value: object) -> None:
    proposals = run(5, parallel=parallel)
    losses = [toy_loss(proposals[k]["size"]) for k in told(5, parallel)]
    proposals[2] = {**proposals[2], key: value}
    with pytest.raises(InputError, match=r"search main: replay of trial 2 .* optuna changed") as raised:
        propose(5, proposals, losses, search="main", low=32, high=4096, parallel=parallel, seed=7)
    assert "\n" not in str(raised.value)


def test_a_changed_loss_or_seed_is_noticed() -> None:
    proposals = run(8)
    losses = [toy_loss(p["size"]) for p in proposals]
    for changed, seed in (([9.0 - loss for loss in losses], 7), (losses, 8)):
        with pytest.raises(InputError, match="search main: replay of trial"):
            propose(8, proposals, changed, search="main", low=32, high=4096, parallel=1, seed=seed)


@pytest.mark.parametrize("failed", [None, math.nan, math.inf])
def test_a_failed_trial_is_told_and_the_search_goes_on(failed: float | None) -> None:
    proposals = run(2)
    losses = [failed, failed]
    for t in range(2, 8):
        proposals.append(propose(t, proposals, losses, search="main", low=32, high=4096, parallel=1, seed=7))
        losses.append(toy_loss(proposals[t]["size"]))
    assert len({p["size"] for p in proposals[2:]}) > 3
    assert proposals[2:] != run(8)[2:]


def test_history_of_the_wrong_length_is_an_error() -> None:
    with pytest.raises(InputError, match="search main: trial 2 needs 2 proposals and 2 losses, got 2 and 1"):
        propose(2, run(2), [1.0], search="main", low=32, high=4096, parallel=1, seed=7)


def test_the_searcher_is_quiet(capfd) -> None:
    run(3)
    captured = capfd.readouterr()
    assert captured.out == captured.err == ""


def test_choose_takes_the_lowest_value_and_the_smaller_size_of_equals() -> None:
    trials = [
        {"trial": 0, "size": 90, "value": 1.0, "extra": 1},
        {"trial": 1, "size": 50, "value": 1.0},
        {"trial": 2, "size": 10, "value": None},
        {"trial": 3, "size": 20, "value": 2.0},
    ]
    best = choose(trials, "main")
    assert (best["best_size"], best["best_value"], best["best_trial"]) == (50, 1.0, 1)
    assert best["trials"][0] == {"trial": 0, "size": 90, "value": 1.0}
    assert len(best["trials"]) == 4
    with pytest.raises(InputError, match="search main: none of its 1 trials has a finite loss"):
        choose([trials[2]], "main")
