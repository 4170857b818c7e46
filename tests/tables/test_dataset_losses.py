"""Losses by dataset: means over draws, their interval, and the order."""

from pathlib import Path

import polars as pl
import pytest
from scipy.stats import ttest_1samp

import study_files
from instructmining.evaluations import HIGHER
from instructmining.tables import comparison, dataset_losses


def evaluations(folder: Path, draws: int = 3) -> pl.DataFrame:
    return comparison.read_evaluations(*study_files.by_dataset(folder, draws))


def test_the_interval_is_students_over_draws_and_the_best_comes_first(tmp_path: Path) -> None:
    frame = evaluations(tmp_path)
    table = dataset_losses.table(frame, study_files.DATASETS)
    assert table.schema == pl.Schema(dataset_losses.TABLE_SCHEMA)
    assert table["dataset"].to_list() == ["good", "alpaca"] and table["place"].to_list() == [1, 2]
    row = table.row(0, named=True)
    values = frame.filter(pool="s_good")["value"]
    expected = ttest_1samp(values.to_numpy(), 0.0).confidence_interval()
    assert row["value"] == pytest.approx(values.mean()) and row["sd"] == pytest.approx(values.std())
    assert (row["low"], row["high"]) == pytest.approx((expected.low, expected.high))
    assert (row["draws"], row["examples"]) == (3, 10)


def test_where_higher_is_better_the_highest_comes_first(tmp_path: Path) -> None:
    frame = evaluations(tmp_path).with_columns(direction=pl.lit(HIGHER))
    assert dataset_losses.table(frame, study_files.DATASETS)["dataset"].to_list() == ["alpaca", "good"]


def test_one_draw_has_no_interval(tmp_path: Path) -> None:
    table = dataset_losses.table(evaluations(tmp_path, 1), study_files.DATASETS)
    assert table["low"].null_count() == table["high"].null_count() == table["sd"].null_count() == 2
