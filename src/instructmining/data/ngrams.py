"""N-grams of words that texts have in common: one index of some texts, against which any number of others are held.

A word is what GPT-3's contamination study calls a gram: "a lowercase, whitespace delimited word with no punctuation",
n = 13 (Brown et al. 2020, appendix C); lm-evaluation-harness does the same (lm_eval/decontamination/janitor.py).
Punctuation is taken away, not made white space, and is Unicode's as well as ASCII's: curly quotes are no difference.
"""

import string
import sys
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import accumulate, chain, islice

import numpy as np

# any odd number whose powers fill 64 bits
_BASE = np.uint64(0x9E3779B97F4A7C15)
# texts hashed at a time: their arrays stay in the processor's cache
_TEXTS_AT_ONCE = 500
# of the filter's entries at most one in this many is set, up to 2**_MOST_BITS entries
_SPARSE, _MOST_BITS = 64, 26


def words(text: str) -> list[str]:
    """The text's words: lower case, without punctuation."""
    return text.lower().translate(_punctuation()).split()


@cache
def _punctuation() -> dict[int, None]:
    marks = [place for place in range(sys.maxunicode + 1) if unicodedata.category(chr(place)).startswith("P")]
    return dict.fromkeys([*map(ord, string.punctuation), *marks])


class Index:
    """Every n-gram of some texts. A text of fewer than ``n`` words has none, so it is in common with nothing.

    A hash of 64 bits finds a place, the words themselves decide: nothing is missed and nothing is mistaken.
    """

    def __init__(self, texts: Iterable[str], n: int) -> None:
        """ValueError for ``n`` below 1."""
        if n < 1:
            raise ValueError(f"n-grams of {n} words")
        self.n = n
        self._words = [[sys.intern(word) for word in words(text)] for text in texts]
        hashes, places = [], []
        for number, own in enumerate(self._words):
            found = _rolled(_hashes(own), n)
            hashes.append(found)
            places.append(np.stack([np.full(len(found), number), np.arange(len(found))], axis=1))
        found = np.concatenate([np.zeros(0, np.uint64), *hashes])
        order = np.argsort(found, kind="stable")
        self._hashes = found[order]
        self._places = np.concatenate([np.zeros((0, 2), np.int64), *places]).astype(np.int32)[order]
        bits = min(_MOST_BITS, max(10, (len(found) * _SPARSE).bit_length()))
        self._shift = np.uint64(64 - bits)
        self._filter = np.zeros(1 << bits, dtype=bool)
        self._filter[self._hashes >> self._shift] = True

    def shared(self, texts: Sequence[str]) -> dict[tuple[int, int], str]:
        """(row of ``texts``, number of an indexed text) of all that share an n-gram: its words, blanks between.

        Where they share several it is the first in the row's order.
        """
        found: dict[tuple[int, int], str] = {}
        for row, own, start, number, place in self._hits(texts):
            if (row, number) not in found:
                gram = own[start : start + self.n]
                if gram == self._words[number][place : place + self.n]:
                    found[row, number] = " ".join(gram)
        return found

    def _hits(self, texts: Iterable[str]) -> Iterator[tuple[int, list[str], int, int, int]]:
        """Row, its words, and where in them an n-gram begins that has the hash of that indexed text's at that place."""
        waiting = iter(texts)
        first = 0
        while part := [words(text) for text in islice(waiting, _TEXTS_AT_ONCE)]:
            borders = list(accumulate(map(len, part), initial=0))
            rolled = _rolled(_hashes(list(chain.from_iterable(part))), self.n)
            for where in np.flatnonzero(self._filter[rolled >> self._shift]).tolist():
                row = bisect_right(borders, where) - 1
                if where + self.n > borders[row + 1]:
                    continue
                low, high = (int(np.searchsorted(self._hashes, rolled[where], side)) for side in ("left", "right"))
                for number, place in self._places[low:high].tolist():
                    yield first + row, part[row], where - borders[row], number, place
            first += len(part)


def _hashes(own: Sequence[str]) -> np.ndarray:
    """Python's own hash of every word, uint64: it differs between processes, and so do collisions, but no result."""
    return np.fromiter(map(hash, own), np.int64, len(own)).view(np.uint64)


def _rolled(hashes: np.ndarray, n: int) -> np.ndarray:
    """A hash of every n words in a row, (words - n + 1,) or none: a polynomial in ``_BASE`` modulo 2**64."""
    count = max(0, len(hashes) - n + 1)
    found = np.zeros(count, np.uint64)
    for place in range(n if count else 0):
        found *= _BASE
        found += hashes[place : place + count]
    return found
