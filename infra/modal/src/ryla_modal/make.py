"""The GPU half of the synchronous endpoints: one picture, made while its caller waits. Called by the GPU classes of app.py.

No claim, no callback, no repeat. Ends by the caller's deadline, which began when the request came in.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from typing import Any

from ryla_modal import files
from ryla_modal.comfy import ComfyDown
from ryla_modal.faces import shows_none
from ryla_modal.failures import Failed
from ryla_modal.graph import Graph, Stop
from ryla_modal.job import Worker
from ryla_modal.raw import NAME, RawWorkflow, allowed_nodes
from ryla_modal.wire import Refused
from ryla_modal.workflows import WorkflowLike

log = logging.getLogger("ryla_modal.make")


def make(worker: Worker, name: str, params: dict[str, Any], given: Mapping[str, bytes], deadline_at_ms: int) -> dict[str, Any]:
    """`{data, content_type, run_s, gpu}` or `{error}`. Past the deadline nothing is begun."""
    run = f"direct-{uuid.uuid4().hex}"

    def tick() -> None:
        if worker.clock.now_ms() >= deadline_at_ms:
            raise Failed("timeout", "longer than a synchronous answer may take; use /v1/jobs")

    graph = Graph(worker.comfy, worker.clock, tick, lambda _: None)
    try:
        tick()
        return _make(worker, graph, run, name, params, given)
    except Failed as failed:
        return {"error": failed.report()}
    except Stop:
        return {"error": Failed("internal", "the run was interrupted").report()}
    except ComfyDown:
        return {"error": Failed("gpu_error", "ComfyUI died").report()}
    except Refused as refused:
        return {"error": Failed("invalid_input", refused.message).report()}
    except Exception as error:
        # Not raised: Modal would print its text, and the traceback's, into the log.
        log.exception("picture broke", extra={"run": run})
        return {"error": Failed("internal", type(error).__name__).report()}
    finally:
        graph.leave()
        worker.forget(run)


def _make(worker: Worker, graph: Graph, run: str, name: str, params: dict[str, Any], given: Mapping[str, bytes]) -> dict[str, Any]:
    begun = worker.clock.monotonic()
    workflow = _workflow(worker, name, params, given)
    named = {}
    for field, kind in workflow.inputs.items():
        if kind == "lora":
            named[field] = worker.loras.named(str(params.get(field, "")))
            continue
        data = given.get(field)
        if data is None:
            raise Failed("invalid_input", f"{field} is missing")
        # What a caller's own graph does with a picture is not ours to know.
        if name != NAME and shows_none(worker.faces, data):
            raise Failed("face_not_found", f"{field} shows no face")
        extension = files.facts(data).content_type.rpartition("/")[2]
        named[field] = worker.comfy.upload(f"{field}.{extension}", data, run)
    try:
        filled = workflow.fill(params, files=named, prefix=f"ryla/{run}")
    except (KeyError, ValueError, TypeError) as error:
        raise Failed("invalid_input", f"the workflow cannot be filled: {error}") from None
    made = graph.run(filled, run, [node.node for node in workflow.outputs])
    video = made.files[0].filename.endswith(".mp4")
    data = worker.comfy.view(made.files[0], None if video else "jpeg;92")
    content_type = "video/mp4" if video else "image/jpeg"
    try:
        if not data or files.facts(data).content_type != content_type:
            raise files.BadFile
    except files.BadFile:
        raise Failed("no_output", f"the output is no {content_type}") from None
    if worker.safety(data, content_type) == "refuse":
        raise Failed("unsafe", "the safety check refuses the picture")
    seconds = worker.clock.monotonic() - begun
    return {"data": data, "content_type": content_type, "run_s": seconds, "gpu": worker.gpu}


def _workflow(worker: Worker, name: str, params: dict[str, Any], given: Mapping[str, bytes]) -> WorkflowLike:
    if name == NAME:
        # The web side has looked at it; the nodes that this container lacks are refused by its ComfyUI.
        return RawWorkflow(params[NAME], list(given), allowed_nodes(worker.workflows))
    workflow = worker.workflows.get(name)
    if workflow is None:
        raise Failed("model_missing", "this class has no such workflow")
    return workflow
