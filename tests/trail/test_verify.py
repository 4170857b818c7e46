"""Whatever is changed in an archive is told, by checksum and by computing it again."""

import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from archives import archived, edit_json, forge, run, told
from instructmining.jobs.errors import InputError
from instructmining.jobs.files import write_json, write_parquet
from instructmining.trail.crate import METADATA_FILE
from instructmining.trail.verify import checksums, opened
from study_builder import ROOT

EVALUATION = "results/evaluations/small/best/unseen/8/held_out.json"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return archived(tmp_path_factory.mktemp("kept"))


@pytest.fixture
def study(kept: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(kept, tmp_path / "study"))


def test_a_changed_byte_is_told_with_its_file(study: Path):
    table = study / "results/tables/first.csv"
    table.write_bytes(table.read_bytes().replace(b"best", b"bust", 1))
    assert any(line.startswith("results/tables/first.csv: expected sha256") for line in told(study))


def test_a_missing_and_an_extra_file_are_told(study: Path):
    (study / "results/rankings/random-1/unseen.parquet").unlink()
    (study / "notes.txt").write_text("mine")
    lines = told(study)
    assert "results/rankings/random-1/unseen.parquet: expected a file, found none" in lines
    assert "notes.txt: expected no such file, found one" in lines


def test_a_tampered_loss_is_told_and_so_is_what_follows_from_it(study: Path):
    value = json.loads((study / EVALUATION).read_text())["value"]
    edit_json(study, EVALUATION, value=value - 0.2)
    lines = told(study)
    assert any(line.startswith(f"{EVALUATION}: expected value {value}") for line in lines)
    assert any(line.startswith("results/tables/first.csv: expected value") for line in lines)


def test_items_that_do_not_add_up_to_the_loss_are_told(study: Path):
    name = EVALUATION.replace(".json", ".items.parquet")
    items = pl.read_parquet(study / name).with_columns(nll=pl.col("nll") * 0.9)
    write_parquet(items, study / name, {})
    forge(study, name)
    lines = told(study)
    assert any(line.startswith(f"{EVALUATION}: expected value") for line in lines)
    assert any(line.startswith(f"{name}: expected value") for line in lines)


def test_surroundings_that_are_not_those_that_a_job_named_are_told(study: Path):
    job = "results/jobs/finetune/small/best/unseen/8.json"
    surroundings = f"results/surroundings/{json.loads((study / job).read_text())['surroundings']}.json"
    edit_json(study, surroundings, machine={})
    (line,) = told(study)
    assert line.startswith(f"{surroundings}: expected the content that it is named by, found sha256 ")
    edit_json(study, job, surroundings="ab")
    assert f"{job}: expected surroundings that are there, found results/surroundings/ab.json" in told(study)


@pytest.mark.parametrize("subset", ["best/unseen/8", "searches/main/001", "mixtures/base-003"])
def test_a_changed_subset_is_told(study: Path, subset: str):
    name = f"results/subsets/{subset}.parquet"
    write_parquet(pl.read_parquet(study / name).reverse(), study / name, {})
    forge(study, name)
    assert any(line.startswith(f"{name}: expected id") for line in told(study))


def test_a_changed_order_is_told(study: Path):
    name = "results/rankings/best/unseen.parquet"
    ranking = pl.read_parquet(study / name)
    write_parquet(ranking.with_columns(ranking["score"].reverse()), study / name, {})
    forge(study, name)
    assert any(line.startswith(f"{name}: expected score") for line in told(study))


def test_a_rule_that_the_observations_do_not_give_is_told(study: Path):
    name = "results/quality_rules/fitted.json"
    rule = json.loads((study / name).read_text())
    edit_json(study, name, coefficients={**rule["coefficients"], "mtld": -1.0})
    lines = told(study)
    assert any(line.startswith(f"{name}: expected coefficients.mtld") and line.endswith("found -1.0") for line in lines)
    assert any(line.startswith("results/rankings/best/unseen.parquet") for line in lines)


def test_an_observation_that_the_runs_do_not_give_is_told(study: Path):
    name = "results/quality_rules/fitted/observations.csv"
    frame = pl.read_csv(study / name)
    frame.with_columns(loss=pl.col("loss") * 1.1).write_csv(study / name)
    forge(study, name)
    assert any(line.startswith(f"{name}: expected loss") for line in told(study))


def test_a_published_rule_that_is_not_the_published_one_is_told(study: Path):
    edit_json(study, "results/quality_rules/published.json", r_squared=0.99)
    assert any(line.startswith("results/quality_rules/published.json: expected r_squared") for line in told(study))


def test_a_best_size_that_is_not_the_best_is_told(study: Path):
    edit_json(study, "results/searches/main.json", best_size=5)
    assert any(line.startswith("results/searches/main.json: expected best_size") for line in told(study))


def test_a_size_that_the_searcher_never_proposed_is_told(study: Path):
    edit_json(study, "results/searches/main/trials/001.json", size=23)
    assert any("replay of trial 1" in line for line in told(study))


def test_a_file_that_cannot_be_read_is_one_line_and_the_rest_is_still_checked(study: Path):
    (study / "results/rankings/best/unseen.parquet").write_bytes(b"nothing")
    edit_json(study, "results/searches/main.json", best_size=5)
    lines = told(study)
    assert any(line.startswith("results/rankings/best/unseen.parquet: expected sha256") for line in lines)
    assert any(line.startswith("results/searches/main.json") for line in lines)


def test_the_command_ends_with_a_status_and_a_line_a_difference(study: Path):
    assert run(study).returncode == 0
    (study / "config.json").unlink()
    done = run(study)
    assert done.returncode == 1
    assert "config.json: expected a file, found none" in done.stdout.splitlines()


def test_what_is_no_archive_is_said_in_one_line(tmp_path: Path):
    write_json(tmp_path / METADATA_FILE, {})
    assert run(tmp_path).stderr.startswith("error: ")
    (tmp_path / "a.zip").write_text("no zip")
    with pytest.raises(InputError, match="expected the folder or the zip"), opened(tmp_path / "a.zip"):
        pass


@pytest.mark.parametrize(
    "change",
    [
        lambda graph: [entity for entity in graph if entity["@id"] != "./"],
        lambda graph: [entity for entity in graph if entity["@id"] != "config.json"],
        lambda graph: [{key: value for key, value in entity.items() if key != "sha256"} for entity in graph],
        lambda graph: [{key: value for key, value in entity.items() if key != "result"} for entity in graph],
        lambda graph: [{**entity, "contentSize": "many"} for entity in graph],
        lambda graph: [*graph, "text"],
    ],
)
def test_a_crate_that_lacks_something_is_one_line_that_names_it(study: Path, change: Callable[[list], list]):
    crate = json.loads((study / METADATA_FILE).read_text())
    write_json(study / METADATA_FILE, {**crate, "@graph": change(crate["@graph"])})
    (line,) = run(study).stderr.splitlines()
    assert line.startswith(f"error: {study / METADATA_FILE}: expected the RO-Crate of a study: ")


def test_a_size_that_is_not_the_files_is_told(study: Path):
    crate = json.loads((study / METADATA_FILE).read_text())
    entity = next(entity for entity in crate["@graph"] if entity["@id"] == "config.json")
    size = entity["contentSize"]
    entity["contentSize"] = "1"
    write_json(study / METADATA_FILE, crate)
    assert told(study) == [f"{METADATA_FILE}: expected contentSize {size} of config.json, found 1"]


def test_links_that_the_crate_does_not_name_are_told(study: Path):
    (study / "results/tables/more").symlink_to(study / "results/figures")
    (study / "results/gone.csv").symlink_to(study / "nowhere")
    assert told(study) == [
        "results/gone.csv: expected no such file, found a link",
        "results/tables/more: expected no such file, found a link",
    ]


def test_a_zip_that_cannot_be_unpacked_or_holds_no_study_is_one_line(study: Path, tmp_path: Path):
    packed = Path(shutil.make_archive(str(tmp_path / "whole"), "zip", study)).read_bytes()
    middle, damaged = len(packed) // 2, tmp_path / "damaged.zip"
    damaged.write_bytes(packed[:middle] + bytes(64) + packed[middle + 64 :])
    (line,) = run(damaged).stderr.splitlines()
    assert line.startswith(f"error: {damaged}: cannot be unpacked: ")
    deeper = Path(shutil.make_archive(str(tmp_path / "deeper"), "zip", study.parent, study.name))
    (line,) = run(deeper).stderr.splitlines()
    assert line.startswith(f"error: {deeper}/{METADATA_FILE}: ")


def test_a_zip_is_read_as_its_folder(study: Path, tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "study.zip", "w") as packed:
        for path in study.rglob("*"):
            packed.write(path, path.relative_to(study))
    with opened(tmp_path / "study.zip") as folder:
        assert told(folder) == []


def test_no_model_library_is_imported(study: Path):
    script = "import sys, pathlib; from instructmining.trail.verify import verify; verify(pathlib.Path(sys.argv[1])); "
    script += "print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script, str(study)],
        env={"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert not {"torch", "transformers", "snakemake"} & set(done.stdout.split())


def test_checksums_alone_need_no_config(tmp_path: Path):
    (tmp_path / "a.csv").write_text("a")
    assert [str(d) for d in checksums(tmp_path, {})] == ["a.csv: expected no such file, found one"]
