"""The app's log: one line of JSON for each record, on standard error. Called once in each process, by app.py.

Prompts, keys and URLs that carry a signature are never logged. Our own records say fixed sentences and the fields below; of
an exception the types and places are kept, never its text, which may repeat a URL or a prompt. Records of libraries are let
through from WARNING on and lose every query and everything in quotes.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import traceback
from typing import TextIO

OURS = "ryla_modal"
# What our records may say beside their sentence: names of runs and calls, words of our own tables, numbers.
FIELDS = ("run", "call_id", "traceparent", "code", "said", "error", "file", "why", "workflow", "missing")
_URL = re.compile(r"\b([a-z][a-z0-9+.-]*://[^\s/?#'\"<>]+)[^\s'\"<>]*", re.IGNORECASE)
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")


class Lines(logging.Formatter):
    """A record as one line."""

    def format(self, record: logging.LogRecord) -> str:
        own = record.name.split(".")[0] == OURS
        # The sentence of a library may have anything in it by now; ours has no arguments.
        said = str(record.msg) if own else _QUOTED.sub("'...'", _URL.sub(r"\1/...", record.getMessage()))
        line: dict[str, object] = {"level": record.levelname.lower(), "logger": record.name, "message": said}
        if own:
            line |= {name: record.__dict__[name] for name in FIELDS if name in record.__dict__}
        if record.exc_info and record.exc_info[1] is not None:
            line["exception"] = places_of(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False, default=lambda value: type(value).__name__)


def places_of(error: BaseException) -> list[str]:
    """The types of an exception and of what caused it, each with the lines that it came through."""
    told: list[str] = []
    current: BaseException | None = error
    while current is not None and len(told) < 5:
        frames = traceback.extract_tb(current.__traceback__)[-8:]
        lines = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in frames]
        told.append(" ".join([type(current).__name__, *lines]))
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return told


def configure(stream: TextIO | None = None) -> logging.Handler:
    """Makes this the only handler of the process."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(Lines())
    root = logging.getLogger()
    root.handlers = [handler]
    # httpx says every URL at INFO, signature and all.
    root.setLevel(logging.WARNING)
    logging.getLogger(OURS).setLevel(logging.INFO)
    for name in ("httpx", "httpcore", "websockets", "asyncio", "hpack", "modal-client"):
        noisy = logging.getLogger(name)
        noisy.handlers, noisy.propagate = [], True
        noisy.setLevel(logging.WARNING)
    return handler
