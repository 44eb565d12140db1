"""The synchronous endpoints of existing callers: `POST /flux-dev` and its like, JSON in, image/jpeg out; the web half.

No claim, no callback, no repeat: who wants those uses /v1/jobs. Time counts from the moment at which the request came, in
both halves (the other is make.py): Modal ends a request after 150 s, wherever it has come to.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from ryla_modal import files
from ryla_modal.check import check_params
from ryla_modal.clock import Clock
from ryla_modal.fetch import MAX_INPUT_BYTES
from ryla_modal.places import Resolve, resolve_host
from ryla_modal.raw import MAX_IMAGE_PIXELS, MAX_IMAGES, NAME, RawWorkflow, allowed_nodes
from ryla_modal.references import picture_of
from ryla_modal.wire import Refused, invalid, no_constant
from ryla_modal.workflows import Workflows

# A picture in base64 and everything else of the message.
MAX_BODY_BYTES = MAX_INPUT_BYTES * 4 // 3 + 64 * 1024
LIMIT_S = 140
# By then the GPU half has said so itself, if it ever began.
ANSWER_S = LIMIT_S + 4
STATUS = {
    "invalid_input": 422,
    "face_not_found": 422,
    "unsafe": 422,
    "lora_not_found": 404,
    "model_missing": 503,
    "timeout": 504,
}
_IMAGE = re.compile(r"[\w.-]{1,64}")

# Runs a workflow on a family's class: (family, workflow, params, files, deadline) to what `make` returns.
Generate = Callable[[str, str, dict[str, Any], dict[str, bytes], int], Awaitable[dict[str, Any]]]


@dataclass(frozen=True)
class Direct:
    """`room` refuses while nothing is taken: (workflow, family). `http` fetches what callers link to."""

    workflows: Workflows
    generate: Generate
    http: httpx.Client
    clock: Clock
    room: Callable[[str, str], None]
    resolve: Resolve = resolve_host
    answer_s: float = ANSWER_S

    async def answer(self, name: str, request: Request) -> Response:
        """One request to `/{name}`."""
        came_ms = self.clock.now_ms()
        deadline_at_ms = came_ms + LIMIT_S * 1000
        params = _params(await _body(request))
        if name == NAME:
            family, params, given = await self.raw(params)
        else:
            family, given = await self.named(name, params)
        try:
            await run_in_threadpool(self.room, name, family)
            left_s = self.answer_s - (self.clock.now_ms() - came_ms) / 1000
            async with asyncio.timeout(max(left_s, 0)):
                made = await self.generate(family, name, params, given, deadline_at_ms)
        except Refused as refused:
            status = STATUS.get(refused.code, refused.status)
            raise Refused(status, refused.code, refused.message, refused.retry_after_s) from None
        except TimeoutError:
            raise Refused(504, "timeout", "longer than a synchronous answer may take; use /v1/jobs") from None
        return _answer(made, params.get("seed"))

    async def named(self, name: str, params: dict[str, Any]) -> tuple[str, dict[str, bytes]]:
        """A workflow of ours: its family and its pictures, once its params are right."""
        workflow = self.workflows[name]
        texts = _take_files(params, [field for field, kind in workflow.inputs.items() if kind == "image"])
        if params.get("seed") in (None, -1):
            # After a restored snapshot every container would draw the same.
            params["seed"] = secrets.randbits(53)
        check_params(params, workflow)
        return workflow.family, await self.pictures(texts)

    async def raw(self, params: dict[str, Any]) -> tuple[str, dict[str, Any], dict[str, bytes]]:
        """The caller's own graph: bare, or as `{workflow, images, family}`."""
        strange = sorted(params.keys() - {NAME, "images", "family"})
        if strange:
            raise invalid(strange[0], "is no field of this endpoint")
        images = params.get("images") or {}
        if not isinstance(images, dict) or len(images) > MAX_IMAGES or not all(_IMAGE.fullmatch(name) for name in images):
            raise invalid("images", f"must be an object of at most {MAX_IMAGES} pictures by name")
        graph = RawWorkflow(params.get(NAME), list(images), allowed_nodes(self.workflows), params.get("family"))
        given = await self.pictures(_take_files(dict(images), list(images)), MAX_IMAGE_PIXELS)
        return graph.family, {NAME: params[NAME]}, given

    async def pictures(self, texts: Mapping[str, str], max_pixels: int = files.MAX_PIXELS) -> dict[str, bytes]:
        """The bytes behind what the caller sent for each field."""
        given = {}
        for field, text in texts.items():
            given[field] = await run_in_threadpool(picture_of, field, text, self.http, self.resolve)
            facts = files.facts(given[field])
            if facts.width * facts.height > max_pixels:
                raise invalid(field, f"has more than {max_pixels} pixels")
        return given


def direct_routes(direct: Direct) -> list[BaseRoute]:
    """One route for each workflow, named as it, and one for graphs that callers bring."""

    def route(name: str) -> Route:
        async def answer(request: Request) -> Response:
            return await direct.answer(name, request)

        return Route(f"/{name}", answer, methods=["POST"])

    return [route(name) for name in sorted({*direct.workflows, NAME})]


def _answer(made: dict[str, Any], seed: object) -> Response:
    error = made.get("error")
    if error is not None:
        body = {"code": error["code"], "message": error["message"]}
        return JSONResponse(body, STATUS.get(error["code"], 500))
    headers = {
        **({} if seed is None else {"X-Seed": str(seed)}),
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
        message = json.loads(body, parse_constant=no_constant)
    except (ValueError, RecursionError):
        message = None
    if not isinstance(message, dict):
        raise Refused(400, "invalid_input", "body: must be a JSON object")
    if message and all(isinstance(node, dict) and "class_type" in node for node in message.values()):
        # A bare graph: its names are ids of nodes.
        return {NAME: message}
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


def at_root(app: ASGIApp, path: str) -> ASGIApp:
    """The app with one of its routes at "/" and nothing else: an address that serves one model."""

    async def only(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        inside = path if scope["path"] in {"", "/"} else "/not-here"
        await app({**scope, "path": inside, "raw_path": inside.encode()}, receive, send)

    return only
