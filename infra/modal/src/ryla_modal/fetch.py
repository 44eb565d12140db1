"""Fetches what a run needs: its input JSON and its files, with caps on size and a check of the hash.

URLs come from a submit message whose hosts were checked; redirects are not followed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import httpx

from ryla_modal.clock import Clock
from ryla_modal.failures import Failed

MAX_INPUT_BYTES = 25 * 1024 * 1024
MAX_JSON_BYTES = 256 * 1024
TRIES = 4
_LIMITS = httpx.Timeout(30.0, connect=10.0)
_PLAIN = {"Accept-Encoding": "identity"}


def fetch(
    http: httpx.Client,
    clock: Clock,
    url: str,
    *,
    what: str,
    tick: Callable[[], None],
    limit: int = MAX_INPUT_BYTES,
    absent: str = "invalid_input",
) -> bytes:
    """The bytes at `url`. Gone or too large is final; anything that may pass is tried again."""
    for attempt in range(TRIES):
        if attempt:
            clock.sleep(0.5 * 2**attempt)
        try:
            # identity: the length that the header says is the length of what is hashed.
            with http.stream("GET", url, headers=_PLAIN, timeout=_LIMITS, follow_redirects=False) as response:
                if response.status_code == 200:
                    return _read(response, what, limit, tick, absent)
                if response.status_code not in {408, 429} and response.status_code < 500:
                    raise Failed(absent, f"{what}: its file answers {response.status_code}")
        except (httpx.TransportError, httpx.DecodingError):
            pass
        tick()
    raise Failed("internal", f"{what}: its file could not be fetched")


def _read(response: httpx.Response, what: str, limit: int, tick: Callable[[], None], absent: str) -> bytes:
    data = bytearray()
    for chunk in response.iter_bytes():
        data += chunk
        if len(data) > limit:
            raise Failed(absent, f"{what}: its file is longer than {limit // 1024} KiB")
        tick()
    length = response.headers.get("content-length")
    if length is not None and length.isdigit() and int(length) != len(data):
        raise httpx.ReadError("the file broke off")
    return bytes(data)


def fetch_checked(http: httpx.Client, clock: Clock, url: str, sha256: str, **rest: Any) -> bytes:  # noqa: ANN401
    """The bytes at `url`, which must have that hash."""
    data = fetch(http, clock, url, **rest)
    if hashlib.sha256(data).hexdigest() != sha256:
        raise Failed(rest.get("absent", "invalid_input"), f"{rest['what']}: its file has another sha256")
    return data


def fetch_params(http: httpx.Client, clock: Clock, url: str, tick: Callable[[], None]) -> dict[str, Any]:
    """The resolved input of a run whose params were too long for the message."""
    data = fetch(http, clock, url, what="input_url", tick=tick, limit=MAX_JSON_BYTES)
    try:
        params = json.loads(data)
    except (ValueError, RecursionError):
        params = None
    if not isinstance(params, dict):
        raise Failed("invalid_input", "input_url: its file is no JSON object")
    return params
