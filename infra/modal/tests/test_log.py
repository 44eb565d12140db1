"""Nothing that must stay secret gets into the log, whatever goes wrong."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from fakes import Stand, fixture
from gpu import Bench, picture
from ryla_modal.log import configure
from ryla_modal.make import make
from ryla_modal.web import build_web

CANARIES = {
    "prompt": "canary-prompt-lighthouse",
    "signature": "X-Amz-Signature=canary-signature",
    "key": fixture("submit")["callback"]["key"],
}


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = (root.handlers, root.level)
    stream = io.StringIO()
    configure(stream)
    # As a person would who looks for a fault: whatever is said at all gets to the handler.
    for name in ("", "httpx", "httpcore", "ryla_modal"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    yield stream
    root.handlers, root.level = before
    for name in ("httpx", "httpcore", "ryla_modal"):
        logging.getLogger(name).setLevel(logging.NOTSET)


def read(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def check(stream: io.StringIO) -> None:
    for name, canary in CANARIES.items():
        assert canary not in stream.getvalue(), f"{name} is in the log"


def secretive(bench: Bench) -> None:
    bench.message["params"]["prompt"] = CANARIES["prompt"]
    for output in bench.message["outputs"]:
        output["put_url"] = f"https://bucket.s3.amazonaws.com/o?{CANARIES['signature']}"


def breaks(*_: Any, **__: Any) -> Any:
    raise RuntimeError(f"{CANARIES['prompt']} https://bucket.s3.amazonaws.com/o?{CANARIES['signature']} {CANARIES['key']}")


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("good", None),
        ("refused put", "run failed"),
        ("lost put", "run failed"),
        ("callback away", "callback not delivered"),
        ("broken comfy", "run broke"),
        ("broken store", "cancels cannot be read"),
        ("no such input", "run failed"),
    ],
)
def test_a_run_says_no_secret(bench: Bench, lines: io.StringIO, case: str, message: str | None) -> None:
    secretive(bench)
    if case == "refused put":
        bench.net.put_answers = [400]
    elif case == "lost put":
        bench.net.put_answers = ["lost", 403, 403]
    elif case == "callback away":
        bench.net.down_until = bench.clock.monotonic() + 10_000
    elif case == "broken comfy":
        bench.comfy.start = breaks  # type: ignore[method-assign]
    elif case == "broken store":
        bench.comfy.takes, bench.claims.stopped = 60, breaks  # type: ignore[method-assign]
    elif case == "no such input":
        bench.give("reference_image", picture())
        bench.message["inputs"][0]["get_url"] += f"?{CANARIES['signature']}"
        bench.net.gets.clear()
    bench.run()
    check(lines)
    assert message in {None, *(line["message"] for line in read(lines))}
    # httpx did speak of the requests: what is checked is not an empty log.
    assert any(line["logger"] == "httpx" for line in read(lines))


def test_a_traceback_is_types_and_places(bench: Bench, lines: io.StringIO) -> None:
    bench.comfy.start = breaks  # type: ignore[method-assign]
    bench.run()
    [broke] = [line for line in read(lines) if line["message"] == "run broke"]
    assert broke["exception"][0].startswith("RuntimeError job.py:")
    assert broke["run"] == bench.message["run"]
    check(lines)


def test_a_request_that_stumbles_says_no_secret(lines: io.StringIO) -> None:
    stand = Stand()
    stand.calls.spawn = breaks  # type: ignore[method-assign]
    # The client raises what the app does not catch: nothing may come through, or the server below prints it.
    answer = TestClient(build_web(stand.side), raise_server_exceptions=True).post("/v1/jobs", json=fixture("submit"))
    assert answer.status_code == 500
    [failed] = [line for line in read(lines) if line["message"] == "request failed"]
    assert failed["exception"][0].startswith("RuntimeError ")
    check(lines)


def test_a_synchronous_picture_that_breaks_says_no_secret(bench: Bench, lines: io.StringIO) -> None:
    bench.comfy.start = breaks  # type: ignore[method-assign]
    made = make(bench.worker, "flux-dev", {"prompt": CANARIES["prompt"]}, {}, bench.clock.now_ms() + 60_000)
    assert made["error"]["code"] == "internal"
    assert [line["message"] for line in read(lines)] == ["picture broke"]
    check(lines)


def test_a_library_loses_queries_and_what_it_quotes(lines: io.StringIO) -> None:
    url = f"https://h.example/p/a?{CANARIES['signature']}&b"
    logging.getLogger("somebody").warning("GET %s failed: %r", url, CANARIES["prompt"])
    [line] = read(lines)
    assert line["message"] == "GET https://h.example/... failed: '...'"


def test_at_its_own_level_httpx_says_nothing() -> None:
    root = logging.getLogger()
    before = (root.handlers, root.level)
    stream = io.StringIO()
    configure(stream)
    try:
        httpx.Client(transport=httpx.MockTransport(lambda request: httpx.Response(200))).get("https://h.example/x")
        logging.getLogger("ryla_modal.web").info("spawned", extra={"run": "a.b.1", "prompt": "x"})
    finally:
        root.handlers, root.level = before
    assert read(stream) == [{"level": "info", "logger": "ryla_modal.web", "message": "spawned", "run": "a.b.1"}]
