import subprocess
import sys

import pytest


def run(tmp_path, body):
    script = (
        f"from instructmining.errors import InputError\nfrom instructmining.joblog import job_log, progress\n{body}"
    )
    return subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, env={"PYTHONPATH": SOURCE}
    )


SOURCE = str(__import__("pathlib").Path(__file__).parents[1] / "src")


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
