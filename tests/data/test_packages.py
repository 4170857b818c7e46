"""pip runs for real, on packages made here, without a network."""

import hashlib
import io
import tarfile
import zipfile

import pytest

from instructmining.data.packages import fetch_package
from instructmining.jobs.errors import InputError

BACKEND = """
import os, pathlib
def prepare_metadata_for_build_wheel(folder, settings=None):
    pathlib.Path(os.environ["TINY_RAN"]).touch()
    info = pathlib.Path(folder, "tiny_data-1.0.dist-info")
    info.mkdir()
    info.joinpath("METADATA").write_text("Metadata-Version: 2.1\\nName: tiny-data\\nVersion: 1.0\\n")
    return info.name
def build_wheel(*arguments):
    raise SystemExit("nobody asked for a wheel")
"""


def make_wheel(folder):
    path = folder / "tiny_data-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("tiny_data/rows.jsonl", '{"a": 1}\n')
        metadata = "Metadata-Version: 2.1\nName: tiny-data\nVersion: 1.0\nRequires-Python: <3\nRequires-Dist: no-such\n"
        wheel.writestr("tiny_data-1.0.dist-info/METADATA", metadata)
        wheel.writestr("tiny_data-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr("tiny_data-1.0.dist-info/RECORD", "")
    return path


def make_sdist(folder):
    path = folder / "tiny_data-1.0.tar.gz"
    members = {
        "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
        "backend.py": BACKEND,
        "PKG-INFO": "Metadata-Version: 2.1\nName: tiny-data\nVersion: 1.0\n",
    }
    with tarfile.open(path, "w:gz") as sdist:
        for name, text in members.items():
            info = tarfile.TarInfo(f"tiny_data-1.0/{name}")
            info.size = len(text)
            sdist.addfile(info, io.BytesIO(text.encode()))
    return path


@pytest.fixture
def index(tmp_path, monkeypatch):
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("TINY_RAN", str(tmp_path / "ran"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return folder


@pytest.mark.parametrize(("kind", "make"), [("wheel", make_wheel), ("sdist", make_sdist)])
def test_fetch(index, tmp_path, kind, make):
    """Both kinds lie in the index: the one asked for comes, no other."""
    make_wheel(index), make_sdist(index)
    data = make(index).read_bytes()
    target = tmp_path / "results" / "tiny-data-1.0.archive"
    fetch_package("tiny-data", "1.0", hashlib.sha256(data).hexdigest(), kind, target)
    assert target.read_bytes() == data
    assert [file.name for file in target.parent.iterdir()] == [target.name]
    assert (tmp_path / "ran").exists() == (kind == "sdist")


def test_wrong_hash_runs_no_code(index, tmp_path):
    found = hashlib.sha256(make_sdist(index).read_bytes()).hexdigest()
    target = tmp_path / "tiny.archive"
    with pytest.raises(InputError) as caught:
        fetch_package("tiny-data", "1.0", "0" * 64, "sdist", target)
    assert str(caught.value) == f"tiny-data==1.0: expected sha256 {'0' * 64}, got {found}"
    assert not target.exists() and not (tmp_path / "ran").exists()


def test_no_such_version(index, tmp_path):
    make_wheel(index)
    with pytest.raises(
        InputError, match=r"tiny-data==2\.0: pip could not download the wheel: ERROR: .*tiny-data==2\.0"
    ) as e:
        fetch_package("tiny-data", "2.0", "0" * 64, "wheel", tmp_path / "tiny.archive")
    assert "\n" not in str(e.value)
