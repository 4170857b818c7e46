"""With what a job ran is told truly, cheaply and by nobody's name; what is on record is taken for the job it is of."""

import os
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

from instructmining.jobs import software
from instructmining.jobs.files import write_json, write_text
from instructmining.jobs.records import Job
from instructmining.jobs.surroundings import named, of_job, read_surroundings, with_surroundings
from study_builder import HERE, NODE, ROOT, Builder

JOB = Job("score/a/b/0", "score", (), ("results/x",), {}, (), 1000.0, 2000.0)


def git(root: Path, *arguments: str) -> str:
    names = {f"GIT_{who}_{what}": "x" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    names |= {"GIT_CONFIG_GLOBAL": os.devnull}  # whoever tests may sign commits
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, env=os.environ | names, check=True, capture_output=True, text=True).stdout.strip()


def told(root: Path) -> tuple[str | None, bool | None]:
    found = software.software(root)
    return found["commit"], found["dirty"]


def test_commit_and_whether_the_sources_are_those_of_it(tmp_path: Path):
    write_text(tmp_path / "src/a.py", "1")
    write_text(tmp_path / "notes.txt", "1")
    assert told(tmp_path) == (None, None)
    git(tmp_path, "init", "-q")
    assert told(tmp_path) == (None, None)
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    commit = git(tmp_path, "rev-parse", "HEAD")
    assert told(tmp_path) == (commit, False)
    write_text(tmp_path / "notes.txt", "2")
    assert told(tmp_path) == (commit, False)
    write_text(tmp_path / "src/b.py", "1")
    assert told(tmp_path) == (commit, True)
    (tmp_path / "src/b.py").unlink()
    write_text(tmp_path / "src/a.py", "2")
    # somebody commits at this moment
    write_text(tmp_path / ".git/index.lock", "")
    assert told(tmp_path) == (commit, True)
    assert told(tmp_path / "src") == (None, None)


def test_installed_versions_are_those_that_the_metadata_say():
    found = software.installed(ROOT)
    assert len(found) > 20
    assert found == {name: version(name) for name in found}
    pinned = {line.partition("==")[0] for line in (ROOT / "requirements.lock").read_text().splitlines() if "==" in line}
    for name in {name.partition("[")[0] for name in pinned} - set(found):
        with pytest.raises(PackageNotFoundError):
            version(name)


def test_folders_of_installed_packages_are_read_whatever_their_spelling(tmp_path: Path, monkeypatch):
    for folder in (
        "Some_Thing-1.2.dist-info",
        "old.egg-2.0+cu121-py3.11.egg-info",
        "extra-3.0.dist-info",
        "no.dist-info",
    ):
        (tmp_path / "site" / folder).mkdir(parents=True)
    write_text(tmp_path / "requirements.lock", "# a==1\nsome-thing==1.0\nold_egg[all]==1.0\nabsent==1.0\n")
    write_text(tmp_path / "envs/more.lock", "extra==3.0\n")
    monkeypatch.setattr("sys.path", [str(tmp_path / "site"), "/nowhere"])
    assert software.installed(tmp_path) == {"some-thing": "1.2", "old_egg": "2.0+cu121", "extra": "3.0"}


def test_gpus_are_asked_of_the_driver_or_else_of_its_tool(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(software, "_DRIVER", tmp_path / "gpus")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert software.machine()["gpus"] == {}
    write_text(tmp_path / "nvidia-smi", "#!/bin/sh\necho 'NVIDIA A100'\necho 'NVIDIA A100'\n")
    (tmp_path / "nvidia-smi").chmod(0o755)
    assert software.machine()["gpus"] == {"NVIDIA A100": 2}
    for bus, model in (("1", "NVIDIA H200"), ("2", "NVIDIA H200"), ("3", "NVIDIA L4")):
        lines = f"Model: \t\t {model}\nIRQ:   \t\t 1\nGPU UUID: \t GPU-{bus}\n"
        write_text(tmp_path / f"gpus/0000:0{bus}:00.0/information", lines)
    assert software.machine()["gpus"] == {"NVIDIA H200": 2, "NVIDIA L4": 1}


def test_the_digest_does_not_mind_a_file_that_goes_away(tmp_path: Path, monkeypatch):
    write_text(tmp_path / "src/a.py", "1")
    before = software.digest(tmp_path)
    monkeypatch.setattr(software, "_files", lambda place: [place / "a.py", place / "4913"] if place.exists() else [])
    assert software.digest(tmp_path) == before


@pytest.fixture
def study(tmp_path: Path) -> Builder:
    return Builder(tmp_path, "datasets: {a: {path: a.json}}")


def test_a_job_has_the_surroundings_and_the_beginning_that_it_wrote(study: Builder):
    digest = study.ran_with(JOB.name, HERE, 1003.0)
    other = study.ran_with("score/a/b/1", NODE, 1004.0)
    jobs = with_surroundings([JOB, JOB._replace(name="score/a/b/1"), JOB._replace(name="score/a/b/2")], study.root)
    assert [(job.surroundings, job.started) for job in jobs] == [(digest, 1003.0), (other, 1004.0), (None, 1000.0)]
    assert read_surroundings(jobs, study.root) == {digest: HERE, other: NODE}


@pytest.mark.parametrize(
    ("began", "started", "is_its_own"),
    [
        (500.0, 1000.0, False),
        (970.0, 1000.0, True),  # a clock that is slow
        (1500.0, 2003.0, True),  # on a cluster, where Snakemake notes the time that it noticed the end
        (1500.0, 100.0, True),  # or the time of an earlier run
    ],
)
def test_what_an_earlier_run_wrote_is_not_taken_for_this_one(study: Builder, began, started, is_its_own):
    study.ran_with(JOB.name, HERE, began)
    (job,) = with_surroundings([JOB._replace(started=started)], study.root)
    assert (job.surroundings is not None) == is_its_own


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"surroundings": "ab"}', '{"surroundings": "ab", "started": null}'])
def test_a_record_that_is_not_whole_is_none(study: Builder, text: str):
    write_text(study.root / of_job(JOB.name), text)
    assert with_surroundings([JOB], study.root) == [JOB]


def test_surroundings_that_are_lost_or_are_others_than_their_name_says_are_none(study: Builder):
    digest = study.ran_with(JOB.name, HERE, 1003.0)
    write_json(study.root / named(digest), NODE)
    assert with_surroundings([JOB], study.root) == [JOB]
    (study.root / named(digest)).unlink()
    assert with_surroundings([JOB], study.root) == [JOB]
