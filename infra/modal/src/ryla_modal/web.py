"""The web side: routes of docs/BACKENDS.md section 2. On CPU, many requests at once, never touches a GPU itself.

`build_web` gets everything that it needs as arguments and knows nothing of Modal.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ryla_modal import VERSION, wire
from ryla_modal.calls import Broken, Calls, Finished, Gone, TooDeep
from ryla_modal.check import check_job
from ryla_modal.claims import Cancelled, Claims, Known, Older
from ryla_modal.clock import Clock
from ryla_modal.places import Places
from ryla_modal.warm import Leases
from ryla_modal.wire import Refused, Run
from ryla_modal.workflows import Workflows

log = logging.getLogger("ryla_modal.web")

DEFAULT_DEPTH = 500
COME_BACK_S = 5


@dataclass(frozen=True)
class WebSide:
    """What the web side works with.

    `missing`: what each workflow lacks, and `starts`: what starting downloaded, as the newest container of a family said.
    """

    claims: Claims
    calls: Calls
    clock: Clock
    places: Places
    leases: Leases
    workflows: Workflows
    missing: Callable[[], Mapping[str, Sequence[str]]] = dict
    starts: Callable[[], Mapping[str, Mapping[str, int]]] = dict
    depth: int = DEFAULT_DEPTH


def build_web(side: WebSide, more: Sequence[BaseRoute] = ()) -> Starlette:
    """The ASGI app, with other routes beside the protocol's."""

    async def submit(request: Request) -> Response:
        body = await _read(request)
        return await run_in_threadpool(_submit, side, body)

    async def status(request: Request) -> Response:
        run = Run.parse(request.path_params["run"])
        return _json(await run_in_threadpool(run_status, side, run))

    async def cancel(request: Request) -> Response:
        run = Run.parse(request.path_params["run"])
        return _json(await run_in_threadpool(cancel_run, side, run))

    async def warm(request: Request) -> Response:
        message = wire.decode(await _read(request))
        return _json(await run_in_threadpool(side.leases.take, message))

    async def health(_: Request) -> Response:
        return _json(await run_in_threadpool(health_of, side))

    routes: list[BaseRoute] = [
        Route("/v1/jobs", submit, methods=["POST"]),
        Route("/v1/jobs/{run}", status, methods=["GET"]),
        Route("/v1/jobs/{run}/cancel", cancel, methods=["POST"]),
        Route("/v1/warm", warm, methods=["POST"]),
        Route("/v1/health", health, methods=["GET"]),
        *more,
    ]
    handlers: dict[Any, Any] = {Refused: _refused, 404: _no_route, 405: _no_route}
    return Starlette(routes=routes, exception_handlers=handlers, middleware=[Middleware(_Stumbling)])


def _submit(side: WebSide, body: bytes) -> Response:
    job = wire.read_submit(body)
    workflow = side.workflows.get(job.workflow)
    if workflow is None:
        raise Refused(422, "model_missing", f"workflow: `{job.workflow}` is not one of this app's")
    now_ms = side.clock.now_ms()
    # What is known is answered before anything else can refuse it: a repeat must learn of its run.
    standing = side.claims.standing(job.run)
    if not standing.known:
        if job.deadline_at_ms <= now_ms:
            raise Refused(422, "timeout", "deadline_at: has passed")
        side.places.check(job)
        check_job(job, workflow)
        room(side, job.workflow, workflow.family)
    claim = side.claims.acquire(job.run, now_ms)
    match claim:
        case Cancelled():
            raise Refused(409, "cancelled", "the run was cancelled")
        case Older():
            raise Refused(409, "older_attempt", "a newer attempt of the job is known")
        case Known(call_id):
            return _json({"v": wire.V, "run": str(job.run), "call_id": call_id, "duplicate": True})
    try:
        call_id = side.calls.spawn(workflow.family, job.raw, now_ms)
    except TooDeep:
        side.claims.release(claim)
        raise Refused(429, "too_deep", "too many runs wait", COME_BACK_S) from None
    call_id = side.claims.spawned(job.run, call_id)
    log.info("spawned", extra={"run": str(job.run), "call_id": call_id, "traceparent": job.traceparent})
    return _json({"v": wire.V, "run": str(job.run), "call_id": call_id}, 202)


def room(side: WebSide, name: str, family: str) -> None:
    """Refuses a new run of a workflow while nothing is taken, while it lacks something, and while too many wait."""
    if side.claims.draining():
        raise Refused(503, "draining", "nothing new is taken", COME_BACK_S)
    missing = side.missing().get(name)
    if missing:
        raise Refused(422, "model_missing", f"workflow: lacks {', '.join(missing)}")
    if side.calls.waiting(family) >= side.depth:
        raise Refused(429, "too_deep", "too many runs wait", COME_BACK_S)


def run_status(side: WebSide, run: Run) -> dict[str, Any]:
    """The body of `GET /v1/jobs/{run}`."""
    standing = side.claims.standing(run)
    body: dict[str, Any] = {"v": wire.V, "run": str(run)}
    if not standing.known:
        return body | {"status": "unknown"}
    if standing.tombstone:
        return body | {"status": "cancelled"}
    if standing.call_id is None:
        if standing.cancelled:
            return body | {"status": "cancelled"}
        # Nobody spawned: who still wants the run has to submit it again, which takes the claim over.
        return body | {"status": "unknown" if standing.stale(side.clock.now_ms()) else "pending"}
    body["call_id"] = standing.call_id
    state, result = _state(side.calls.look(standing.call_id), standing.cancelled, standing.begun)
    body["status"] = state
    return body | ({"result": result} if result is not None else {})


def _state(outcome: object, cancelled: bool, begun: bool) -> tuple[str, dict[str, Any] | None]:
    match outcome:
        case Finished(result):
            fields: dict[str, Any] = {name: result[name] for name in ("outputs", "error", "timings", "gpu") if name in result}
            states = {"succeeded": "done", "failed": "failed", "cancelled": "cancelled", "expired": "expired"}
            # A call that left at once, since another has the run, says nothing about the run.
            state = states.get(str(result.get("event")), "cancelled" if cancelled else "pending")
            return state, fields if state in {"done", "failed"} else None
        case Gone():
            return "expired", None
        case Broken(code):
            if cancelled:
                return "cancelled", None
            return "failed", {"error": {"code": code, "message": "the function call ended without a result"}}
    if cancelled and not begun:
        return "cancelled", None
    return ("running" if begun else "pending"), None


def cancel_run(side: WebSide, run: Run) -> dict[str, Any]:
    """The body of the answer to a cancel; a run that was never heard of leaves a tombstone."""
    body = {"v": wire.V, "run": str(run)}
    if side.claims.bury(run) or side.claims.standing(run).tombstone:
        return body | {"status": "cancelled"}
    before = run_status(side, run)["status"]
    if before in {"done", "failed", "expired"}:
        return body | {"status": "ended"}
    closed = side.claims.close(run)
    call_id = side.claims.call_id(run)
    if call_id is not None and before != "cancelled":
        side.calls.stop(call_id)
    return body | {"status": "cancelled" if closed or before == "cancelled" else "cancelling"}


def health_of(side: WebSide) -> dict[str, Any]:
    """The body of `GET /v1/health`: what runs, and what each workflow lacks that does not."""
    missing = {name: list(lacks) for name, lacks in side.missing().items() if lacks}
    starts = side.starts()
    classes: dict[str, Any] = {}
    for name, workflow in sorted(side.workflows.items()):
        classes.setdefault(workflow.family, {"workflows": [], "starts": 0, **starts.get(workflow.family, {})})["workflows"].append(name)
    return {
        "v": wire.V,
        "app": "ryla-modal",
        "version": VERSION,
        "accepting": not side.claims.draining(),
        "workflows": sorted(name for name in side.workflows if name not in missing),
        **({"missing": missing} if missing else {}),
        "classes": classes,
    }


async def _read(request: Request, limit: int = wire.MAX_SUBMIT_BYTES) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise Refused(413, "too_large", f"the message is longer than {limit // 1024} KiB")
    return bytes(body)


def _json(body: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> JSONResponse:
    return JSONResponse(dict(body), status, dict(headers or {}))


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)  # noqa: S101
    headers = {} if error.retry_after_s is None else {"Retry-After": str(error.retry_after_s)}
    return _json(error.body(), error.status, headers)


async def _no_route(_: Request, __: Exception) -> Response:
    return _json({"v": wire.V, "code": "no_such_route", "message": "no such route"}, 404)


class _Stumbling:
    """The last resort. Not Starlette's own, which raises again, so that the server below prints the text."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except Exception as error:
            # The text of an exception may hold a URL or a prompt: its type is all that leaves.
            log.exception("request failed")
            if not begun:
                answer = _json({"v": wire.V, "code": "internal", "message": type(error).__name__}, 500)
                await answer(scope, receive, send)
