"""The archive of what `make demo` left in results/, as who gets it sees it. Skipped where it has not been run."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
VALIDATOR = ROOT / ".venv/crate_validator/bin/python"

pytestmark = pytest.mark.skipif(not (ROOT / "results/report.html").exists(), reason="make demo has not been run here")


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """`make archive`, unpacked."""
    folder = tmp_path_factory.mktemp("archive")
    made = subprocess.run(
        ["make", "archive", f"ARCHIVE={folder / 'demo.zip'}"], cwd=ROOT, capture_output=True, text=True
    )
    assert made.returncode == 0, made.stderr[-2000:]
    with zipfile.ZipFile(folder / "demo.zip") as packed:
        packed.extractall(folder / "demo")
    return folder / "demo"


def verified(archive):
    command = [sys.executable, "-m", "instructmining.trail.verify", "--archive", str(archive)]
    source = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    return subprocess.run(command, cwd=archive.parent, env=source, capture_output=True, text=True)


def test_the_archive_is_verified_elsewhere_and_a_changed_figure_is_named(archive):
    assert verified(archive).returncode == 0
    evaluation = archive / "results/evaluations/small/instructmining/unseen/best-main/test_loss.json"
    kept = evaluation.read_bytes()
    changed = json.loads(kept)
    changed["value"] += 0.01
    evaluation.write_text(json.dumps(changed))
    found = verified(archive)
    evaluation.write_bytes(kept)
    assert found.returncode != 0
    assert "test_loss.json" in found.stdout + found.stderr
    assert "results/tables/" in found.stdout + found.stderr


@pytest.mark.skipif(
    not VALIDATOR.exists(), reason="envs/crate_validator.lock is not installed in .venv/crate_validator"
)
def test_a_validator_accepts_the_crate(archive):
    command = [str(VALIDATOR), str(ROOT / "tests/demo/validate_crate.py"), str(archive)]
    found = subprocess.run(command, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout + found.stderr
