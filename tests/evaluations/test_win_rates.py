"""Win rates: against AlpacaEval's published figures, statsmodels, and what cannot be told."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st

from instructmining.evaluations import win_rates
from instructmining.evaluations.win_rates import length_controlled, mean_adjusted, raw
from instructmining.jobs.errors import InputError

DATA = Path(__file__).parents[2] / "../shared/data/alpaca_eval"
needs_data = pytest.mark.skipif(not DATA.exists(), reason="shared data is not here")
MODELS = ("alpaca-7b", "vicuna-7b-v1.5", "falcon-7b-instruct", "gemma-2b-it", "claude-2")
# tatsu-lab/alpaca_eval, metrics/weights/weighted_alpaca_eval_gpt4_turbo/length_controlled_v1, lengths the other way
PUBLISHED_WEIGHTS = {
    "alpaca-7b": (2.2067864500930003, 0.9859274836495522, -3.6907417919074890),
    "vicuna-7b-v1.5": (1.8610517599586256, 1.0968125007177112, -3.5163474642647694),
    "falcon-7b-instruct": (1.9554984210635040, 0.9197438703191234, -4.0502215536568924),
    "gemma-2b-it": (1.7133755852713253, 0.8907609790088235, -3.6281135660972095),
    "claude-2": (1.8739694447471489, 0.9967331116898248, -1.1814326793306524),
}


def annotations(model):
    found = pl.read_csv(DATA / "annotations.csv").filter(model=model)
    columns = ("length_model", "length_baseline", "instruction_difficulty")
    return (found["preference"].clip(1, 2).to_numpy() - 1, *(found[column].to_numpy() for column in columns))


def published(model):
    return pl.read_csv(DATA / "published.csv").row(by_predicate=pl.col("model") == model, named=True)


@needs_data
@pytest.mark.parametrize("model", MODELS)
def test_alpaca_eval_s_published_figures(model):
    preferences, *lengths, difficulty = annotations(model)
    assert 100 * raw(preferences) == pytest.approx(published(model)["win_rate"], abs=1e-9)
    found = length_controlled(preferences, *lengths, difficulty)
    assert 100 * found.value == pytest.approx(published(model)["length_controlled_winrate"], abs=0.3)
    assert list(found.weights.values()) == pytest.approx(PUBLISHED_WEIGHTS[model], abs=0.1)
    low, high = found.interval
    assert low < found.value < high and 0.003 < high - low < 0.1


def left_over(model):
    """What the published weights leave over of the GLM's equations for w1 and w2: the pull of the gamed baselines."""
    preferences, *lengths, difficulty = annotations(model)
    delta = np.subtract(*lengths)
    x = np.column_stack([np.tanh(delta / delta.std(ddof=1)), difficulty, np.ones(len(delta))])
    return (x.T @ (preferences - 1 / (1 + np.exp(-x @ PUBLISHED_WEIGHTS[model]))))[:2]


def pull_of(models):
    rows, values = [], []
    for model in models:
        one, two, _ = PUBLISHED_WEIGHTS[model]
        rows += [[one, two, 0, -1, 0], [0, one, two, 0, -1]]
        values += left_over(model).tolist()
    a, b, c, *shift = np.linalg.lstsq(np.array(rows), np.array(values), rcond=None)[0]
    pull, centre = np.zeros((3, 3)), np.zeros(3)
    pull[:2, :2] = [[a, b], [b, c]]
    centre[:2] = np.linalg.solve(pull[:2, :2], shift)
    return pull, centre


@needs_data
def test_the_pull_is_that_of_the_published_weights():
    pull, centre = pull_of(MODELS)
    np.testing.assert_allclose(pull, win_rates._PULL, rtol=1e-6)
    np.testing.assert_allclose(centre, win_rates._CENTRE, rtol=1e-6)


@needs_data
@pytest.mark.parametrize("model", MODELS)
def test_the_pull_of_the_other_models_is_enough(model, monkeypatch):
    pull, centre = pull_of([other for other in MODELS if other != model])
    monkeypatch.setattr(win_rates, "_PULL", pull)
    monkeypatch.setattr(win_rates, "_CENTRE", centre)
    found = length_controlled(*annotations(model))
    assert 100 * found.value == pytest.approx(published(model)["length_controlled_winrate"], abs=0.15)


@needs_data
@pytest.mark.parametrize("model", MODELS)
def test_without_difficulty_it_is_a_plain_glm(model):
    preferences, *lengths, _ = annotations(model)
    found = length_controlled(preferences, *lengths)
    delta = np.subtract(*lengths)
    x = np.column_stack([np.tanh(delta / delta.std(ddof=1)), np.ones(len(delta))])
    fit = sm.GLM(preferences, x, family=sm.families.Binomial()).fit(cov_type="HC0", tol=1e-12)
    assert list(found.weights.values()) == pytest.approx(fit.params, abs=1e-8)
    # statsmodels leaves the correction for small samples out, though it has the name HC1 for GLMs too
    error = 1.96 * fit.bse[1] * np.sqrt(len(delta) / (len(delta) - 2))
    low, high = (1 / (1 + np.exp(-(fit.params[1] + side * error))) for side in (-1, 1))
    assert (found.value, *found.interval) == pytest.approx((1 / (1 + np.exp(-fit.params[1])), low, high), abs=2e-6)


def drawn(items=400, seed=0, w=(1.5, -0.4)):
    """Wins, ties and losses drawn from the GLM, with lengths of the model and of the baseline."""
    draw = np.random.default_rng(seed)
    lengths = draw.integers(20, 3000, (2, items))
    delta = lengths[0] - lengths[1]
    chance = 1 / (1 + np.exp(-(w[0] * np.tanh(delta / delta.std(ddof=1)) + w[1])))
    return (draw.binomial(2, chance) / 2, *lengths)


def test_the_interval_covers_as_often_as_it_says():
    truth = 1 / (1 + np.exp(0.4))
    held = [low <= truth <= high for low, high in (length_controlled(*drawn(seed=s)).interval for s in range(300))]
    assert 0.91 <= np.mean(held) <= 0.985


def test_longer_answers_that_win_win_less_at_equal_length():
    preferences, ours, theirs = drawn(items=800)
    ours = ours + 2000
    delta = ours - theirs
    assert raw(preferences) == preferences.mean() and delta.mean() > 1000
    wins = (np.random.default_rng(1).random(800) < 1 / (1 + np.exp(-2 * np.tanh(delta / delta.std(ddof=1))))) * 1.0
    found = length_controlled(wins, ours, theirs)
    assert raw(wins) > 0.75 and 0.4 < found.value < 0.6 and found.weights["length"] > 1


@given(st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=6, max_size=40), st.integers(0, 99))
def test_the_other_model_s_win_rate_is_the_rest(preferences, seed):
    ours, theirs = np.random.default_rng(seed).integers(1, 900, (2, len(preferences)))
    found = length_controlled(preferences, ours, theirs)
    other = length_controlled([1 - value for value in preferences], theirs, ours)
    assert raw(preferences) + raw([1 - value for value in preferences]) == pytest.approx(1)
    assert (found.value is None) == (other.value is None)
    if found.value is not None:
        assert found.value + other.value == pytest.approx(1, abs=1e-6)
        assert found.interval[0] <= found.value <= found.interval[1]


def test_equal_lengths_leave_the_raw_win_rate():
    preferences = [1.0, 0.0, 0.5, 1.0, 1.0, 0.0, 1.0]
    found = length_controlled(preferences, [100] * 7, [100] * 7)
    assert found.value == pytest.approx(raw(preferences)) and list(found.weights) == ["constant"]


@pytest.mark.parametrize(
    ("preferences", "ours", "theirs", "reason"),
    [
        ([1.0] * 9, range(9), [4] * 9, "all alike, or separated"),
        ([0.0] * 9, range(9), [4] * 9, "all alike, or separated"),
        ([0.0] * 5 + [1.0] * 5, range(10), [5] * 10, "all alike, or separated"),
        ([1.0, 0.0, 1.0, 0.5, 1.0], range(5), [2] * 5, "5 items are too few for 2 weights"),
        ([1.0, 0.0, 1.0, 0.5, 1.0, 0.0], [30] * 6, [20] * 6, "all lengths differ by the same"),
    ],
)
def test_what_cannot_be_told(preferences, ours, theirs, reason):
    found = length_controlled(preferences, ours, theirs)
    assert (found.value, found.interval, found.weights) == (None, None, {}) and reason in found.reason


@pytest.mark.parametrize("preferences", [[1.5] * 6, [-0.1] * 6, [float("nan")] * 6, []])
def test_no_preferences(preferences):
    with pytest.raises(InputError, match=r"^win rate: "):
        raw(preferences)


def test_mean_adjusted_is_in_points_above_half():
    assert mean_adjusted(0.5) == 0 and mean_adjusted(0.5312) == pytest.approx(3.12)
