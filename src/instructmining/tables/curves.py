"""What a curve over sizes does: first minimum, rise and second descent, and where two curves cross.

Values are turned so that lower is better. Every noisy curve has a rise somewhere, so that one is there says nothing:
the question is whether it is higher than a curve without one would show by chance. ``Pattern.p_value`` is how often
such a curve with the same noise shows the pattern at least as high as it was observed:

- *Rise, second descent*: the observed curve's closest monotone (never rising) curve (isotonic regression, weights:
  runs a size) with noise added, drawn anew each time.
- *Crossing*: two curves that do not cross, the one's lead before the crossing with no difference from there on, and no
  difference before it with the other's lead from there on; the larger of the two probabilities.

In simulation (5 to 12 sizes, normal noise, level 0.05) a rise is claimed of a level curve in 7 to 8 % of studies (the
isotonic fit keeps some of the noise as a fall), of a falling one in 0 to 5 %; a second descent in at most 3 %; a
crossing of curves that do not cross in at most 4 %. ``tests/test_size_scan.py`` has a short one.
"""

from typing import NamedTuple

import numpy as np
from scipy.optimize import isotonic_regression

LEVEL = 0.05
# to fall, to rise and to fall again
FEWEST = 4


class Curve(NamedTuple):
    """``sizes`` ascending, ``value`` of each (lower is better), mean over ``runs``; ``noise``: draws x sizes around
    it."""

    sizes: np.ndarray
    value: np.ndarray
    noise: np.ndarray
    runs: np.ndarray


class Pattern(NamedTuple):
    """``size`` where it is, with the middle 95 % of its places in those resamples that have the pattern (None where
    there is none); ``height`` with the middle 95 % over resamples, at the observed place, in the values' unit.

    ``share``: of the resampled curves, how many have the pattern, however low; ``share_by_chance``: the same of curves
    that have it by chance alone; ``p_value``: see above.
    """

    size: int | None
    size_low: int | None
    size_high: int | None
    height: float
    height_low: float
    height_high: float
    share: float
    share_by_chance: float
    p_value: float


class Rise(NamedTuple):
    """``minimum`` has the probability of ``rise``; ``share_below``: of the resamples with a second descent, how many
    end below the first minimum."""

    minimum: Pattern
    rise: Pattern
    second_descent: Pattern
    share_below: float


class _Places(NamedTuple):
    """Of each row: the places of the first minimum, of the peak and of the lowest value from there on; the rise to the
    peak, and the smaller of rise and second descent."""

    minimum: np.ndarray
    peak: np.ndarray
    again: np.ndarray
    rise: np.ndarray
    both: np.ndarray


def find_rise(curve: Curve) -> Rise:
    """The highest rise over a lower value before it, and the descent after its peak.

    ``second_descent``: ``height`` is the fall from the peak, its probability that of a rise and a fall at least as
    high as the smaller of the two, and never below the rise's own: where no rise is, nothing descends again.
    """
    seen = _places(curve.value[None])
    drawn = _places(curve.value + curve.noise)
    monotone = isotonic_regression(curve.value, weights=curve.runs, increasing=False).x
    chance = _places(monotone + curve.noise)
    minimum, peak, again = int(seen.minimum[0]), int(seen.peak[0]), int(seen.again[0])
    p_rise = _probability(chance.rise, seen.rise[0])
    p_both = max(p_rise, _probability(chance.both, seen.both[0]))
    rise = _pattern(_height(curve, peak, minimum), drawn.rise, chance.rise, p_rise)
    # without a rise the peak is the first size, and the fall from it no second one
    height = _height(curve, peak, again) if seen.rise[0] > 0 else (0.0, 0.0, 0.0)
    fall = _pattern(height, drawn.both, chance.both, p_both)
    ends = np.take_along_axis(curve.value + curve.noise, np.column_stack([drawn.again, drawn.minimum]), axis=1)
    below = (ends[:, 0] < ends[:, 1])[drawn.both > 0]
    return Rise(
        _located(rise, curve.sizes, minimum, drawn.minimum[drawn.rise > 0]),
        _located(rise, curve.sizes, peak, drawn.peak[drawn.rise > 0]),
        _located(fall, curve.sizes, again, drawn.again[drawn.both > 0]),
        float(below.mean()) if below.size else 0.0,
    )


class Crossing(NamedTuple):
    """``before``, ``after``: the first curve's mean lead over the second below the crossing's size, and from it on.

    Where they do not cross, ``pattern.size`` is None and one of the two, having no sizes, None.
    """

    pattern: Pattern
    before: float | None
    after: float | None


def find_crossing(one: Curve, other: Curve) -> Crossing:
    """The size from which ``other`` is no worse than ``one``, which leads below it. Both have the same sizes.

    It parts the sizes so that the summed lead before it is largest and the one from it on smallest. ``height`` is the
    smaller of the two mean leads; the probability goes by the sums, so that a lead at many sizes says more.
    """
    lead, noise = other.value - one.value, other.noise - one.noise
    places, sums = _crossings(lead[None])
    at, seen = int(places[0]), float(sums[0])
    first = np.arange(len(lead)) < at
    drawn, height = _crossings(lead + noise)
    chances = [_crossings(np.where(kept, lead, 0.0) + noise)[1] for kept in (first, ~first)]
    before = float(lead[first].mean()) if first.any() else None
    after = float(lead[~first].mean()) if not first.all() else None
    p = max(_probability(chance, seen) for chance in chances)
    likeliest = max(chances, key=lambda chance: float((chance > 0).mean()))
    if before is None or after is None:
        return Crossing(_pattern((0.0, 0.0, 0.0), height, likeliest, p), before, after)
    leads = lead + noise
    sides = np.minimum(leads[:, first].mean(axis=1), -leads[:, ~first].mean(axis=1))
    pattern = _pattern((min(before, -after), *_middle(sides)), height, likeliest, p)
    return Crossing(_located(pattern, one.sizes, at, drawn[height > 0]), before, after)


def _places(values: np.ndarray) -> _Places:
    rows, at = np.arange(len(values)), np.arange(values.shape[1])
    risen = values - np.minimum.accumulate(values, axis=1)
    peak = risen.argmax(axis=1)
    minimum = np.where(at <= peak[:, None], values, np.inf).argmin(axis=1)
    again = np.where(at >= peak[:, None], values, np.inf).argmin(axis=1)
    rise, fall = risen[rows, peak], values[rows, peak] - values[rows, again]
    return _Places(minimum, peak, again, rise, np.minimum(rise, fall))


def _crossings(leads: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each row: how many sizes lie before the crossing, and the smaller of the summed leads on its sides."""
    sums = np.column_stack([np.zeros(len(leads)), leads.cumsum(axis=1)])
    at = sums.argmax(axis=1)
    most = sums.max(axis=1)
    return at, np.minimum(most, most - sums[:, -1])


def _probability(chance: np.ndarray, seen: float) -> float:
    """Never 0: nothing rarer than one in the draws and the observed one was looked at."""
    return float((1 + (chance >= seen).sum()) / (1 + len(chance))) if seen > 0 else 1.0


def _pattern(height: tuple[float, float, float], drawn: np.ndarray, chance: np.ndarray, p: float) -> Pattern:
    """``drawn`` and ``chance``: heights in the resamples, and by chance. Without a place as yet."""
    shares = float((drawn > 0).mean()), float((chance > 0).mean())
    return Pattern(None, None, None, *height, *shares, p)


def _located(pattern: Pattern, sizes: np.ndarray, at: int, drawn: np.ndarray) -> Pattern:
    """``drawn``: its places in the resamples that have it."""
    if pattern.height <= 0 or not drawn.size:
        return pattern
    # an interval of sizes that were scanned: nothing between them was seen
    low, high = np.quantile(drawn, [LEVEL / 2, 1 - LEVEL / 2], method="inverted_cdf").astype(int)
    return pattern._replace(size=int(sizes[at]), size_low=int(sizes[low]), size_high=int(sizes[high]))


def _height(curve: Curve, top: int, bottom: int) -> tuple[float, float, float]:
    height = float(curve.value[top] - curve.value[bottom])
    return height, *_middle(height + curve.noise[:, top] - curve.noise[:, bottom])


def _middle(values: np.ndarray) -> tuple[float, float]:
    low, high = np.quantile(values, [LEVEL / 2, 1 - LEVEL / 2])
    return float(low), float(high)
