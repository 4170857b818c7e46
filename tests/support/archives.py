"""Archives of ``studies.build``'s study, and what is changed in them."""

import json
import subprocess
import sys
from pathlib import Path

from instructmining.jobs.files import sha256, write_json
from instructmining.trail.archive import archive
from instructmining.trail.crate import METADATA_FILE
from instructmining.trail.verify import verify
from studies import build
from study_builder import ROOT


def archived(root: Path, *wanted: str) -> Path:
    """A new archive of a new study below ``root``; ``wanted`` as in ``archive``."""
    build(root / "study")
    files = (root / "study/summary.tsv", root / "archive")
    archive(root / "study", [root / "study/config.yaml"], *files, wanted, [])
    return root / "archive"


def told(folder: Path) -> list[str]:
    return [str(difference) for difference in verify(folder).differences]


def forge(folder: Path, name: str) -> None:
    """Make the crate say that the file is as it is now."""
    crate = json.loads((folder / METADATA_FILE).read_text())
    entity = next(entity for entity in crate["@graph"] if entity["@id"] == name)
    entity |= {"sha256": sha256(folder / name), "contentSize": str((folder / name).stat().st_size)}
    write_json(folder / METADATA_FILE, crate)


def edit_json(folder: Path, name: str, **changes: object) -> None:
    write_json(folder / name, {**json.loads((folder / name).read_text()), **changes})
    forge(folder, name)


def run(archive: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "instructmining.trail.verify", "--archive", str(archive)]
    return subprocess.run(command, env={"PYTHONPATH": str(ROOT / "src")}, capture_output=True, text=True)
