"""A GPU side without a GPU: a ComfyUI, a bucket and a callback server that do what a test tells them."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from PIL import Image

from fakes import ManualClock, fixture, places
from ryla_modal import wire
from ryla_modal.claims import Claims, MemoryStore
from ryla_modal.comfy import ComfyDown, Ended, GraphRefused, OutputFile, Watch
from ryla_modal.job import Worker, run_job
from ryla_modal.loras import Loras

BUCKET = "bucket.s3.eu-central-1.amazonaws.com"


def picture(kind: str = "JPEG", size: tuple[int, int] = (64, 48)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, (200, 40, 90)).save(out, kind)
    return out.getvalue()


class FakeWatch:
    def __init__(self, comfy: FakeComfy) -> None:
        self.comfy = comfy

    def fraction(self) -> float | None:
        polls = self.comfy.polls
        return None if polls < 2 else min(polls / max(self.comfy.takes, 1), 1.0)

    def close(self) -> None:
        self.comfy.watches -= 1


class FakeComfy:
    """Each prompt takes `takes` looks at /history; `answers` says how the prompts end, one after the other."""

    def __init__(self) -> None:
        self.takes = 3
        self.polls = 0
        self.watches = 0
        self.answers: list[Ended] = []
        self.refuse: object | None = None
        self.views: dict[str, bytes] = {"o.png": picture("JPEG")}
        self.started: list[tuple[str, str, dict[str, Any]]] = []
        self.uploads: list[tuple[str, str, bytes]] = []
        self.cancelled: list[str] = []
        self.freed = 0
        self.lost = 0
        self.down_after_start = 0
        self.restarts = True
        self.restarted = 0
        self.previews: list[str | None] = []
        self.on_poll: Callable[[], None] = lambda: None
        self.heeds = True
        self.busy: set[str] = set()

    def upload(self, name: str, data: bytes, folder: str) -> str:
        self.uploads.append((folder, name, data))
        return f"{folder}/{name}"

    def start(self, graph: dict[str, Any], prompt_id: str, client_id: str) -> None:
        if self.refuse is not None:
            raise GraphRefused(self.refuse)
        self.started.append((prompt_id, client_id, graph))
        self.busy.add(prompt_id)
        self.polls = 0
        if self.down_after_start:
            self.down_after_start -= 1
            raise ComfyDown("ReadTimeout")

    def ended(self, prompt_id: str) -> Ended | None:
        self.polls += 1
        self.on_poll()
        if self.lost or self.polls <= self.takes:
            return None
        self.busy.discard(prompt_id)
        return self.answers.pop(0) if self.answers else ok()

    def queued(self, prompt_id: str) -> bool:
        return not self.lost

    def idle(self) -> bool:
        return not self.busy

    def view(self, file: OutputFile, preview: str | None) -> bytes | None:
        self.previews.append(preview)
        return self.views.get(file.filename)

    def cancel(self, prompt_id: str) -> None:
        self.cancelled.append(prompt_id)
        if self.heeds:
            self.busy.discard(prompt_id)

    def free(self) -> None:
        self.freed += 1

    def forget(self, prompt_id: str) -> None: ...

    def watch(self, client_id: str, nodes: int) -> Watch:
        self.watches += 1
        return FakeWatch(self)

    def restart(self) -> bool:
        self.restarted += 1
        self.lost = 0
        self.busy.clear()
        return self.restarts


def ok(*names: str, status: str = "success") -> Ended:
    files = tuple(OutputFile("9", name, "ryla") for name in names or ("o.png",))
    return Ended(status, files if status == "success" else (), ())


def oom() -> Ended:
    error = {"exception_type": "torch.OutOfMemoryError", "exception_message": "", "node_type": "KSampler"}
    return Ended("error", (), (["execution_error", error],))


@dataclass
class Model:
    """A workflow: one node that gets everything."""

    inputs: dict[str, str] = field(default_factory=dict)
    outputs: Any = field(default_factory=lambda: [type("Output", (), {"node": "9", "kind": "image"})()])
    family: str = "flux"
    nodes: Collection[str] = ("SaveImage",)
    models: Any = ()

    def fill(self, params: dict[str, Any], *, files: dict[str, str], prefix: str) -> dict[str, Any]:
        if "steps" in params and not isinstance(params["steps"], int):
            raise ValueError("steps")
        return {"9": {"class_type": "SaveImage", "inputs": {"filename_prefix": prefix, **params, **files}}}


class Network:
    """Bucket, inputs and callback server behind one transport."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.puts: list[tuple[str, dict[str, str], bytes]] = []
        self.put_answers: list[int | str] = []
        self.callbacks: list[dict[str, Any]] = []
        self.callback_answers: list[Any] = []
        self.bodies: list[bytes] = []
        self.gets: dict[str, Any] = {}
        self.got: list[str] = []
        self.skew_s = 0
        self.down_until: float | None = None
        self.key = fixture("submit")["callback"]["key"]

    def client(self, *, inside: bool = False) -> httpx.Client:
        """One that goes anywhere, or one that our buckets alone may be asked with."""

        def handle(request: httpx.Request) -> httpx.Response:
            assert not inside or request.url.host.endswith(".amazonaws.com"), "only the client that checks addresses goes there"
            return self.handle(request)

        return httpx.Client(transport=httpx.MockTransport(handle))

    def handle(self, request: httpx.Request) -> httpx.Response:
        if request.url.host == "api.example.com":
            return self.callback(request)
        if request.method == "PUT":
            return self.put(request)
        self.got.append(request.url.path)
        answer = self.gets.get(request.url.path, 404)
        if isinstance(answer, list):
            answer = answer.pop(0)
        if answer == "broken gzip":
            return httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(b"not gzip"))
        return httpx.Response(answer) if isinstance(answer, int) else httpx.Response(200, content=answer)

    def put(self, request: httpx.Request) -> httpx.Response:
        self.puts.append((str(request.url), dict(request.headers), request.content))
        answer = self.put_answers.pop(0) if self.put_answers else 200
        if answer == "lost":
            raise httpx.ReadError("lost")
        assert isinstance(answer, int)
        return httpx.Response(answer, headers={"ETag": '"abc123"'} if answer == 200 else {})

    def callback(self, request: httpx.Request) -> httpx.Response:
        self.bodies.append(request.content)
        if self.down_until is not None and self.clock.monotonic() < self.down_until:
            raise httpx.ConnectError("down")
        stamp, _, signature = request.headers["x-ryla-signature"].partition(",v1=")
        at = int(stamp.removeprefix("t="))
        good = hmac.new(self.key.encode(), f"{at}.".encode() + request.content, hashlib.sha256).hexdigest()
        assert hmac.compare_digest(good, signature)
        assert len(request.content) <= wire.MAX_CALLBACK_BYTES
        server_time = self.clock.now_ms() // 1000 + self.skew_s
        if abs(server_time - at) > 300:
            return httpx.Response(401, json=fixture("callback-refusal") | {"server_time": server_time})
        answer = self.callback_answers.pop(0) if self.callback_answers else fixture("callback-reply")
        if isinstance(answer, httpx.Response):
            return answer
        if isinstance(answer, int):
            return httpx.Response(answer)
        self.callbacks.append(json.loads(request.content))
        return httpx.Response(200, json=answer)

    @property
    def events(self) -> list[str]:
        return [str(callback["event"]) for callback in self.callbacks]


class Bench:
    """A worker and everything around it."""

    def __init__(self, tmp_path: Path) -> None:
        self.clock = ManualClock()
        self.net = Network(self.clock)
        self.comfy = FakeComfy()
        self.claims = Claims(MemoryStore())
        self.model = Model()
        self.forgotten: list[str] = []
        self.message = fixture("submit") | {"deadline_at": self.clock.now_ms() + 900_000}
        self.worker = Worker(
            comfy=self.comfy,
            http=self.net.client(inside=True),
            outside=self.net.client(),
            clock=self.clock,
            claims=self.claims,
            places=places(),
            workflows={"flux-dev": self.model},
            loras=Loras(tmp_path / "loras", 1000),
            gpu="L40S",
            boot_ms=1500,
            forget=self.forgotten.append,
        )

    def give(self, name: str, data: bytes, sha256: str | None = None) -> None:
        """A file input with its bytes behind a URL."""
        path = f"/f/{name}"
        self.net.gets[path] = data
        self.message["inputs"] = [
            *self.message["inputs"],
            {
                "name": name,
                "get_url": f"https://{BUCKET}{path}",
                "sha256": sha256 or hashlib.sha256(data).hexdigest(),
            },
        ]
        self.model.inputs = {**self.model.inputs, name: "lora" if name.startswith("lora") else "image"}

    def run(self, call_id: str = "fc-1", waited_ms: int = 180) -> dict[str, Any]:
        return run_job(self.message, self.worker, call_id, self.clock.now_ms() - waited_ms)
