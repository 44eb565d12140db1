"""One run from its message to its last callback, on a GPU container. Called by the GPU classes of app.py.

May be called twice for one input (a preemption): pictures are put under the same keys with If-None-Match, so the second
call makes no second picture. Knows nothing of Modal; ComfyUI, network, clock and claims are handed over.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import httpx

from ryla_modal import files, wire
from ryla_modal.claims import Claims
from ryla_modal.clock import Clock
from ryla_modal.comfy import Comfy, ComfyDown
from ryla_modal.faces import Faces, NoFaces, shows_none
from ryla_modal.failures import Failed
from ryla_modal.fetch import fetch, fetch_checked, fetch_params
from ryla_modal.graph import Graph, Made, Stop
from ryla_modal.loras import Loras
from ryla_modal.places import Places
from ryla_modal.reporter import Reporter
from ryla_modal.upload import put
from ryla_modal.workflows import WorkflowLike, Workflows

log = logging.getLogger("ryla_modal.job")

HEARTBEAT_S = 7.0
Verdict = Literal["ok", "nsfw", "refuse"]


@dataclass
class Worker:
    """What a container works with.

    `http` speaks to our buckets, `outside` to addresses that others name: callbacks and a user's own files.
    `boot_ms` is what its start cost, reported once. `safety` judges a picture, or says nothing. `forget` removes the
    local files of a run. `cancellation` is what the platform raises in a cancelled call. `word` names this process.
    """

    comfy: Comfy
    http: httpx.Client
    outside: httpx.Client
    clock: Clock
    claims: Claims
    places: Places
    workflows: Workflows
    loras: Loras
    gpu: str
    boot_ms: int = 0
    faces: Faces = field(default_factory=NoFaces)
    safety: Callable[[bytes, str], Verdict | None] = lambda data, content_type: None  # noqa: ARG005
    forget: Callable[[str], None] = lambda run: None  # noqa: ARG005
    cancellation: tuple[type[BaseException], ...] = ()
    word: Callable[[], str] = lambda: "w"

    def take_boot_ms(self) -> int:
        boot_ms, self.boot_ms = self.boot_ms, 0
        return boot_ms


def run_job(message: dict[str, Any], worker: Worker, call_id: str, accepted_ms: int) -> dict[str, Any]:
    """Does the job and returns what its last callback said; `{"event": "left"}` where another call has the run."""
    job = wire.job_of(message)
    if not worker.claims.begin(job.run, call_id):
        return {"event": "left"}
    return _Run(job, worker, call_id, accepted_ms).through()


class _Run:
    def __init__(self, job: wire.Job, worker: Worker, call_id: str, accepted_ms: int) -> None:
        self.job, self.worker = job, worker
        self.word = worker.word()
        self.reporter = Reporter(job, worker.outside, worker.clock, call_id, f"{call_id}-{self.word}")
        self.begun = worker.clock.monotonic()
        queue = max(0, worker.clock.now_ms() - accepted_ms)
        self.timings = {"queue": queue, "boot": 0, "load": 0, "run": 0, "upload": 0}
        self.phase: wire.Phase = "load"
        self.percent = 0
        self.said = self.begun
        self.targets = {target.slot: target for target in job.outputs}
        self.graph: Graph | None = None

    def through(self) -> dict[str, Any]:
        """The whole run, and the container as the next one wants to find it."""
        try:
            result = self.told()
        except self.worker.cancellation:
            self.tidy()
            raise
        self.tidy()
        return result

    def tidy(self) -> None:
        # After the last event, which nobody should wait for; before the files go, which a prompt may still write.
        if self.graph is not None and not self.graph.leave():
            log.warning("ComfyUI is not free after the run", extra={"run": str(self.job.run)})
        self.worker.forget(str(self.job.run))

    def told(self) -> dict[str, Any]:
        """Whatever happens, exactly one last event is told, unless the container itself goes down."""
        if self.job.deadline_at_ms <= self.worker.clock.now_ms():
            return self.end("expired", timed=False)
        self.timings["boot"] = self.worker.take_boot_ms()
        try:
            self.heed(self.reporter.tell("started", phase="boot", gpu=self.worker.gpu))
            outputs = self.work()
        except Failed as failed:
            log.warning("run failed", extra={"run": str(self.job.run), "code": failed.code, "said": failed.message})
            return self.end("failed", error=failed.report())
        except Stop:
            return self.end("cancelled")
        except self.worker.cancellation:
            self.stop_graph()
            self.end("cancelled")
            raise
        except ComfyDown:
            return self.end("failed", error=Failed("gpu_error", "ComfyUI died").report())
        except Exception as error:
            log.exception("run broke", extra={"run": str(self.job.run)})
            return self.end("failed", error=Failed("internal", type(error).__name__).report())
        return self.end("succeeded", outputs=outputs)

    def end(self, event: wire.Event, *, timed: bool = True, **note: Any) -> dict[str, Any]:  # noqa: ANN401
        if timed:
            note |= {"timings": self.timings, "gpu": self.worker.gpu}
        self.reporter.tell(event, **note)
        return {"event": event, **note}

    def work(self) -> list[dict[str, Any]]:
        loading = self.worker.clock.monotonic()
        workflow = self.worker.workflows.get(self.job.workflow)
        if workflow is None:
            raise Failed("model_missing", "this class has no such workflow")
        params = self.job.params
        if self.job.input_url is not None:
            params = fetch_params(self.worker.http, self.worker.clock, self.job.input_url, self.tick)
        named, references = self.inputs(workflow, params or {})
        self.timings["load"] = self.since(loading)
        # Of this call alone: a container that is given a run again has its nodes cached, and the files that they name are gone.
        prefix = f"ryla/{self.job.run}-{self.word}"

        def graph_of() -> dict[str, Any]:
            try:
                return workflow.fill(params or {}, files=named, prefix=prefix)
            except (KeyError, ValueError, TypeError) as error:
                raise Failed("invalid_input", f"the workflow cannot be filled: {type(error).__name__}") from None

        self.phase = "run"
        self.graph = Graph(self.worker.comfy, self.worker.clock, self.tick, self.progress)
        made = self.graph.run(graph_of(), str(self.job.run), [node.node for node in workflow.outputs])
        self.timings["load"] += made.load_ms
        self.timings["run"] = made.run_ms
        return self.deliver(made, references)

    def inputs(self, workflow: WorkflowLike, params: dict[str, Any]) -> tuple[dict[str, str], list[bytes]]:
        """Files by the names under which the graph finds them, and the pictures among them."""
        worker = self.worker
        named: dict[str, str] = {}
        references: list[bytes] = []
        given = {item.name: item for item in self.job.inputs}
        for name in given:
            if name not in workflow.inputs:
                raise Failed("invalid_input", f"inputs: the workflow has no file input {name}")
        for name, kind in workflow.inputs.items():
            item = given.get(name)
            if kind == "lora":
                lora_id = params.get(name)
                if item is not None:
                    named[name], _ = worker.loras.fetched(worker.http, worker.clock, item.get_url, item.sha256, self.tick)
                elif isinstance(lora_id, str):
                    named[name] = worker.loras.named(lora_id)
                continue
            if item is None:
                data = self.users_file(name, params.get(name))
            else:
                data = fetch_checked(worker.http, worker.clock, item.get_url, item.sha256, what=name, tick=self.tick)
            named[name] = self.reference(name, data)
            # The face to compare with comes first; a face swap has another picture beside it.
            references.insert(0 if name == "reference_image" else len(references), data)
        return named, references

    def users_file(self, name: str, url: object) -> bytes:
        """A file that the user named by a URL of their own. Where it does not come, no other attempt will help."""
        if url is None:
            raise Failed("invalid_input", f"inputs: {name} is missing")
        if not self.worker.places.is_users(url):
            raise Failed("invalid_input", f"{name}: must be https at a public address")
        try:
            return fetch(self.worker.outside, self.worker.clock, str(url), what=name, tick=self.tick)
        except Failed as failed:
            if failed.code != "internal":
                raise
            raise Failed("invalid_input", failed.message) from None

    def reference(self, name: str, data: bytes) -> str:
        """Checks a reference picture before any GPU time and hands it to ComfyUI."""
        try:
            facts = files.facts(data)
        except files.BadFile as bad:
            raise Failed("invalid_input", f"{name}: {bad}") from None
        if facts.content_type == "video/mp4":
            raise Failed("invalid_input", f"{name}: must be a picture")
        if shows_none(self.worker.faces, data):
            raise Failed("face_not_found", f"{name} shows no face")
        extension = facts.content_type.rpartition("/")[2]
        return self.worker.comfy.upload(f"{name}.{extension}", data, str(self.job.run))

    def deliver(self, made: Made, references: list[bytes]) -> list[dict[str, Any]]:
        if len(made.files) < len(self.job.outputs):
            raise Failed("no_output", f"{len(made.files)} files for {len(self.job.outputs)} outputs")
        # All are checked before the first is put: a run that fails leaves nothing behind.
        ready = []
        for target, file in zip(sorted(self.job.outputs, key=lambda item: item.slot), made.files, strict=False):
            data = self.picture(file, target.content_type)
            verdict = self.worker.safety(data, target.content_type)
            if verdict == "refuse":
                raise Failed("unsafe", "the safety check refuses the picture")
            ready.append((target.slot, data, verdict))
            self.tick()
        self.phase, begun = "upload", self.worker.clock.monotonic()
        outputs = []
        for slot, data, verdict in ready:
            outputs.append(self.put(slot, data, verdict, references))
            self.timings["upload"] = self.since(begun)
        return outputs

    def picture(self, file: Any, content_type: str) -> bytes:  # noqa: ANN401
        kind = content_type.rpartition("/")[2]
        preview = f"{kind};92" if kind in {"jpeg", "webp"} else None
        data = self.worker.comfy.view(file, preview)
        if not data:
            raise Failed("no_output", "the file of the output is gone")
        try:
            if files.facts(data).content_type != content_type:
                data = files.as_type(data, content_type)
                files.facts(data)
        except files.BadFile as bad:
            raise Failed("no_output", f"the output is no {content_type}: {bad}") from None
        return files.without_text(data)

    def put(self, slot: int, data: bytes, verdict: Verdict | None, references: list[bytes]) -> dict[str, Any]:
        worker = self.worker
        stored = put(worker.http, worker.clock, self.targets[slot], data, self.renew, self.tick)
        if stored.get("existed"):
            return {"slot": slot, "existed": True}
        facts = files.facts(data)
        report: dict[str, Any] = {"slot": slot, **stored, "bytes": len(data)}
        report |= {"width": facts.width, "height": facts.height, "content_type": facts.content_type}
        if references and facts.content_type != "video/mp4":
            likeness = self.likeness(references[0], data)
            report |= {} if likeness is None else {"likeness": likeness}
        return report | ({} if verdict is None else {"safety": verdict})

    def likeness(self, reference: bytes, data: bytes) -> float | None:
        """How alike the faces are, where that can be told: the picture is made and put, and nothing here may lose it."""
        try:
            share = self.worker.faces.likeness(reference, data)
        except Exception as error:
            log.warning("likeness is unknown", extra={"run": str(self.job.run), "error": type(error).__name__})
            return None
        # Not a number compares as false with everything.
        return share if share is not None and 0 <= share <= 1 else None

    def renew(self, slot: int) -> wire.OutputTarget | None:
        """New URLs for every slot, by callback; the one of this slot."""
        reply = self.reporter.tell("progress", progress=100, phase="upload", renew=True)
        self.said = self.worker.clock.monotonic()
        self.heed(reply)
        renewed = set()
        for item in reply.put_urls:
            old = self.targets.get(item.get("slot", -1))
            url, headers = item.get("put_url"), item.get("headers")
            if old is None or not isinstance(url, str):
                continue
            try:
                self.worker.places.check_put(url)
                self.targets[old.slot] = wire.OutputTarget(old.slot, old.content_type, url, wire.headers_of(headers, "headers"))
            except wire.Refused:
                continue
            renewed.add(old.slot)
        return self.targets[slot] if slot in renewed else None

    def progress(self, fraction: float) -> None:
        # 100 is for the end itself to say.
        self.percent = max(self.percent, min(99, int(fraction * 100)))

    def tick(self) -> None:
        """A sign of life where one is due, and the limits of the run. Raises Stop or Failed."""
        now = self.worker.clock.monotonic()
        if (now - self.begun) * 1000 > self.job.run_limit_ms:
            self.stop_graph()
            raise Failed("timeout", "over the run limit")
        if now - self.said >= HEARTBEAT_S:
            self.said = now
            self.heed(self.reporter.tell("progress", progress=self.percent, phase=self.phase))
            if self.stopped():
                self.stop_graph()
                raise Stop

    def stopped(self) -> bool:
        try:
            return self.worker.claims.stopped(self.job.run)
        except Exception as error:
            # The store is away. The work is paid for, and the heartbeat's answer brings a stop too.
            log.warning("cancels cannot be read", extra={"run": str(self.job.run), "error": type(error).__name__})
            return False

    def heed(self, reply: Any) -> None:  # noqa: ANN401
        if not reply.go_on:
            self.stop_graph()
            raise Stop

    def stop_graph(self) -> None:
        if self.graph is not None:
            self.graph.stop()

    def since(self, begun: float) -> int:
        return round((self.worker.clock.monotonic() - begun) * 1000)
