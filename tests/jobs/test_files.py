import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from safetensors.torch import save_file

from instructmining.jobs.errors import InputError
from instructmining.jobs.files import (
    PART,
    read_json,
    read_provenance,
    remove_folder,
    replacing,
    replacing_folder,
    work_folder,
    write_csv,
    write_json,
    write_parquet,
    write_text,
)
from mounts import mount


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "deep" / "file.json"
    write_json(path, {"a": 1})
    with pytest.raises(ValueError, match=r"NaN|nan|Out of range"):
        write_json(path, {"a": float("nan")})
    with pytest.raises(KeyboardInterrupt), replacing(path) as temporary:
        temporary.write_text("half of")
        raise KeyboardInterrupt
    assert read_json(path) == {"a": 1}
    assert [p.name for p in path.parent.iterdir()] == ["file.json"]


def test_parquet_holds_its_provenance_and_gives_the_same_bytes(tmp_path):
    frame = pl.DataFrame({"id": ["a", "b"], "score": [1.5, None]})
    for name in ("one", "two"):
        write_parquet(frame, tmp_path / name, {"seed": 0, "model": "tiny"})
    assert read_provenance(tmp_path / "one") == {"seed": 0, "model": "tiny"}
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_csv_floats_read_back_the_same(tmp_path):
    frame = pl.DataFrame({"x": [0.1 + 0.2, 1e-17, 123456789.123456789]})
    write_csv(frame, tmp_path / "x.csv")
    assert pl.read_csv(tmp_path / "x.csv").equals(frame)


def test_bad_json_names_the_file(tmp_path):
    (tmp_path / "x.json").write_text(json.dumps({"a": 1})[:-2])
    with pytest.raises(InputError, match=r"x\.json: expected a JSON file"):
        read_json(tmp_path / "x.json")


BIG = pl.DataFrame({"x": np.random.default_rng(0).random(300_000)})


def safetensors_of(size):
    def write(path):
        with replacing_folder(path) as folder:
            save_file({"x": torch.rand(size)}, folder / "model.safetensors")

    return write


@pytest.mark.parametrize(
    "write",
    [
        lambda path: write_text(path, "x" * 3_000_000),
        lambda path: write_parquet(BIG, path),
        lambda path: write_csv(BIG, path),
        safetensors_of(500_000),
    ],
    ids=["text", "parquet", "csv", "folder"],
)
def test_a_full_disk_leaves_what_was_there_and_names_the_file(tmpfs, write):
    path = tmpfs / "deep" / "artifact"
    for before in ([], ["artifact"]):
        with pytest.raises(OSError, match=r"No space left") as caught:
            write(path)
        assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(path))
        assert [p.name for p in path.parent.iterdir()] == before
        path.write_text("old")
    assert path.read_text() == "old"


def test_a_folder_that_cannot_be_written_is_named(tmpfs):
    path = tmpfs / "results" / "x.json"
    write_json(path, 1)
    mount(tmpfs, "-o", "remount,ro")
    with pytest.raises(OSError, match="Read-only") as caught:
        write_json(path, 2)
    assert caught.value.errno == errno.EROFS and str(caught.value.filename).startswith(str(path.parent))
    assert read_json(path) == 1


def test_a_folder_without_the_right_to_write_is_named(tmp_path):
    tmp_path.chmod(0o555)
    if root := os.geteuid() == 0:
        os.seteuid(65534)  # permissions do not bind root
    try:
        with pytest.raises(PermissionError) as caught:
            write_json(tmp_path / "x.json", 1)
    finally:
        if root:
            os.seteuid(0)
        tmp_path.chmod(0o755)
    assert str(caught.value.filename).startswith(str(tmp_path))


@pytest.mark.parametrize("there", [True, False])
def test_a_folder_comes_whole_or_stays_as_it_was(tmp_path, there):
    path = tmp_path / "model"
    if there:
        path.mkdir()
        (path / "old").touch()
    with pytest.raises(KeyboardInterrupt), replacing_folder(path) as folder:
        (folder / "half").touch()
        raise KeyboardInterrupt
    assert [p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*")] == ["model", "model/old"] * there
    with replacing_folder(path) as folder:
        (folder / "new").touch()
    assert [p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*")] == ["model", "model/new"]
    assert path.stat().st_mode & 0o777 == 0o755


def test_a_folder_s_removal_that_dies_leaves_none_by_its_name(tmp_path, monkeypatch):
    (tmp_path / "work").mkdir()
    (tmp_path / "work/checkpoint").touch()

    def die(path):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(shutil, "rmtree", die)
        remove_folder(tmp_path / "work")
    assert not (tmp_path / "work").exists()
    remove_folder(tmp_path / "work")


def test_what_a_killed_write_leaves_is_hidden_and_ends_in_part(tmp_path):
    script = (
        "import os, sys\nfrom instructmining.jobs.files import replacing\n"
        "with replacing(sys.argv[1]) as temporary:\n    temporary.write_text('half')\n    os.kill(os.getpid(), 9)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "src")}
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path / "x.json")], check=False, env=environment)
    assert done.returncode == -signal.SIGKILL
    [left] = tmp_path.iterdir()
    assert left.name.startswith(".x.json.") and left.name.endswith(PART)
    assert list(tmp_path.glob("*.json")) == []
    write_json(tmp_path / "x.json", 1)
    assert read_json(tmp_path / "x.json") == 1


def test_the_work_folder_of_an_artifact():
    assert work_folder("results/indicators/a/b/000-of-001.parquet") == "results/.work/indicators/a/b/000-of-001"
