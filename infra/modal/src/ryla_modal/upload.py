"""Puts a finished file into the bucket with exactly the signed headers; reads the answer as docs/BACKENDS.md does."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import httpx

from ryla_modal.clock import Clock
from ryla_modal.failures import Failed
from ryla_modal.wire import OutputTarget

PUT_LIMIT_S = 60.0
RETRY_FOR_S = 300.0
MAX_PAUSE_S = 30.0

# Asks for a new URL of a slot; None where none came.
Renew = Callable[[int], OutputTarget | None]


def put(
    http: httpx.Client,
    clock: Clock,
    target: OutputTarget,
    data: bytes,
    renew: Renew,
    between: Callable[[], None],
    jitter: Callable[[], float] = random.random,
) -> dict[str, Any]:
    """Stores the bytes and returns what the callback says of the upload: an etag, or that it existed.

    `between` is called before each pause: heartbeats go on, and a stop comes through.
    """
    begun, tries, renewed = clock.monotonic(), 0, False
    while True:
        status, etag = _send(http, target, data)
        if status == 200:
            return {"etag": etag} if etag else {}
        if status == 412:
            # An earlier run of this attempt won, or our own PUT whose answer was lost.
            return {"existed": True}
        if status == 403:
            fresh = None if renewed else renew(target.slot)
            if fresh is None:
                raise Failed("internal", "the bucket refuses the upload permission")
            target, renewed = fresh, True
            continue
        if status not in {0, 408, 409, 429} and status < 500:
            raise Failed("internal", f"the bucket answers {status}")
        pause = min(0.5 * 2**tries, MAX_PAUSE_S) * (0.75 + 0.5 * jitter())
        if clock.monotonic() + pause - begun > RETRY_FOR_S:
            raise Failed("internal", "the bucket could not be reached for five minutes")
        between()
        clock.sleep(pause)
        tries += 1


def _send(http: httpx.Client, target: OutputTarget, data: bytes) -> tuple[int, str | None]:
    try:
        response = http.put(target.put_url, content=data, headers=target.headers, timeout=PUT_LIMIT_S)
    except httpx.TransportError:
        return 0, None
    etag = response.headers.get("etag")
    return response.status_code, etag.strip('"') if etag else None
