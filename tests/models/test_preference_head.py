import numpy as np
import polars as pl
import pytest

from instructmining.jobs.errors import InputError
from instructmining.models.preference_head import fit_head, head_score, pair_rows


def sides(pairs, dimension=20, signal=0.5, seed=0):
    draw = np.random.default_rng(seed)
    direction = draw.normal(size=dimension)
    chosen, rejected = draw.normal(size=(2, pairs, dimension))
    return chosen + signal * direction, rejected, direction


def test_a_preference_direction_is_found_and_scored_higher():
    chosen, rejected, direction = sides(300)
    head = fit_head(chosen, rejected, ridge=1.0, folds=5, seed=0)
    assert head["heldout_accuracy"] > 0.8
    assert head["heldout_interval"][0] < head["heldout_accuracy"] < head["heldout_interval"][1]
    assert np.corrcoef(head["weights"], direction)[0, 1] > 0.7
    assert head_score(head, chosen.mean(0)) > head_score(head, rejected.mean(0))


def test_noise_is_not_learnt_out_of_sample():
    chosen, rejected, _ = sides(300, signal=0.0)
    low, high = fit_head(chosen, rejected, ridge=1.0, folds=5, seed=0)["heldout_interval"]
    assert low < 0.5 < high


def test_swapping_the_sides_turns_the_head_round():
    chosen, rejected, _ = sides(60)
    one = fit_head(chosen, rejected, ridge=1.0, folds=5, seed=0)["weights"]
    other = fit_head(rejected, chosen, ridge=1.0, folds=5, seed=0)["weights"]
    np.testing.assert_allclose(one, [-value for value in other], atol=1e-5)


def test_too_few_pairs_say_so():
    chosen, rejected, _ = sides(6)
    with pytest.raises(InputError, match="6 pairs, expected at least 10"):
        fit_head(chosen, rejected, ridge=1.0, folds=5, seed=0)


def test_pairs_are_rows_of_the_same_source_row():
    chosen, rejected = pl.DataFrame({"row": [4, 1, 7]}), pl.DataFrame({"row": [7, 2, 4]})
    assert pair_rows(chosen, rejected) == ([0, 2], [2, 0])
