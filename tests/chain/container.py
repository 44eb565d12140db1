"""One GPU container without Modal: the worker of infra/modal on a thread, before the real ComfyUI on the CPU.

It is to the web side what Modal's function calls are: `spawn` puts a job into its queue, `look` says what became of it. Its
ComfyUI is started, watched and restarted by the app's own code.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import threading
import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from ryla_modal.calls import Broken, Finished, Outcome, Pending
from ryla_modal.claims import Claims, MemoryStore
from ryla_modal.clock import SystemClock
from ryla_modal.families import FAMILIES
from ryla_modal.job import Worker, run_job
from ryla_modal.loras import Loras
from ryla_modal.places import Places
from ryla_modal.server import ComfyServer
from ryla_modal.starts import Start
from ryla_modal.wire import Run
from ryla_modal.workflow import Graph, Workflow, folder, names
from server import command, free_port, prepare

# Buckets and callbacks on this machine.
LOCAL = Places(("127.0.0.1",), local=True)


@dataclass
class Pace:
    """How long a picture takes beside its own work, and in which node: `TestSleep` can be interrupted, `TestDeaf` not.

    `most` bounds whole numbers of the params: a caller who asks for a model's defaults asks for more than a CPU draws soon.
    """

    seconds: float = 0.0
    node: str = "TestSleep"
    most: Mapping[str, int] = field(default_factory=dict)


class Paced(Workflow):
    """A workflow of the repository, which takes as long as a test says."""

    def __init__(self, name: str, pace: Pace) -> None:
        super().__init__(json.loads((folder() / f"{name}.json").read_text()))
        self._pace = pace

    def fill(self, params: Mapping[str, Any], *, files: Mapping[str, str], prefix: str, models: Mapping[str, str] | None = None) -> Graph:
        less = {name: min(params.get(name) or most, most) for name, most in self._pace.most.items() if name in self.params}
        graph = super().fill({**params, **less}, files=files, prefix=prefix, models=models)
        saved = graph[self.outputs[0].node]["inputs"]
        if self._pace.seconds and "images" in saved:
            graph["pace"] = {"class_type": self._pace.node, "inputs": {"image": saved["images"], "seconds": self._pace.seconds}}
            saved["images"] = ["pace", 0]
        return graph


class Noting(httpx.HTTPTransport):
    """Notes what callbacks said and what came back."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[tuple[dict[str, Any], httpx.Headers, int, dict[str, Any]]] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = super().handle_request(request)
        body = response.read()
        self.said.append((json.loads(request.content), request.headers, response.status_code, json.loads(body)))
        return httpx.Response(response.status_code, headers=response.headers, content=body)

    def of(self, job: str) -> list[str]:
        """The events of a job that were taken, in their order."""
        return [message["event"] for message, _, status, reply in self.told(job) if status == 200 and not reply.get("ignored")]

    def told(self, job: str) -> list[tuple[dict[str, Any], httpx.Headers, int, dict[str, Any]]]:
        """Everything that was said of a job; the call id carries the run's name."""
        return [item for item in self.said if f".{job}." in str(item[0]["call_id"])]


class Container:
    """Runs one job after the other, as a GPU container does."""

    def __init__(self, install: Path, base: Path) -> None:
        prepare(install, base)
        port = free_port()
        self.pace = Pace()
        self.store = MemoryStore()
        self.claims = Claims(self.store)
        self.http, self.notes = httpx.Client(), Noting()
        self.outside = httpx.Client(transport=self.notes)
        self.puts: list[int] = []
        # Class, floor and window, each time that the platform was asked for them.
        self.floors: list[tuple[str, int, int | None]] = []
        self.http.event_hooks = {"response": [self._note_put]}
        self.comfy = ComfyServer(command(install, base, port), port, base, self.http)
        self.workflows = {name: Paced(name, self.pace) for name in names()}
        self._models = base / "models"
        self._pool = ThreadPoolExecutor(1)
        self._ends: dict[str, Future[dict[str, Any]]] = {}
        self._lock = threading.Lock()

    def boot(self) -> None:
        """Starts ComfyUI; `close` ends it, however far this came."""
        aside = [self._models / "loras"]
        self._starts = [Start(self.store, family, [self._models], aside) for family in FAMILIES]
        self.comfy.boot()
        self.worker = Worker(
            comfy=self.comfy,
            http=self.http,
            outside=self.outside,
            clock=SystemClock(),
            claims=self.claims,
            places=LOCAL,
            workflows=self.workflows,
            loras=Loras(self._models / "loras", 10**9),
            gpu="CPU",
            boot_ms=self.comfy.start_ms,
            forget=self.comfy.forget_run,
            word=lambda: uuid.uuid4().hex[:8],
        )
        for start in self._starts:
            start.tell()

    # What web.py asks of Modal's function calls.

    def spawn(self, family: str, job: dict[str, Any], accepted_ms: int) -> str:  # noqa: ARG002
        """Queues the job as it would travel: as JSON."""
        call_id = f"fc-{job['run']}-{uuid.uuid4().hex[:6]}"
        message = json.loads(json.dumps(job))
        with self._lock:
            self._ends[call_id] = self._pool.submit(self._job, message, call_id, accepted_ms)
        return call_id

    def start_again(self) -> None:
        """Another start on the same folders, as Modal makes one where the volumes are the same."""
        self.comfy.shut()
        self.boot()

    def look(self, call_id: str) -> Outcome:
        end = self._ends[call_id]
        if not end.done():
            return Pending()
        try:
            return Finished(end.result())
        except (Exception, CancelledError):
            return Broken("gpu_error")

    def stop(self, call_id: str) -> None:
        """A call that waits never begins; one that runs learns of it by its next heartbeat."""
        self._ends[call_id].cancel()

    def waiting(self, family: str) -> int:  # noqa: ARG002
        return sum(not end.done() and not end.running() for end in self._ends.values())

    def settle(self) -> None:
        """Stops what a failed test left behind, and waits until nothing runs."""
        for call_id, end in list(self._ends.items()):
            if not end.cancel() and not end.done():
                self.claims.close(Run.parse(call_id.removeprefix("fc-").rpartition("-")[0]))
                end.exception(60)

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)
        self.comfy.shut()
        self.http.close()
        self.outside.close()

    def _job(self, message: dict[str, Any], call_id: str, accepted_ms: int) -> dict[str, Any]:
        try:
            return run_job(message, self.worker, call_id, accepted_ms)
        finally:
            for start in self._starts:
                start.after_run(message["workflow"])

    def _note_put(self, response: httpx.Response) -> None:
        if response.request.method == "PUT":
            self.puts.append(response.status_code)


@contextmanager
def container() -> Iterator[Container]:
    """A container for as long as the block runs; its folders are temporary."""
    base = Path(tempfile.mkdtemp(prefix="container-"))
    try:
        made = Container(Path(os.environ["COMFYUI"]), base)
        try:
            made.boot()
            yield made
        finally:
            made.close()
    finally:
        shutil.rmtree(base)
