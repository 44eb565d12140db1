"""A picture that a caller of a synchronous endpoint sends: data URL, bare base64, or an https URL at a public address.

Runs on the web side, before any GPU is asked for; a path on the caller's machine is refused with what to do instead.
"""

from __future__ import annotations

import base64
import binascii
import re

import httpx

from ryla_modal import files
from ryla_modal.clock import SystemClock
from ryla_modal.failures import Failed
from ryla_modal.fetch import fetch
from ryla_modal.places import Resolve, is_public
from ryla_modal.wire import invalid


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
