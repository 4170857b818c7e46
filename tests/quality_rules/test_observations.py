"""Observations: indicator means and losses of mixtures, from runs or from a table."""

from pathlib import Path

import polars as pl
import pytest

from instructmining.jobs.errors import InputError
from instructmining.jobs.files import write_parquet
from instructmining.quality_rules.observations import from_csv, from_runs, mixture_examples

PUBLISHED = Path(__file__).parents[2] / "../shared/data/instructmining_observations.csv"


def in_mixtures(mixtures: dict[str, pl.DataFrame], indicators: pl.DataFrame) -> pl.DataFrame:
    """The examples of mixtures with their indicators, as fitting attaches them."""
    named = pl.concat(subset.with_columns(mixture=pl.lit(name)) for name, subset in mixtures.items())
    return named.join(indicators, on=["id", "dataset"], how="left", maintain_order="left")


def test_observations_average_values_and_count_nulls() -> None:
    indicators = pl.DataFrame(
        {
            "id": ["1", "2", "3", "1"],
            "dataset": ["a", "a", "a", "b"],
            "reward": [1.0, None, 4.0, 100.0],
            "mtld": [10.0, 20.0, float("nan"), 0.0],
        }
    )
    mixtures = {
        "base-000": pl.DataFrame({"id": ["2", "1", "3"], "dataset": ["a", "a", "a"]}),
        "base-001": pl.DataFrame({"id": ["1", "2"], "dataset": ["b", "a"]}),
    }
    losses = {"base-001": 2.0, "base-000": 1.5}
    table = in_mixtures(mixtures, indicators)
    frame, nulls = from_runs(table, losses, ["mtld", "reward"])
    assert frame.rows() == [("base-000", 15.0, 2.5, 1.5), ("base-001", 10.0, 100.0, 2.0)]
    assert nulls == {"mtld": 1, "reward": 1}
    backwards = in_mixtures({name: subset.reverse() for name, subset in mixtures.items()}, indicators.reverse())
    assert from_runs(backwards, losses, ["mtld", "reward"])[0].equals(frame)
    alone = in_mixtures({"m": pl.DataFrame({"id": ["2"], "dataset": ["a"]})}, indicators)
    with pytest.raises(InputError, match="mixture m: no example has a value of reward"):
        from_runs(alone, {"m": 1.0}, ["mtld", "reward"])
    with pytest.raises(InputError, match="mixture base-000: loss: expected a number above 0, found None"):
        from_runs(table, {"base-000": None, "base-001": 1.0}, ["mtld"])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("reward,reward,loss\n1,2,3\n", "column reward stands there more than once"),
        ("reward, reward,loss\n1,2,3\n", "column reward stands there more than once"),
        ("mixture,reward,loss\na,1,2\nb,1,2\na,3,2\n", "line 4: mixture: 'a' stands there more than once"),
    ],
)
def test_what_stands_twice_in_a_csv_is_refused(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(InputError, match=told):
        from_csv(tmp_path / "t.csv")


def test_spaces_around_names_and_the_signs_of_other_programs_do_not_matter(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes("\ufeffmixture, reward , loss\r\na, 1.5, 2\r\n".encode())
    assert from_csv(tmp_path / "t.csv", ["reward"]).rows(named=True) == [{"mixture": "a", "reward": 1.5, "loss": 2.0}]
    (tmp_path / "t.csv").write_bytes("reward,loss\n1,2\n".encode("utf-16"))
    with pytest.raises(InputError, match="expected a CSV file in UTF-8"):
        from_csv(tmp_path / "t.csv")


def test_an_indicator_may_have_another_value_in_another_mixture() -> None:
    table = pl.DataFrame(
        {
            "mixture": ["base-000", "base-000", "base-001", "base-001"],
            "id": ["1", "2", "1", "3"],
            "dataset": ["a", "a", "a", "a"],
            "knn": [1.0, 3.0, None, 7.0],
        }
    )
    frame, nulls = from_runs(table, {"base-000": 2.0, "base-001": 1.5}, ["knn"])
    assert frame.rows() == [("base-000", 2.0, 2.0), ("base-001", 7.0, 1.5)]
    assert nulls == {"knn": 1}


def test_examples_of_mixtures_carry_their_block(tmp_path) -> None:
    mixture = pl.DataFrame({"id": ["1", "2"], "dataset": ["a", "b"]})
    for name in ("base-000", "my_block-012"):
        write_parquet(mixture, tmp_path / f"{name}.parquet")
    found = mixture_examples([tmp_path / "base-000.parquet", str(tmp_path / "my_block-012.parquet")])
    assert found.rows() == [
        *(("1", "a", "base-000", "base"), ("2", "b", "base-000", "base")),
        *(("1", "a", "my_block-012", "my_block"), ("2", "b", "my_block-012", "my_block")),
    ]


def test_csv_reads_extra_columns_and_names_what_is_wrong(tmp_path) -> None:
    path = tmp_path / "table.csv"

    def written(text: str) -> Path:
        path.write_text(text)
        return path

    good = from_csv(written("note,reward,loss,mtld\nclean,1, 0.9,5\nrepaired,2,0.8,6\n"))
    assert good.rows() == [("row-000", 1.0, 5.0, 0.9), ("row-001", 2.0, 6.0, 0.8)]
    assert good.columns == ["mixture", "reward", "mtld", "loss"]
    named = from_csv(written("mixture,reward,loss,half\nbase-000,1,0.9,\nbase-001,2,0.8,1\n"), ["reward"])
    assert named.rows() == [("base-000", 1.0, 0.9), ("base-001", 2.0, 0.8)]
    for text, columns, message in (
        ("reward\n1\n", [], "no column loss; it has reward"),
        ("reward,loss\n1,2\n", ["mtld"], "no column mtld"),
        ("reward,loss\n1,2\nx,3\n", [], "line 3: reward: expected a number, found 'x'"),
        ("reward,loss\n1,2\n,3\n", ["reward"], "line 3: reward: expected a number, found None"),
        ("reward,loss\n1,inf\n", [], "line 2: loss: expected a number, found 'inf'"),
        ("reward,loss\n1,2\n1,-2\n", [], "line 3: loss: expected a number above 0, found -2.0"),
        ("", [], "expected a CSV file"),
        ("a,loss\n1,2,3\n1,2,3,4\n", [], "expected a CSV file"),
    ):
        with pytest.raises(InputError, match=message) as raised:
            from_csv(written(text), columns)
        assert str(path) in str(raised.value) and "\n" not in str(raised.value)
    with pytest.raises(InputError, match=r"absent\.csv: no such file$"):
        from_csv(tmp_path / "absent.csv")
    with pytest.raises(InputError, match=r"absent\.csv: no such file; where to get it: Table 20$"):
        from_csv(tmp_path / "absent.csv", [], "Table 20")
