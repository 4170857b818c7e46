import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from instructmining.trail import private
from mounts import mount

SOURCE = str(Path(__file__).parents[2] / "src")


def start(tmp_path, body, **environment):
    """Start Python on ``body``, in an environment that holds little but the package."""
    imports = "from instructmining.jobs.errors import InputError\nfrom instructmining.jobs.log import job_log, progress"
    script = f"{imports}\n{body}"
    return subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": SOURCE, **environment},
    )


def run(tmp_path, body, **environment):
    process = start(tmp_path, body, **environment)
    stdout, stderr = process.communicate()
    return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)


def test_bad_input_is_one_line_on_the_terminal_and_a_status(tmp_path):
    done = run(
        tmp_path, "with job_log('logs/a.log'):\n    print('working')\n    raise InputError('x.json: row 3: no output')"
    )
    assert done.returncode == 1
    assert done.stderr == "error: x.json: row 3: no output\n"
    log = (tmp_path / "logs/a.log").read_text()
    assert log.splitlines() == ["working", "error: x.json: row 3: no output"]


def test_a_bug_leaves_its_traceback_in_the_log_and_says_where(tmp_path):
    done = run(tmp_path, "with job_log('a.log'):\n    {}['missing']")
    assert done.returncode == 1
    assert done.stderr == "error: KeyError: 'missing' (traceback in a.log)\n"
    assert "Traceback" in (tmp_path / "a.log").read_text()


def test_threads_are_bounded_before_libraries_are_imported(tmp_path):
    done = run(tmp_path, "with job_log('a.log', 1):\n    import torch\n    print(torch.get_num_threads())")
    assert done.returncode == 0
    assert (tmp_path / "a.log").read_text() == "1\n"


def test_progress_tells_speed_and_time_left(tmp_path):
    body = "with job_log('a.log'):\n    advance = progress(10, 'rows')\n    advance(4)\n    advance(6)"
    assert run(tmp_path, body).returncode == 0
    first, last = (tmp_path / "a.log").read_text().splitlines()
    assert "4 of 10 rows" in first
    assert "10 of 10 rows" in last and "0 s left" in last


@pytest.mark.parametrize("child", ["import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(42)'])"])
def test_output_of_children_is_in_the_log(tmp_path, child):
    assert run(tmp_path, f"with job_log('a.log'):\n    {child}").returncode == 0
    assert (tmp_path / "a.log").read_text() == "42\n"


def test_a_full_disk_is_one_line_that_names_the_file(tmp_path):
    body = (
        "import errno\nwith job_log('a.log'):\n"
        "    try:\n        raise OSError(errno.ENOSPC, 'No space left on device', 'results/x.json')\n"
        "    except OSError as error:\n        raise RuntimeError('cannot save') from error"
    )
    done = run(tmp_path, body)
    assert done.returncode == 1
    line = (
        "error: results/x.json: No space left on device: free some space there, then run again; "
        "what had finished stays\n"
    )
    assert done.stderr == line
    assert (tmp_path / "a.log").read_text() == line


@pytest.mark.parametrize(
    ("error", "line"),
    [
        ("OSError(errno.EROFS, '', 'x')", "x: Read-only file system: mount it writable"),
        ("PermissionError(errno.EACCES, '', 'x')", "x: Permission denied: give yourself the right"),
        ("OSError(errno.EDQUOT, '', 'x')", "x: Disk quota exceeded: free some space there, or ask"),
        ("ValueError('I/O error: No space left on device (os error 28)')", "a file of this job: No space left"),
        (
            "RuntimeError('[enforce fail at inline_container.cc:672] . unexpected pos 576 vs 534')",
            "a file of this job: No space left",
        ),
    ],
)
def test_whatever_a_library_makes_of_a_disk_that_refuses(tmp_path, error, line):
    done = run(tmp_path, f"import errno\nwith job_log('a.log'):\n    raise {error}")
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {line}") and done.stderr.count("\n") == 1


def test_an_error_that_is_no_disk_s_stays_what_it_is(tmp_path):
    done = run(tmp_path, "with job_log('a.log'):\n    open('nowhere')")
    assert done.stderr.startswith("error: FileNotFoundError: ")


def test_a_log_that_cannot_be_written_is_one_line(tmp_path, tmpfs):
    mount(tmpfs, "-o", "remount,ro")
    done = run(tmp_path, f"with job_log({str(tmpfs / 'logs/a.log')!r}):\n    print('never')")
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {tmpfs}/logs: Read-only file system: mount it writable")
    assert done.stderr.count("\n") == 1


def test_a_log_whose_disk_gets_full_still_lets_the_job_say_so(tmp_path, tmpfs):
    body = f"with job_log({str(tmpfs / 'a.log')!r}):\n    while True:\n        print('x' * 4096)"
    done = run(tmp_path, body)
    assert done.returncode == 1
    assert "No space left on device: free some space there" in done.stderr and done.stderr.count("\n") == 1


WAITS = (
    "with job_log('a.log'):\n    try:\n        print('begun'); time.sleep(60)\n    finally:\n        print('unwound')"
)


def wait_for(path, text):
    limit = time.monotonic() + 60
    while not (path.exists() and text in path.read_text()):
        assert time.monotonic() < limit, path
        time.sleep(0.05)


def test_a_terminated_job_unwinds(tmp_path):
    process = start(tmp_path, f"import time\n{WAITS}")
    wait_for(tmp_path / "a.log", "begun")
    process.terminate()
    assert process.wait(30) == 128 + signal.SIGTERM
    assert "unwound" in (tmp_path / "a.log").read_text()


def test_a_job_ends_with_whoever_started_it(tmp_path):
    """Snakemake killed: its jobs would go on beside those of the next run."""
    (tmp_path / "job.py").write_text(f"import time\nfrom instructmining.jobs.log import job_log\n{WAITS}\n")
    parent = start(tmp_path, "import subprocess, sys\nsubprocess.run([sys.executable, 'job.py'])")
    wait_for(tmp_path / "a.log", "begun")
    parent.kill()
    parent.wait()
    wait_for(tmp_path / "a.log", "unwound")


JOB = "with job_log('logs/score/alpaca/v1.2/{}.log'):\n    print('working')"


def surroundings(tmp_path, job):
    """What a job has on record of itself, after checking that the file is the one that its name says."""
    told = json.loads((tmp_path / f"results/jobs/score/alpaca/v1.2/{job}.json").read_text())
    path = tmp_path / f"results/surroundings/{told['surroundings']}.json"
    assert hashlib.sha256(path.read_bytes()).hexdigest() == path.stem
    return told, json.loads(path.read_text()), path


def test_a_job_puts_on_record_with_what_it_runs_before_it_does_anything(tmp_path):
    before = time.time()
    assert run(tmp_path, JOB.format("0") + "\n    raise InputError('x')").returncode == 1
    told, found, path = surroundings(tmp_path, "0")
    assert before - 0.01 <= told["started"] <= time.time()
    assert found["software"]["python"] == ".".join(map(str, sys.version_info[:3]))
    assert len(found["software"]["sources"]) == 64
    assert found["software"]["packages"]["polars"]
    assert found["machine"]["cores"] == os.cpu_count()
    private.refuse(path, path.name, private.this_machine(tmp_path, [SOURCE, sys.prefix]))


def test_jobs_with_the_same_surroundings_share_one_file_though_they_begin_at_once(tmp_path):
    jobs = [start(tmp_path, JOB.format(number)) for number in range(4)]
    assert [job.communicate() and job.returncode for job in jobs] == [0] * 4
    assert len({surroundings(tmp_path, number)[2] for number in range(4)}) == 1
    written = [path for path in (tmp_path / "results").rglob("*") if path.is_file()]
    assert len(written) == 5, written


def test_surroundings_are_written_once_and_again_if_they_are_not_whole(tmp_path):
    assert run(tmp_path, JOB.format("0")).returncode == 0
    path = surroundings(tmp_path, "0")[2]
    os.utime(path, (1, 1))
    assert run(tmp_path, JOB.format("1")).returncode == 0
    assert surroundings(tmp_path, "1")[2] == path
    assert path.stat().st_mtime == 1
    path.write_text("")
    assert run(tmp_path, JOB.format("0")).returncode == 0
    assert surroundings(tmp_path, "0")[2] == path


def test_a_job_runs_without_git(tmp_path):
    assert run(tmp_path, JOB.format("0"), PATH="/nowhere").returncode == 0
    software = surroundings(tmp_path, "0")[1]["software"]
    assert (software["commit"], software["dirty"]) == (None, None)


@pytest.mark.parametrize("log", ["a.log", "logs/a.log", "other/score/a.log", "{}/logs/score/a.log"])
def test_what_is_no_job_of_a_study_leaves_only_its_log(tmp_path, log):
    log = log.format(tmp_path)
    assert run(tmp_path, f"with job_log({log!r}):\n    pass").returncode == 0
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / log]


def test_a_disk_that_refuses_the_record_is_one_line(tmp_path, tmpfs):
    (tmp_path / "results").symlink_to(tmpfs)
    mount(tmpfs, "-o", "remount,ro")
    done = run(tmp_path, JOB.format("0"))
    assert done.returncode == 1
    assert done.stderr.startswith("error: results/surroundings: Read-only file system: mount it writable")
    assert done.stderr.count("\n") == 1
    assert "working" not in (tmp_path / "logs/score/alpaca/v1.2/0.log").read_text()
