"""Videos through the worker: from a submit message to an MP4 in a bucket, with the real ComfyUI between them.

The message is written here and the bucket is a small server of the test's: it is the worker alone that is looked at.
"""

from __future__ import annotations

import hashlib
import io
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from PIL import Image

from container import Container
from ryla_modal.files import Facts, facts
from ryla_modal.job import run_job


class Bucket(ThreadingHTTPServer):
    """A bucket and a callback endpoint: keeps what is put, gives what was put, notes what is said."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.objects: dict[str, bytes] = {}
        self.said: list[dict[str, Any]] = []

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}{path}"


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Bucket
    protocol_version = "HTTP/1.1"

    def reply(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers["Content-Length"]))

    def do_GET(self) -> None:
        found = self.server.objects.get(self.path)
        self.reply(404 if found is None else 200, found or b"")

    def do_PUT(self) -> None:
        data = self.body()
        if self.path in self.server.objects:
            self.reply(412)
            return
        self.server.objects[self.path] = data
        self.reply(200, ETag=f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"')

    def do_POST(self) -> None:
        self.server.said.append(json.loads(self.body()))
        self.reply(200, b'{"v":1,"continue":true}')

    def log_message(self, *_: object) -> None:
        """Says nothing: pytest shows what matters."""


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    with Bucket() as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield made
        made.shutdown()


def face() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (320, 448), (190, 150, 130)).save(out, "PNG")
    return out.getvalue()


def message(bucket: Bucket, workflow: str, params: dict[str, Any], with_face: bool) -> dict[str, Any]:
    data = face()
    bucket.objects["/face.png"] = data
    given = {"name": "reference_image", "get_url": bucket.url("/face.png"), "sha256": hashlib.sha256(data).hexdigest()}
    target = {"slot": 0, "content_type": "video/mp4", "put_url": bucket.url("/out.mp4"), "headers": {"Content-Type": "video/mp4"}}
    return {
        "v": 1,
        "run": f"acme.{workflow}.1",
        "workflow": workflow,
        "params": params,
        "inputs": [given] if with_face else [],
        "outputs": [target],
        "callback": {"url": bucket.url("/callback"), "kid": "k1", "key": "k" * 64},
        "deadline_at": round(time.time() * 1000) + 900_000,
        "run_limit_ms": 400_000,
        "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-87e84d65e9794e0e-01",
    }


CASES: dict[str, tuple[dict[str, Any], bool]] = {
    "wan2": ({"prompt": "a lighthouse", "seed": 7, "width": 256, "height": 256, "steps": 1, "duration_seconds": 1}, False),
    "live-portrait": ({"seed": 7, "width": 256, "height": 256, "duration_seconds": 10}, True),
}


@pytest.mark.parametrize("workflow", CASES)
def test_a_video_is_put_as_an_mp4_and_reported_with_its_size(gpu: Container, bucket: Bucket, workflow: str) -> None:
    gpu.pace.seconds = 0
    sent = message(bucket, workflow, *CASES[workflow])
    result = run_job(sent, gpu.worker, "fc-1", round(time.time() * 1000))
    assert result["event"] == "succeeded", result
    data = bucket.objects["/out.mp4"]
    assert facts(data) == Facts("video/mp4", 256, 256)
    assert b"avc1" in data, "the track is not H.264"
    [output] = result["outputs"]
    assert (output["bytes"], output["content_type"], output["width"], output["height"]) == (len(data), "video/mp4", 256, 256)
    assert output["etag"] == hashlib.md5(data, usedforsecurity=False).hexdigest()
    assert (bucket.said[0]["event"], bucket.said[-1]["event"]) == ("started", "succeeded")
    assert bucket.said[-1]["outputs"] == result["outputs"]
    # A preempted input that runs once more puts no second one.
    # It is the same container, whose ComfyUI has every node cached.
    again = run_job(sent, gpu.worker, "fc-1", round(time.time() * 1000))
    assert again["outputs"] == [{"slot": 0, "existed": True}]
    assert bucket.objects["/out.mp4"] == data
