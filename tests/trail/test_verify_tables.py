"""Every table of an archive is computed again, or it is said what it needs."""

import json
import shutil
from pathlib import Path

import polars as pl
import pytest

from archives import archived, edit_json, forge, run, told
from instructmining.jobs.files import write_json
from instructmining.trail.archive import TEXTS
from instructmining.trail.crate import METADATA_FILE
from instructmining.trail.verify import Checked, verify


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return archived(tmp_path_factory.mktemp("kept"))


@pytest.fixture(scope="module")
def kept_with_texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return archived(tmp_path_factory.mktemp("texts"), TEXTS)


@pytest.fixture
def study(kept: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(kept, tmp_path / "study"))


@pytest.fixture
def study_with_texts(kept_with_texts: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(kept_with_texts, tmp_path / "study"))


def results(checked: Checked) -> set[str]:
    """Files of an archive that follow from others: all but what models, scorers, jobs and sources gave, and pages."""
    kinds = ("evaluations", "quality_rules", "rankings", "searches", "subsets", "tables")
    tables = {
        name for name in checked.files if Path(name).parts[:2] == ("results", "indicators") and name.count("/") == 2
    }
    named = {name for name in checked.files if name.split("/")[1:2] and name.split("/")[1] in kinds}
    return named | tables | {"results/indicator_check.json"}


def test_an_untouched_archive_differs_in_nothing_and_says_what_needs_texts(study: Path):
    checked = verify(study)
    assert checked.differences == []
    texts = "tables/examples/best/unseen.csv", "tables/contamination/first.csv", "tables/contamination/first-pairs.csv"
    absent = {"results/indicator_check.json", *(f"results/{name}" for name in texts)}
    assert results(checked) - checked.computed == absent
    assert all("texts of a dataset (make archive WITH=texts)" in checked.left[name] for name in absent)
    benchmark = "results/tables/benchmarks/first/held_out.csv"
    assert checked.left[benchmark].startswith("prompts as found: needs results/datasets/held_out/examples.parquet")


def test_with_texts_everything_is_computed_again(study_with_texts: Path):
    checked = verify(study_with_texts)
    assert checked.differences == []
    assert results(checked) <= checked.computed
    assert not any("needs" in why for why in checked.left.values())


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("contamination/first", "exact"),
        ("contamination/first-pairs", "subsets"),
        ("examples/best/unseen", "score"),
        ("benchmarks/first/held_out", "prompt"),
    ],
)
def test_a_forged_table_of_texts_is_told(study_with_texts: Path, table: str, column: str):
    name = f"results/tables/{table}.csv"
    frame = pl.read_csv(study_with_texts / name)
    changed = frame[column] + ("s" if column == "prompt" else 1)
    frame.with_columns(changed.alias(column)).write_csv(study_with_texts / name)
    forge(study_with_texts, name)
    (line,) = told(study_with_texts)
    assert line.startswith(f"{name}: expected {column} ")


def test_a_forged_indicator_check_is_told(study_with_texts: Path):
    name = "results/indicator_check.json"
    edit_json(study_with_texts, name, pairs=39)
    assert told(study_with_texts) == [f"{name}: expected pairs 40, found 39"]


@pytest.mark.parametrize(
    "table",
    [
        *("first", "runs/first", "overlaps/first", "costs/first/parts", "costs/first/strategies", "agreement/sizes"),
        *("benchmarks/first/held_out", "indicators/normality", "quality_rules/fitted/fit"),
        *("quality_rules/fitted/influence", "quality_rules/fitted/chosen_sets"),
    ],
)
def test_a_table_with_a_forged_checksum_is_computed_again(study: Path, table: str):
    name = f"results/tables/{table}.csv"
    frame = pl.read_csv(study / name, schema_overrides={"lilliefors_p": pl.String})
    number = next(column for column, kind in frame.schema.items() if kind == pl.Float64 or column == "n")
    frame.with_columns(pl.col(number) + 1).write_csv(study / name)
    forge(study, name)
    # a table that is made from this one may differ as well
    (line,) = (line for line in told(study) if line.startswith(f"{name}: "))
    assert line.startswith(f"{name}: expected {number} ")


def test_a_changed_regression_table_is_told(study: Path):
    name = "results/tables/quality_rules/fitted/ols.tex"
    (study / name).write_text((study / name).read_text().replace("OLS", "GLS"))
    forge(study, name)
    assert any(line.startswith(f"{name}: expected % needs") for line in told(study))


def test_a_table_that_no_function_computes_is_named(study: Path):
    name = "results/tables/more/first.csv"
    (study / name).parent.mkdir()
    (study / name).write_text("a\n1\n")
    crate = json.loads((study / METADATA_FILE).read_text())
    entity = {"@id": name, "@type": "File", "name": name, "sha256": "", "contentSize": "0"}
    crate["@graph"].append(entity)
    next(e for e in crate["@graph"] if e["@id"] == "./")["hasPart"].append({"@id": name})
    write_json(study / METADATA_FILE, crate)
    forge(study, name)
    assert f"not computed again: {name}: no function computes it" in run(study).stdout.splitlines()
