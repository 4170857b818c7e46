import subprocess
import sys
import time
from pathlib import Path

import pytest

from instructmining.jobs import locks
from instructmining.jobs.errors import InputError
from instructmining.jobs.locks import alone

SRC = Path(__file__).parents[2] / "src"
HOLD = """
import sys, time
sys.path.insert(0, sys.argv[1])
from instructmining.jobs.locks import alone
with alone(sys.argv[2], "nobody"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    command = [sys.executable, "-c", HOLD, str(SRC), str(tmp_path / "work/lock")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout and process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()


def test_who_comes_second_waits_until_the_first_is_gone(tmp_path, holder, monkeypatch, caplog):
    tries = []

    def wait(seconds):
        tries.append(seconds)
        holder.kill()  # however it ends, its lock ends with it
        holder.wait()

    monkeypatch.setattr(locks.time, "sleep", wait)
    with caplog.at_level("INFO"), alone(tmp_path / "work/lock", "another job trains here"):
        assert len(tries) == 1
    assert caplog.messages == ["another job trains here: waiting for it to end"]


def test_a_lock_whose_folder_was_removed_meanwhile_is_taken_anew(tmp_path, monkeypatch):
    real, removed = locks._taken, []

    def taken(descriptor, path, without):
        if not removed:
            path.unlink()
            path.parent.rmdir()
            removed.append(path)
        return real(descriptor, path, without)

    monkeypatch.setattr(locks, "_taken", taken)
    monkeypatch.setattr(time, "sleep", lambda _: None)
    with alone(tmp_path / "work/lock", "nobody"):
        assert (tmp_path / "work/lock").exists()


def test_a_disk_without_locks_is_an_error_only_where_that_could_cost(tmp_path, monkeypatch, caplog):
    def refuse(*_):
        raise OSError(37, "No locks available")

    monkeypatch.setattr(locks.fcntl, "lockf", refuse)
    with alone(tmp_path / "lock", "nobody"):
        assert "no locks" in caplog.text
    with (
        pytest.raises(InputError, match=r"has no locks .*: two jobs could pay twice"),
        alone(tmp_path / "lock", "x", "two jobs could pay twice"),
    ):
        pass
