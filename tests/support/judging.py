"""A judge's endpoint on loopback that misbehaves as told, and a job that asks it: `python judging.py settings.json`."""

import json
import re
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import polars as pl

from instructmining.jobs.errors import InputError
from scoring import scored

KEY = "sk-a-secret-of-37-letters/and+signs=42"
USAGE = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}


def examples(rows: range) -> pl.DataFrame:
    """Rows whose instruction has their number, so that the server knows them."""
    return pl.DataFrame(
        {
            "id": [f"{row:020x}" for row in rows],
            "instruction": [f"Question {row}: is {{input}} a brace?" for row in rows],
            "input": ["" if row % 2 else "of old" for row in rows],
            "output": [f"Answer é {row}" for row in rows],
        },
        schema=dict.fromkeys(("id", "instruction", "input", "output"), pl.String),
    )


def completion(text: Any, **more: Any) -> bytes:
    message = {"role": "assistant", "content": text}
    choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
    return json.dumps({"id": "c", "model": "judge-0613", "choices": choices, "usage": USAGE, **more}).encode()


Reply = Callable[[int, dict[str, Any]], bytes]


def score(row: int, _: dict[str, Any]) -> bytes:
    return completion(f"{row % 6}\nBecause of row {row}.")


class Server(ThreadingHTTPServer):
    """``plan``: row -> what its first, second, … request gets; then, and for all others, a good answer.

    ``always``: what every request gets. ``reply``: a good answer, to a row and the body of its request. ``asked`` and
    ``paid`` count requests and whole good answers of each row.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, plan: dict[int, list[str]], always: str, seconds: float, reply: Reply) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.plan, self.always, self.seconds, self.reply = plan, always, seconds, reply
        self.asked: Counter[int] = Counter()
        self.paid: Counter[int] = Counter()
        self.lock, self.now, self.most_at_once = threading.Lock(), 0, 0
        self.starts: list[tuple[int, float]] = []
        self.bodies: list[dict[str, Any]] = []

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed is no news."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def log_message(self, *_: Any) -> None:
        pass

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        row = int(re.search(r"Question (\d+)", str(body["messages"]))[1])
        server = self.server
        with server.lock:
            server.now += 1
            server.most_at_once = max(server.most_at_once, server.now)
            server.starts.append((row, time.monotonic()))
            server.bodies.append(body)
            told = server.plan.get(row, [])
            action = server.always or (told[server.asked[row]] if server.asked[row] < len(told) else "good")
            server.asked[row] += 1
        try:
            time.sleep(server.seconds)
            self.answer(action, row, body)
        finally:
            with server.lock:
                server.now -= 1

    def answer(self, action: str, row: int, body: dict[str, Any]) -> None:
        good = self.server.reply(row, body)
        match action.split(" "):
            case ["good"]:
                with self.server.lock:
                    self.server.paid[row] += 1
                self.send(good)
            case ["slow"]:
                time.sleep(1.0)
                self.send(good)
            case ["drip"]:
                self.send(good[:1], length=len(good))
                for byte in good[1:12]:
                    time.sleep(0.1)
                    self.wfile.write(bytes([byte]))
                self.wfile.write(good[12:])
            case ["cut"]:
                self.send(good[:40], length=len(good))
                self.close_connection = True
            case ["hang_up"]:
                self.close_connection = True
            case ["garbage"]:
                self.send(bytes(range(256)))
            case ["doubled"]:
                self.send(good + good)
            case ["echo"]:
                self.send(completion(f"{row % 6}\nYour key is {self.headers['Authorization']}"))
            case ["text", text]:
                self.send(completion(json.loads(text.replace("_", " "))))
            case ["json", text]:
                self.send(text.encode())
            case [status, *after]:
                headers = {"Retry-After": after[0]} if after else {}
                error = {"message": f"key {self.headers['Authorization']}", "code": "some_code"}
                self.send(json.dumps({"error": error}).encode(), int(status), headers)

    def send(self, body: bytes, status: int = 200, headers: dict[str, str] | None = None, length: int = 0) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(length or len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def serving(
    plan: dict[int, list[str]] | None = None, always: str = "", seconds: float = 0.0, reply: Reply = score
) -> Iterator[Server]:
    with Server(plan or {}, always, seconds, reply) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield server
        server.shutdown()


def settings(folder: Path, part: str = "pool-000-of-001", **changed: Any) -> dict[str, Any]:
    """As the job gives them: the config's in ``calls`` and beside, and where the files are."""
    calls = {
        **{"concurrency": 4, "requests_per_minute": None, "tokens_per_minute": None, "retries": 3, "timeout": 20},
        **{"price_input": 1.0, "price_output": 10.0, "max_cost": None},
        **{"base_url_env": "OPENAI_BASE_URL", "key_env": "OPENAI_API_KEY"},
    }
    found = {
        **{"scorer": "judge", "backend": "api", "model": "judge", "model_record": {"model": "judge"}},
        **{"prompt": "alpagasus", "scale": None, "request": {"temperature": 0.0, "max_tokens": 64}},
        **{"min_share_used": 0.9, "calls": calls, "answers": ["entry", part, str(folder)]},
        "costs": str(folder / f"costs/judge/pool/entry/{part}.json"),
    }
    for key, value in changed.items():
        (calls if key in calls else found)[key] = value
    return found


def _main() -> None:
    from instructmining.judge import client as judge_client
    from instructmining.scorers import judge

    judge_client.FIRST_WAIT = 0.02
    told = json.loads(Path(sys.argv[1]).read_text())
    try:
        scored(judge, examples(range(*told["rows"])), told["settings"])
    except InputError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    _main()
