"""A judge over HTTP, whatever the server does: nothing lost, nothing paid twice, the key nowhere."""

import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from types import SimpleNamespace

import polars as pl
import pytest

import judging
from instructmining.jobs.errors import InputError
from instructmining.judge import client as judge_client
from instructmining.judge.protocol import refusal
from instructmining.scorers import judge
from judging import KEY, examples, serving, settings
from scoring import scored


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Short waits, the key in the environment, and no proxy before loopback."""
    monkeypatch.setattr(judge_client, "FIRST_WAIT", 0.02)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")


def run(server, monkeypatch, folder, rows=12, **changed):
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    return scored(judge, examples(range(rows)), settings(folder, **changed))


def answers(folder):
    files = folder.glob("answers/entry/*.jsonl")
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


BAD = {
    0: ["slow"],
    1: ["429 0.1", "429"],
    2: ["500", "503"],
    3: ["cut"],
    4: ["hang_up"],
    5: ["garbage"],
    6: ["json {}", "json []"],
    7: ['json {"choices":[]}'],
    8: ["doubled"],
    9: ['json {"choices":[{"message":{"content":5}}]}', 'json {"choices":["x"]}'],
    10: ['json {"choices":"x"}', "408", "cut"],
}


def test_whatever_the_server_does_every_row_is_answered_and_paid_once(monkeypatch, tmp_path):
    with serving(BAD) as server:
        found = run(server, monkeypatch, tmp_path)
        assert found["score"].to_list() == [row % 6 for row in range(12)] and found["reason"].null_count() == 12
        assert {row: server.asked[row] for row in BAD} == {row: len(bad) + 1 - (row == 0) for row, bad in BAD.items()}
        assert all(server.paid[row] == (row != 0) for row in range(12))
        asked = server.asked.total()
        again = run(server, monkeypatch, tmp_path)
        assert again.equals(found) and server.asked.total() == asked
    records = answers(tmp_path)
    assert sorted(r["answer"][0] for r in records if "answer" in r) == sorted(str(row % 6) for row in range(12))
    # what may have been billed without an answer is on record: not 429, 408 and 5xx
    unanswered = sum(len(bad) for bad in BAD.values()) - len(["slow", "429", "429", "500", "503", "408"])
    assert sum("error" in r for r in records) == unanswered
    costs = json.loads((tmp_path / "costs/judge/pool/entry/pool-000-of-001.json").read_text())
    assert (costs["questions"], costs["answers"], costs["without_answer"]["requests"]) == (12, 12, unanswered)
    assert (costs["input_tokens"], costs["output_tokens"]) == (1200, 120)
    assert costs["price"] == pytest.approx((1200 * 1 + 120 * 10) / 1e6)


def test_what_is_sent(monkeypatch, tmp_path):
    with serving() as server:
        run(server, monkeypatch, tmp_path, rows=1, request={"temperature": 0.0, "max_completion_tokens": 9, "seed": 3})
    [body] = server.bodies
    assert body["model"] == "judge" and (body["max_completion_tokens"], body["seed"], body["temperature"]) == (9, 3, 0)
    assert set(body) == {"model", "messages", "max_completion_tokens", "seed", "temperature"}
    assert "###Instruction:\nQuestion 0: is {input} a brace?\n\n### Input:\nof old\n\n### Response:\nAnswer é 0" in str(
        body["messages"][1]["content"]
    )


def test_a_replay_needs_neither_key_nor_server(monkeypatch, tmp_path):
    with serving() as server:
        found = run(server, monkeypatch, tmp_path)
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name)
    # the answers of a paper, under another shard's name
    os.rename(tmp_path / "answers/entry/pool-000-of-001.jsonl", tmp_path / "answers/entry/theirs.jsonl")
    assert scored(judge, examples(range(12)), settings(tmp_path)).equals(found)
    with pytest.raises(InputError, match=r"^judge: environment variable OPENAI_BASE_URL is not set"):
        scored(judge, examples(range(13)), settings(tmp_path))


def test_no_more_requests_at_once_than_allowed(monkeypatch, tmp_path):
    with serving(seconds=0.05) as server:
        run(server, monkeypatch, tmp_path, rows=24, concurrency=3)
    assert server.most_at_once == 3


@pytest.fixture
def sent(monkeypatch):
    """When each request was sent, and when its answer had been read; a busy machine's server sees them later."""
    send, times = judge_client._Asking._send, []

    async def timed(asking, request):
        start = time.monotonic()
        outcome = await send(asking, request)
        times.append((start, time.monotonic(), outcome))
        return outcome

    monkeypatch.setattr(judge_client._Asking, "_send", timed)
    return times


def test_requests_and_tokens_a_minute(monkeypatch, tmp_path, sent):
    with serving() as server:
        run(server, monkeypatch, tmp_path / "requests", rows=6, requests_per_minute=600)
        starts = sorted(start for start, *_ in sent)
        assert len(starts) == 6 and starts[-1] - starts[0] >= 0.45  # five spaces of a tenth of a second
        sent.clear()
        run(server, monkeypatch, tmp_path / "tokens", rows=4, tokens_per_minute=200_000)
    starts = sorted(start for start, *_ in sent)
    assert len(starts) == 4 and starts[-1] - starts[0] >= 3 * 60 * 250 / 200_000  # more than 250 tokens each


def test_retry_after_holds_for_all(monkeypatch, tmp_path, sent):
    with serving({0: ["429 0.6"]}, seconds=0.05) as server:
        run(server, monkeypatch, tmp_path, rows=8, concurrency=2)
    [told] = [read for _, read, outcome in sent if outcome.wait]
    after = [start for start, *_ in sent if start > told]
    assert len(after) > 1 and min(after) - told >= 0.6


def test_a_row_that_never_gets_an_answer_is_null_and_asked_again_next_time(monkeypatch, tmp_path):
    with serving({3: ["500"] * 4}) as server:
        found = run(server, monkeypatch, tmp_path)
        assert found["score"][3] is None and found["score"].null_count() == 1
        assert found["reason"][3] == "no answer after 4 tries: HTTP 500 (some_code)" and server.asked[3] == 4
        assert run(server, monkeypatch, tmp_path)["score"].null_count() == 0
    assert server.asked.total() == 12 + 4


def test_a_refused_or_unreadable_row_is_null_for_good(monkeypatch, tmp_path):
    with serving({3: ["400"], 5: ['text "I_do_not_know"']}) as server:
        found = run(server, monkeypatch, tmp_path, min_share_used=0.8)
        assert found["score"].null_count() == 2
        assert found["reason"][3] == "refused: HTTP 400 (some_code)"
        assert found["reason"][5] == "no score on the first line"
        assert run(server, monkeypatch, tmp_path, min_share_used=0.8).equals(found)
        with pytest.raises(InputError, match=r"10 of 12 rows have a score; min_share_used asks for 90% \(1 \w"):
            run(server, monkeypatch, tmp_path)
    assert server.asked.total() == 12


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ("401", r"HTTP 401 \(some_code\): is the key in OPENAI_API_KEY right\?; 0 answers"),
        ("404", r"HTTP 404 \(some_code\); 0 answers"),
        ("429 4000", r"HTTP 429 \(some_code\): the server asks to wait for 4000 s; 0 answers"),
    ],
)
def test_what_every_request_would_be_told_stops_at_once(monkeypatch, tmp_path, action, said):
    with serving(always=action) as server, pytest.raises(InputError, match=f"^judge: {said}"):
        run(server, monkeypatch, tmp_path, rows=30)
    assert server.asked.total() <= 4


def test_a_judge_that_never_says_a_score_is_not_paid_to_the_end(monkeypatch, tmp_path):
    said = "too few answers can be used for min_share_used"
    with serving(always='text "Good_work."') as server, pytest.raises(InputError, match=said):
        run(server, monkeypatch, tmp_path, rows=40)
    assert 5 <= server.asked.total() <= 5 + 3  # 4 of 40 may fail; three more were on their way
    assert len(answers(tmp_path)) == server.asked.total()


def test_a_time_out_is_of_the_whole_answer(monkeypatch, tmp_path):
    with serving({0: ["slow"] * 2, 1: ["drip"] * 2}) as server:
        found = run(server, monkeypatch, tmp_path, rows=3, timeout=0.3, retries=1, min_share_used=0.3)
    assert found["reason"].to_list() == [*["no answer after 2 tries: timed out"] * 2, None]


def test_no_server(monkeypatch, tmp_path):
    with socket.socket() as taken, pytest.raises(InputError, match="too few answers can be used"):
        taken.bind(("127.0.0.1", 0))  # nobody listens, and no test beside this one can
        server = SimpleNamespace(url=f"http://127.0.0.1:{taken.getsockname()[1]}/v1")
        run(server, monkeypatch, tmp_path, rows=3, retries=1)
    assert not answers(tmp_path)  # what was never connected cannot have been billed


def test_max_cost_stops_before_it_is_exceeded(monkeypatch, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    a_row = (100 * 1 + 10 * 10) / 1e6  # what the server says it was
    with serving() as server:
        with pytest.raises(InputError, match=r"max_cost 0.003 would be exceeded: 0\.00\d+ spent .*; \d+ answers") as at:
            run(server, monkeypatch, tmp_path, rows=40, max_cost=0.003)
        paid = server.paid.total()
        assert 2 <= paid < 15 and paid * a_row <= 0.003 and "\n" not in str(at.value)
        assert len(answers(tmp_path)) == paid
        assert "max_cost 0.003 may be reached before the end" in caplog.text
        # the same money again buys nothing: what the records have cost counts
        with pytest.raises(InputError, match="would be exceeded"):
            run(server, monkeypatch, tmp_path, rows=40, max_cost=0.003)
        assert server.paid.total() == paid
        run(server, monkeypatch, tmp_path, rows=40, max_cost=0.02)
        assert server.paid == dict.fromkeys(range(40), 1)


def test_what_came_to_no_answer_counts_as_billed(monkeypatch, tmp_path):
    with serving(always="cut") as server:
        for _ in range(2):
            with pytest.raises(InputError, match=r"max_cost 0\.01 would be exceeded"):
                run(server, monkeypatch, tmp_path, rows=40, max_cost=0.01, retries=5)
    lost = [record["at_most"] for record in answers(tmp_path)]
    assert len(lost) == server.asked.total() > 3
    assert 0.007 < sum(one["input"] + 10 * one["output"] for one in lost) / 1e6 <= 0.01


def test_the_same_question_is_asked_once(monkeypatch, tmp_path):
    prompt = tmp_path / "mine.txt"
    prompt.write_text("Rate: {instruction}")
    rows = examples(range(4))
    rows = pl.concat([rows, rows.with_columns(id=pl.col("id") + "b", output=pl.lit("Another."))])
    with serving() as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        found = scored(judge, rows, settings(tmp_path, prompt=str(prompt), scale=[0, 5]))
    assert found["score"].to_list() == [0, 1, 2, 3] * 2 and server.asked == dict.fromkeys(range(4), 1)


def test_the_estimate_is_said_before_the_first_request(monkeypatch, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    with serving(always="401") as server, pytest.raises(InputError):
        run(server, monkeypatch, tmp_path)
    assert "12 questions, 12 to be asked: about" in caplog.text and "at most 768 output tokens" in caplog.text


def test_the_key_is_in_no_file_log_or_exception(monkeypatch, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    said = []
    for number, action in enumerate(["echo", "401", "400", "500", "garbage"]):
        with serving(always=action) as server:
            try:
                run(server, monkeypatch, tmp_path / str(number), retries=1)
            except InputError as error:
                said += [str(error), repr(error.__context__), repr(error.__cause__)]
    for value in (f"{KEY}\n", f"{KEY} ", "schlüssel"):
        monkeypatch.setenv("OPENAI_API_KEY", value)
        with pytest.raises(InputError, match="OPENAI_API_KEY: expected printable ASCII") as at, serving() as server:
            run(server, monkeypatch, tmp_path / "key")
        said.append(str(at.value))
    monkeypatch.setenv("OPENAI_BASE_URL", f"ftp://me:{KEY}@host")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with pytest.raises(InputError, match="OPENAI_BASE_URL: expected http") as at:
        scored(judge, examples(range(3)), settings(tmp_path / "url"))
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert sum(b"Your key is Bearer [key]" in data for data in written) == 1
    assert not [data for data in written if KEY.encode() in data]
    assert KEY not in caplog.text and KEY not in " ".join([*said, str(at.value), repr(judge_client.Endpoint)])


def started(folder, rows, part="pool-000-of-001", **changed):
    """The same in a process of its own."""
    told = folder / f"{part}.told"
    told.write_text(json.dumps({"rows": rows, "settings": settings(folder, part, **changed)}))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, judging.__file__, str(told)]
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)


def until(condition):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_killed_job_goes_on_where_it_was(monkeypatch, tmp_path):
    written = tmp_path / "answers/entry/pool-000-of-001.jsonl"
    with serving(seconds=0.03) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        process = started(tmp_path, [0, 60])
        until(lambda: server.paid.total() >= 20)
        process.kill()
        process.communicate()
        time.sleep(0.1)
        kept = {json.loads(line)["example"] for line in written.read_text().splitlines()}
        assert len(kept) >= server.paid.total() - 4  # four were on their way
        with open(written, "a") as file:
            file.write('{"key": "torn')
        server.starts.clear()
        found = run(server, monkeypatch, tmp_path, rows=60)
    assert found["score"].to_list() == [row % 6 for row in range(60)]
    assert not {f"{row:020x}" for row, _ in server.starts} & kept
    assert len(answers(tmp_path)) == 60


def test_a_job_that_is_asked_to_end_waits_for_what_is_paid(monkeypatch, tmp_path):
    with serving(seconds=0.05) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        process = started(tmp_path, [0, 200])
        until(lambda: server.paid.total() >= 8)
        process.send_signal(signal.SIGTERM)
        said = process.communicate(timeout=60)[1]
        assert "judge: ended by SIGTERM; " in said and "run again to go on" in said
        assert len(answers(tmp_path)) == server.paid.total() < 200
        run(server, monkeypatch, tmp_path, rows=40)
    assert set(server.paid.values()) == {1}


def test_two_jobs_at_once_pay_for_no_answer_twice(monkeypatch, tmp_path):
    with serving(seconds=0.02) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        jobs = [started(tmp_path, rows, part) for rows, part in (([0, 40], "one-000-of-001"), ([20, 60], "two"))]
        assert [job.communicate(timeout=60)[1] for job in jobs] == ["", ""]
        assert [job.returncode for job in jobs] == [0, 0]
    assert server.paid == dict.fromkeys(range(60), 1) and server.most_at_once <= 4
    assert len({record["key"] for record in answers(tmp_path)}) == len(answers(tmp_path)) == 60


def test_a_server_s_words_are_not_believed():
    for header in ("Wed, 21 Oct 2015 07:28:00 GMT", "soon", "nan", "-3", ""):
        response = SimpleNamespace(headers={"retry-after": header})
        found = refusal(SimpleNamespace(status_code=429, code=f"{KEY} is wrong", response=response), "K")
        assert found.reason == "HTTP 429" and not found.wait and not found.stop
