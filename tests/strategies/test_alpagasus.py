"""The best by a judge's score, from a threshold on."""

import polars as pl
import pytest

from instructmining.jobs.errors import InputError
from instructmining.selection.rankings import take
from instructmining.strategies import alpagasus


def test_alpagasus_is_descending_and_leaves_out_what_is_below_its_threshold() -> None:
    pool = pl.DataFrame({"id": list("dcbae"), "dataset": "x", "judged": [4.5, 5.0, 4.5, None, 2.0]})
    assert alpagasus.rank(pool, {"indicator": "judged", "threshold": None})["id"].to_list() == ["c", "b", "d", "e", "a"]
    ranking = alpagasus.rank(pool, {"indicator": "judged", "threshold": 4.5})
    assert ranking["score"].to_list() == [5.0, 4.5, 4.5, None, None]
    assert take(ranking, None, "p")["id"].to_list() == ["c", "b", "d"]
    with pytest.raises(InputError, match=r"^pool p has 3 rankable examples, subset asks 4$"):
        take(ranking, 4, "p")
    with pytest.raises(InputError, match="no indicator words"):
        alpagasus.rank(pool, {"indicator": "words", "threshold": None})
