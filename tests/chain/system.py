"""`ryla dev` with the web side of infra/modal as its GPU backend, and the `ryla` command as its user."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import uvicorn
from starlette.concurrency import run_in_threadpool

from container import LOCAL, Container
from link import Link
from ryla_modal.clock import Clock, SystemClock
from ryla_modal.direct import Direct, direct_routes
from ryla_modal.families import FAMILIES, ceiling
from ryla_modal.make import make
from ryla_modal.starts import started
from ryla_modal.warm import Leases
from ryla_modal.web import WebSide, build_web, room

T = TypeVar("T")
# The shortest life of a signed URL that the settings allow.
PRESIGN_S = 60
# A cold wait is worth so much that whatever idles is held.
SETTINGS = {"SWEEP_PERIOD_S": "1", "PROGRESS_INTERVAL_S": "1", "PRESIGN_S": str(PRESIGN_S), "WARM_VALUE_USD": "1000"}


class System:
    """The running system. `link` is the line by which workers reach it, `app_url` the web side of the GPU app."""

    def __init__(self, url: str, key: str, link: Link, gpu: Container, folder: Path, app_url: str) -> None:
        self.url, self.key, self.link, self.gpu, self.folder, self.app_url = url, key, link, gpu, folder, app_url

    def ryla(self, *words: str) -> tuple[int, Any]:
        """Runs the command to its end: its status and its JSON."""
        done = self.start(*words)
        out, _ = done.communicate(timeout=600)
        return done.returncode, json.loads(out)

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Starts the command."""
        return self.command([*words, "--json"])

    def command(self, words: Sequence[str], **variables: str) -> subprocess.Popen[str]:
        """Starts the command with these words and nothing of the caller's variables."""
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "RYLA_API_URL": self.url, "RYLA_API_KEY": self.key}
        return subprocess.Popen(
            [os.environ["RYLA"], *words], cwd=self.folder, env=environment | variables, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def generate(self, seed: int, *words: str, model: str = "flux-dev") -> subprocess.Popen[str]:
        """Starts making a small picture."""
        small = ["--width", "256", "--height", "256", "--steps", "4", "--seed", str(seed)]
        return self.start("generate", model, "a lighthouse at dusk", *small, "--out", f"{seed}.jpg", *words)

    def job_of(self, seed: int) -> str:
        """The id of the job with that seed, once there is one."""

        def find() -> str | None:
            _, jobs = self.ryla("jobs", "list")
            return next((str(job["id"]) for job in jobs if job["input"].get("seed") == seed), None)

        return until(find)

    def end_of(self, job: str) -> dict[str, Any]:
        """The job once it has ended."""

        def ended() -> dict[str, Any] | None:
            shown: dict[str, Any] = self.ryla("jobs", "get", job)[1]
            return shown if shown["status"] in {"succeeded", "failed", "canceled"} else None

        return until(ended)


def until(look: Callable[[], T | None], limit_s: float = 300) -> T:
    """What `look` finds, as soon as it finds anything."""
    begun = time.monotonic()
    while time.monotonic() - begun < limit_s:
        found = look()
        if found:
            return found
        time.sleep(0.2)
    raise AssertionError(f"nothing after {limit_s} s")


def leases(gpu: Container, clock: Clock) -> Leases:
    """Leases as the app keeps them, over the container's store; what the platform would be asked for is noted there."""
    ceilings = {name: ceiling(family, {}) for name, family in FAMILIES.items()}
    return Leases(gpu.store, clock, ceilings, lambda *asked: gpu.floors.append(asked))


def web_side(gpu: Container) -> Any:  # noqa: ANN401
    """The app of infra/modal as `app.py` puts it together, with this machine in Modal's place."""
    clock = SystemClock()
    side = WebSide(
        claims=gpu.claims,
        calls=gpu,
        clock=clock,
        places=LOCAL,
        leases=leases(gpu, clock),
        workflows=gpu.workflows,
        starts=lambda: started(gpu.store, FAMILIES),
    )

    async def generate(_: str, name: str, params: dict[str, Any], given: dict[str, bytes], deadline_at_ms: int) -> dict[str, Any]:
        return await run_in_threadpool(make, gpu.worker, name, params, given, deadline_at_ms)

    return build_web(side, direct_routes(Direct(gpu.workflows, generate, gpu.http, clock, partial(room, side))))


@contextmanager
def served(app: Any) -> Iterator[str]:  # noqa: ANN401
    """The app under uvicorn, on a free port."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        until(lambda: server.started)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


@contextmanager
def system(gpu: Container, folder: Path) -> Iterator[System]:
    """The system for as long as the block runs. It keeps nothing, and nothing of the caller's settings gets in."""
    link = Link()
    with served(web_side(gpu)) as app_url, (folder / "dev.log").open("wb") as log:
        environment = SETTINGS | {"PATH": os.environ["PATH"], "HOME": str(folder), "MODAL_JOBS_URL": app_url, "PUBLIC_URL": link.url}
        process = subprocess.Popen(
            [os.environ["RYLA"], "dev", "--memory", "--listen", "127.0.0.1:0"], cwd=folder, env=environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
        )  # fmt: skip
        try:
            url, key = welcome(process)
            link.upstream = ("127.0.0.1", int(url.rpartition(":")[2]))
            yield System(url, key, link, gpu, folder, app_url)
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout is not None:
                process.stdout.close()
            link.close()


def welcome(process: subprocess.Popen[str]) -> tuple[str, str]:
    """Address and key, as the system says them when it is up."""
    said = ""
    for line in process.stdout or ():
        said += line
        found = [re.search(rf"export {name}=(\S+)", said) for name in ("RYLA_API_URL", "RYLA_API_KEY")]
        if all(found):
            url, key = (match.group(1) for match in found if match)
            return url, key
    raise AssertionError(f"`ryla dev` did not start: {said}")
