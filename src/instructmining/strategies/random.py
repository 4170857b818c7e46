"""A seeded permutation of the pool: the baseline of every comparison (Diddee & Ippolito 2024, section 3.2)."""

import hashlib
import logging
from collections.abc import Mapping
from typing import Any

import polars as pl

from instructmining.selection.overlap import overlaps, prefixes
from instructmining.selection.rankings import ranked
from instructmining.settings import ABSENT, REQUIRED, Strategy, anything, names, number, whole

SPEC = Strategy(
    version=1,
    meaning="seeded permutation",
    settings={
        "seeds": whole(3, "how many: `random-0`, `random-1`, …", minimum=1, again="only the new ones"),
        "seed": whole(0, "seed of all of them", minimum=0),
        "against": names(
            "strategies", ABSENT, "strategies whose subsets it must not overlap too much with; no baselines"
        ),
        "sizes": anything(
            {"type": "array", "minItems": 1, "uniqueItems": True, "items": {"type": "integer", "minimum": 1}},
            "list of whole numbers",
            REQUIRED,
            "subset sizes at which that is looked at",
            only_with={"against": None},
        ),
        "overlap": number(
            0.3,
            "largest share of such a subset that may be in the random one of the same size",
            minimum=0,
            maximum=1,
            only_with={"against": None},
        ),
        "redraws": whole(100, "permutations tried beyond the first", minimum=1, only_with={"against": None}),
    },
    rankings="against",
    is_baseline=True,
    order=2,
)


def rank(examples: pl.DataFrame, settings: Mapping[str, Any]) -> pl.DataFrame:
    """Score = a number in [0, 1) drawn from (``seed``, ``index``, id), ascending; ``index`` is 2 for ``random-2``.

    A draw belongs to the id alone: neither the order of the pool nor what else is in it changes how two examples
    stand to each other.

    With ``against`` the permutation is drawn anew, at most ``redraws`` times, while at one of ``sizes`` its prefix
    holds more than the share ``overlap`` of another strategy's prefix; ``settings["rankings"]`` are those strategies'
    orders of the pool by name. Where no draw meets the limit it is the one whose largest overlap is least; the log
    says so. Which draw is taken depends on the whole pool; the first is the one without ``against``.

    InputError where a strategy ranks fewer examples than one of the sizes.
    """
    first = permutation(examples, f"{settings['seed']}/{settings['index']}/")
    if "against" not in settings:
        return first
    against = prefixes(settings["rankings"], settings["sizes"])
    best, least, drawn = first, _largest(first, against), 0
    while least[0] > settings["overlap"] and drawn < settings["redraws"]:
        drawn += 1
        ranking = permutation(examples, f"{settings['seed']}/{settings['index']}/{drawn}/")
        best, least = min((best, least), (ranking, _largest(ranking, against)), key=lambda pair: pair[1][0])
    share, name, size = least
    found = f"{drawn} redraws; the largest overlap is {share:.1%}, of {name}'s first {size}"
    if share > settings["overlap"]:
        logging.warning("%s: no draw is within %.1f %%, this is the least found", found, 100 * settings["overlap"])
    else:
        logging.info("%s: within %.1f %%", found, 100 * settings["overlap"])
    return best


def permutation(examples: pl.DataFrame, prefix: str) -> pl.DataFrame:
    """The examples by a number in [0, 1) that is drawn from ``prefix`` and the id, ascending."""
    state = hashlib.blake2b(prefix.encode(), digest_size=8)
    return ranked(examples, pl.Series([_draw(state, i) for i in examples["id"]], dtype=pl.Float64), descending=False)


def _largest(ranking: pl.DataFrame, against: Mapping[tuple[str, int], pl.Series]) -> tuple[float, str, int]:
    """The largest overlap, with whom, and at which size."""
    return max((share, name, size) for (name, size), share in overlaps(ranking, against).items())


def _draw(prefix: "hashlib.blake2b", example: str) -> float:
    state = prefix.copy()
    state.update(example.encode())
    return (int.from_bytes(state.digest(), "big") >> 11) / 2**53
