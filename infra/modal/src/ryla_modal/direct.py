"""The synchronous endpoints of existing callers: `POST /flux-dev` and its like, JSON in, image/jpeg out.

No claim, no callback, no repeat: who wants those uses /v1/jobs. The GPU half is `make`, the web half `direct_routes`.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import secrets
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import httpx
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from ryla_modal import files
from ryla_modal.clock import SystemClock
from ryla_modal.comfy import ComfyDown
from ryla_modal.failures import Failed
from ryla_modal.fetch import MAX_INPUT_BYTES, fetch
from ryla_modal.graph import Graph, Stop
from ryla_modal.job import Worker
from ryla_modal.places import Resolve, is_public, resolve_host
from ryla_modal.wire import Refused, invalid
from ryla_modal.workflows import Workflows

# A picture in base64 and everything else of the message.
MAX_BODY_BYTES = MAX_INPUT_BYTES * 4 // 3 + 64 * 1024
LIMIT_S = 140
STATUS = {
    "invalid_input": 422,
    "face_not_found": 422,
    "unsafe": 422,
    "lora_not_found": 404,
    "model_missing": 503,
    "timeout": 504,
}

# Runs a workflow on its family's class: (workflow, params, files) to what `make` returns.
Generate = Callable[[str, dict[str, Any], dict[str, bytes]], Awaitable[dict[str, Any]]]


def make(worker: Worker, name: str, params: dict[str, Any], given: Mapping[str, bytes]) -> dict[str, Any]:
    """The GPU half: `{data, content_type, run_s, gpu}` or `{error}`."""
    run = f"direct-{uuid.uuid4().hex}"
    graphs: list[Graph] = []
    try:
        return _make(worker, name, params, given, run, graphs)
    except Failed as failed:
        return {"error": failed.report()}
    except Stop:
        return {"error": Failed("internal", "the run was interrupted").report()}
    except ComfyDown:
        return {"error": Failed("gpu_error", "ComfyUI died").report()}
    finally:
        for graph in graphs:
            graph.leave()
        worker.forget(run)


def _make(worker: Worker, name: str, params: dict[str, Any], given: Mapping[str, bytes], run: str, graphs: list[Graph]) -> dict[str, Any]:
    begun = worker.clock.monotonic()
    workflow = worker.workflows.get(name)
    if workflow is None:
        raise Failed("model_missing", "this class has no such workflow")
    named = {}
    for field, kind in workflow.inputs.items():
        if kind == "lora":
            named[field] = worker.loras.named(str(params.get(field, "")))
            continue
        data = given.get(field)
        if data is None:
            raise Failed("invalid_input", f"{field} is missing")
        if worker.faces.found(data) is False:
            raise Failed("face_not_found", f"{field} shows no face")
        extension = files.facts(data).content_type.rpartition("/")[2]
        named[field] = worker.comfy.upload(f"{field}.{extension}", data, run)
    try:
        graph = workflow.fill(params, files=named, prefix=f"ryla/{run}")
    except (KeyError, ValueError, TypeError) as error:
        raise Failed("invalid_input", f"the workflow cannot be filled: {error}") from None

    def tick() -> None:
        if worker.clock.monotonic() - begun > LIMIT_S:
            raise Failed("timeout", "longer than a synchronous answer may take; use /v1/jobs")

    graphs.append(Graph(worker.comfy, worker.clock, tick, lambda _: None))
    made = graphs[0].run(graph, run, [node.node for node in workflow.outputs])
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


def direct_routes(workflows: Workflows, generate: Generate, http: httpx.Client, resolve: Resolve = resolve_host) -> list[BaseRoute]:
    """One route for each workflow, named as it."""

    def route(name: str) -> Route:
        async def answer(request: Request) -> Response:
            params = _params(await _body(request))
            wanted = [field for field, kind in workflows[name].inputs.items() if kind == "image"]
            texts = _take_files(params, wanted)
            read = {field: await run_in_threadpool(picture_of, field, text, http, resolve) for field, text in texts.items()}
            if params.get("seed") in {None, -1}:
                # After a restored snapshot every container would draw the same.
                params["seed"] = secrets.randbits(53)
            made = await generate(name, params, read)
            return _answer(made, params["seed"])

        return Route(f"/{name}", answer, methods=["POST"])

    return [route(name) for name in sorted(workflows)]


def _answer(made: dict[str, Any], seed: object) -> Response:
    error = made.get("error")
    if error is not None:
        body = {"code": error["code"], "message": error["message"]}
        return JSONResponse(body, STATUS.get(error["code"], 500))
    headers = {
        "X-Seed": str(seed),
        "X-Execution-Time-Sec": f"{made['run_s']:.2f}",
        "X-GPU-Type": str(made["gpu"]),
    }
    return Response(made["data"], media_type=made["content_type"], headers=headers)


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise Refused(413, "too_large", "the message is too long")
    return bytes(body)


def _params(body: bytes) -> dict[str, Any]:
    """The fields by their snake_case names."""
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        message = None
    if not isinstance(message, dict):
        raise Refused(400, "invalid_input", "body: must be a JSON object")
    params: dict[str, Any] = {}
    for name, value in message.items():
        snake = re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()
        if snake in params:
            raise invalid(snake, "is there twice, in two spellings")
        params[snake] = value
    return params


def _take_files(params: dict[str, Any], wanted: list[str]) -> dict[str, str]:
    """Moves the file fields out of the params. `reference_image` fills a workflow's only file, whatever its name."""
    if len(wanted) == 1 and wanted[0] not in params and "reference_image" in params:
        params[wanted[0]] = params.pop("reference_image")
    texts = {}
    for field in wanted:
        value = params.pop(field, None)
        if not isinstance(value, str) or not value:
            raise invalid(field, "must be a data URL, base64 or an https URL")
        texts[field] = value
    return texts


def picture_of(field: str, text: str, http: httpx.Client, resolve: Resolve) -> bytes:
    """The bytes of a data URL, of bare base64 or behind an https URL; checked to be a picture."""
    if text.startswith("data:"):
        head, _, rest = text.partition(",")
        if not head.endswith(";base64"):
            raise invalid(field, "must be a base64 data URL")
        data = _base64(rest)
    elif re.match(r"[a-z][a-z0-9+.-]*://", text):
        data = _behind(field, text, http, resolve)
    else:
        data = _base64(text)
        if data is None and _is_path(text):
            raise invalid(
                field,
                "is a path on your machine, which this app cannot read: send its bytes, or let the `ryla generate` command upload the file",
            )
    if data is None:
        raise invalid(field, "must be a data URL, base64 or an https URL")
    try:
        if files.facts(data).content_type == "video/mp4":
            raise files.BadFile("must be a picture")
    except files.BadFile as bad:
        raise invalid(field, str(bad)) from None
    return data


def _behind(field: str, url: str, http: httpx.Client, resolve: Resolve) -> bytes:
    try:
        host, https = httpx.URL(url).host, url.startswith("https://")
    except httpx.InvalidURL:
        raise invalid(field, "must be a URL") from None
    if not https or not is_public(host, resolve):
        raise invalid(field, "must be https at a public address")
    try:
        return fetch(http, SystemClock(), url, what=field, tick=lambda: None)
    except Failed as failed:
        raise invalid(field, failed.message) from None


def _base64(text: str) -> bytes | None:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return None


def _is_path(text: str) -> bool:
    return len(text) < 1024 and ("/" in text or "\\" in text or bool(re.search(r"\.\w{2,5}$", text)))


def at_root(app: ASGIApp, path: str) -> ASGIApp:
    """The app with one of its routes at "/" and nothing else: an address that serves one model."""

    async def only(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        inside = path if scope["path"] in {"", "/"} else "/not-here"
        await app({**scope, "path": inside, "raw_path": inside.encode()}, receive, send)

    return only
