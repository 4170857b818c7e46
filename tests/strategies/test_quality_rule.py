"""The order by the loss that a quality rule predicts."""

import polars as pl
import pytest

from instructmining.jobs.errors import InputError
from instructmining.strategies import quality_rule

SETTINGS = {"rule": {"coefficients": {"intercept": 1.0, "reward": -0.5, "output_length": 0.01}}}


def test_quality_rule_orders_by_predicted_log_loss_and_flags_nulls() -> None:
    pool = pl.DataFrame(
        {
            "id": ["d", "b", "a", "c", "e"],
            "dataset": "x",
            "reward": [1.0, 0.0, 0.0, None, 2.0],
            "output_length": [10.0, 10.0, 10.0, 10.0, float("nan")],
        }
    )
    ranking = quality_rule.rank(pool, SETTINGS)
    assert ranking["id"].to_list() == ["d", "a", "b", "c", "e"]
    assert ranking["score"].to_list() == pytest.approx([0.6, 1.1, 1.1, None, None], nan_ok=True)


def test_quality_rule_needs_its_indicators() -> None:
    with pytest.raises(InputError, match="needs indicator output_length"):
        quality_rule.rank(pl.DataFrame({"id": ["a"], "dataset": ["x"], "reward": [1.0]}), SETTINGS)
