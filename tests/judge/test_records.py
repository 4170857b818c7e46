"""Recorded answers: keys, files, and what an estimate may be."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instructmining.jobs.errors import InputError
from instructmining.judge.costs import at_most, estimate, price, spent
from instructmining.judge.records import Records, request

ASKED = {"backend": "api", "model": "m", "prompt": "alpagasus/1", "request": {"temperature": 0.0, "max_tokens": 50}}
KEY = "04d7818e74c68cbd6cbc24f5e9c5a7818c8019ec9c6f89f3eadc38abca21188d"
MESSAGES = [{"role": "user", "content": "Größe?"}]


def record(key, answer="4", **more):
    return {"key": key, "answer": answer, "usage": {"input": 10, "output": 2}, **more}


def test_a_key_is_that_of_recorded_answers_for_ever():
    """Whoever changes this makes every answer that was ever paid for worthless."""
    assert request("1", MESSAGES, ASKED).key == KEY
    assert request("2", MESSAGES, dict(reversed(ASKED.items()))).key == KEY
    for name, value in (
        ("model", "n"),
        ("prompt", "alpagasus/2"),
        ("backend", "local"),
        ("request", {"max_tokens": 9}),
    ):
        assert request("1", MESSAGES, {**ASKED, name: value}).key != KEY
    assert request("1", [{"role": "user", "content": "Große?"}], ASKED).key != KEY


def test_answers_are_on_disk_at_once_for_all_of_the_entry(tmp_path):
    records = Records("judge", "pool-0", tmp_path)
    for key in ("b", "a"):
        records.add(record(key))
    for seconds in (1.5, 2.5):
        records.add({"key": "c", "error": "timed out", "time": seconds, "at_most": {"input": 100, "output": 50}})
    records.add({"key": "d", "refused": "HTTP 400", "at_most": {"input": 100, "output": 50}})
    other = Records("judge", "pool-1", tmp_path)
    assert other.answers == records.answers and set(other.answers) == {"a", "b", "d"}
    assert spent(other) == spent(records) == (220, 104)
    other.add(record("a", "5"))
    assert Records("judge", "pool-0", tmp_path).answers["a"]["answer"] == "4"
    assert not Records("another", "pool-0", tmp_path).answers


def test_a_disk_that_refuses_names_the_file(tmp_path):
    records = Records("judge", "pool", tmp_path)
    records.file = Path("/dev/full")
    with pytest.raises(OSError, match="No space left on device: '/dev/full'"):
        records.add(record("a"))


@pytest.mark.parametrize("torn", ["{", '{"key": "z", "answer"', '{"key": "zé'])
def test_a_torn_last_line_is_dropped(tmp_path, torn):
    records = Records("judge", "pool", tmp_path)
    records.add(record("a"))
    with open(records.file, "ab") as file:
        file.write(torn.encode()[:-1])
    again = Records("judge", "pool", tmp_path)
    assert set(again.answers) == {"a"}
    again.add(record("b"))
    assert set(Records("judge", "pool", tmp_path).answers) == {"a", "b"}


@pytest.mark.parametrize("line", ["{", "[]", '{"key": 1, "answer": "4"}', '{"key": "a"}'])
def test_a_file_that_is_no_record_is_named(tmp_path, line):
    records = Records("judge", "pool", tmp_path)
    records.add(record("a"))
    with open(records.file, "a") as file:
        file.write(f"{line}\n")
    with pytest.raises(InputError, match=r"pool.jsonl, line 2: expected the record of a judge's answer"):
        Records("judge", "pool", tmp_path)


def test_any_text_comes_back(tmp_path):
    records = Records("judge", "pool", tmp_path)
    said = 'a\nb\r\u2028\x85\ud800 \\ " {é}'
    records.add(record("a", said))
    assert Records("judge", "pool", tmp_path).answers["a"]["answer"] == said


def test_a_secret_is_cut_out_and_a_short_word_is_none(tmp_path):
    records = Records("judge", "pool", tmp_path)
    for secret, key in (('a"long\\secret', "a"), ("none", "b")):
        records.secret = secret
        records.add(record(key, f"4\nThere is {secret}."))
    assert records.answers["a"]["answer"] == "4\nThere is [key]."
    assert records.answers["b"]["answer"] == "4\nThere is none."
    assert b"long" not in records.file.read_bytes()


def test_one_job_at_a_time_and_a_dead_one_is_no_hindrance(tmp_path, monkeypatch):
    code = (
        "import sys, time; from instructmining.judge.records import Records\n"
        f"with Records('judge', 'other', {str(tmp_path)!r}).alone(): print('in', flush=True); time.sleep(60)"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, env={"PYTHONPATH": ":".join(sys.path)}
    )
    assert other.stdout.readline() == b"in\n"
    tries = []

    def sleep(seconds):
        tries.append(seconds)
        if len(tries) == 3:
            other.kill()
            other.communicate()

    monkeypatch.setattr("instructmining.jobs.locks.time.sleep", sleep)
    with Records("judge", "pool", tmp_path).alone():
        assert len(tries) >= 3


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_an_estimate_is_below_what_it_can_be_at_most(text):
    asked = request("1", [{"role": "user", "content": text}], ASKED)
    least, most = estimate(asked), at_most(asked)
    assert least.output == most.output == 50 and least.input <= most.input
    assert most.input >= len(text.encode()) and least.input >= len(text) / 3
    assert price(most, {"price_input": 2.0, "price_output": 4.0}) == pytest.approx((most.input * 2 + 200) / 1e6)
    assert price(most, {"price_input": None, "price_output": None}) is None
