"""Messages of docs/BACKENDS.md, read and written as the Rust side does (tests/fixtures/v1/modal).

Used by the web side and by the worker. Never prints a prompt, a key or a URL that carries a signature.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

V = 1
MAX_SUBMIT_BYTES = 256 * 1024
MAX_PARAMS_BYTES = 8 * 1024
MAX_CALLBACK_BYTES = 8 * 1024
MAX_OUTPUTS = 10
SIGNATURE_HEADER = "X-Ryla-Signature"
CONTENT_TYPES = ("image/jpeg", "image/png", "image/webp", "video/mp4")

Event = Literal["started", "progress", "succeeded", "failed", "cancelled", "expired"]
Phase = Literal["boot", "load", "run", "upload"]
LAST_EVENTS = frozenset({"succeeded", "failed", "cancelled", "expired"})

_ACCOUNT = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_JOB = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_ATTEMPT = re.compile(r"[1-9][0-9]{0,2}")
_WORKFLOW = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_FIELD = re.compile(r"[a-z][a-z0-9_]{0,63}")
# A header name as RFC 9110 has it, and a value without line ends.
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# Where a request goes and where it ends is for its URL and its bytes to say.
_NOT_FOR_UPLOADS = frozenset({"connection", "content-length", "expect", "host", "te", "trailer", "transfer-encoding", "upgrade"})


class Refused(Exception):
    """The message gets no run. `code` is one word for programs, `message` a sentence for the app's own log readers.

    `maximum`: of a lease whose floor is above a class's maximum, that maximum by the class's name.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        retry_after_s: int | None = None,
        maximum: Mapping[str, int] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.retry_after_s = retry_after_s
        self.maximum = maximum

    def body(self) -> dict[str, Any]:
        more = {} if self.maximum is None else {"max": dict(self.maximum)}
        return {"v": V, "code": self.code, "message": self.message} | more


def invalid(field_name: str, why: str) -> Refused:
    """422 for one field."""
    return Refused(422, "invalid_input", f"{field_name}: {why}")


@dataclass(frozen=True)
class Run:
    """One attempt of one job: `account.job.attempt`."""

    account: str
    job: str
    attempt: int

    @staticmethod
    def parse(text: object) -> Run:
        parts = text.split(".") if isinstance(text, str) else []
        good = len(parts) == 3 and all(form.fullmatch(part) for form, part in zip((_ACCOUNT, _JOB, _ATTEMPT), parts, strict=True))
        if not good or int(parts[2]) > 255:
            raise invalid("run", "must be account.job.attempt")
        return Run(parts[0], parts[1], int(parts[2]))

    def __str__(self) -> str:
        return f"{self.account}.{self.job}.{self.attempt}"

    @property
    def job_key(self) -> str:
        return f"{self.account}.{self.job}"


@dataclass(frozen=True)
class InputFile:
    """A file to fetch before the work begins."""

    name: str
    get_url: str = field(repr=False)
    sha256: str


@dataclass(frozen=True)
class OutputTarget:
    """Where one picture goes; `headers` are sent exactly as they stand."""

    slot: int
    content_type: str
    put_url: str = field(repr=False)
    headers: dict[str, str]


@dataclass(frozen=True)
class Job:
    """A submit message that was read. `raw` is what travels to the GPU side."""

    run: Run
    workflow: str
    params: dict[str, Any] | None = field(repr=False)
    input_url: str | None = field(repr=False)
    inputs: tuple[InputFile, ...]
    outputs: tuple[OutputTarget, ...]
    callback_url: str
    callback_key: str = field(repr=False)
    deadline_at_ms: int
    run_limit_ms: int
    traceparent: str
    raw: dict[str, Any] = field(repr=False)


def decode(body: bytes) -> dict[str, Any]:
    """The JSON object of a message whose version this build knows."""
    if len(body) > MAX_SUBMIT_BYTES:
        raise Refused(413, "too_large", "the message is longer than 256 KiB")
    try:
        message = json.loads(body, parse_constant=no_constant)
    except (ValueError, RecursionError):
        raise Refused(400, "invalid_input", "body: must be JSON") from None
    if not isinstance(message, dict):
        raise Refused(400, "invalid_input", "body: must be a JSON object")
    version = message.get("v")
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise invalid("v", "must be 1")
    if version > V:
        raise Refused(400, "unsupported_version", "the message has a newer version")
    return message


def read_submit(body: bytes) -> Job:
    """A submit message, checked field by field; the first that does not fit is named."""
    return job_of(decode(body))


def job_of(message: dict[str, Any]) -> Job:
    """The job of a decoded submit message: the web side reads it, and the worker reads it again."""
    run = Run.parse(message.get("run"))
    workflow = _text(message, "workflow")
    if not _WORKFLOW.fullmatch(workflow):
        raise invalid("workflow", "must be a name of lower-case letters, digits and dashes")
    params, input_url = _work(message)
    callback = message.get("callback")
    if not isinstance(callback, dict):
        raise invalid("callback", "must be an object")
    return Job(
        run=run,
        workflow=workflow,
        params=params,
        input_url=input_url,
        inputs=_inputs(message),
        outputs=_outputs(message),
        callback_url=_url(callback.get("url"), "callback.url"),
        callback_key=_text(callback, "key", "callback.key"),
        deadline_at_ms=_positive(message, "deadline_at"),
        run_limit_ms=_positive(message, "run_limit_ms"),
        traceparent=_text(message, "traceparent"),
        raw=message,
    )


def _work(message: dict[str, Any]) -> tuple[dict[str, Any] | None, str | None]:
    if ("params" in message) == ("input_url" in message):
        raise invalid("params", "exactly one of params and input_url is needed")
    if "input_url" in message:
        return None, _url(message["input_url"], "input_url")
    params = message["params"]
    if not isinstance(params, dict):
        raise invalid("params", "must be an object")
    if len(json.dumps(params, ensure_ascii=False).encode()) > MAX_PARAMS_BYTES:
        raise invalid("params", "longer than 8 KiB: send them as input_url")
    return params, None


def _inputs(message: dict[str, Any]) -> tuple[InputFile, ...]:
    items = message.get("inputs", [])
    if not isinstance(items, list) or len(items) > MAX_OUTPUTS:
        raise invalid("inputs", "must be a list of at most 10")
    read = []
    for place, item in enumerate(items):
        where = f"inputs.{place}"
        if not isinstance(item, dict):
            raise invalid(where, "must be an object")
        name, sha256 = _text(item, "name", f"{where}.name"), _text(item, "sha256", f"{where}.sha256")
        if not _FIELD.fullmatch(name):
            raise invalid(f"{where}.name", "must be the name of an input field")
        if not _SHA256.fullmatch(sha256):
            raise invalid(f"{where}.sha256", "must be 64 lower-case hexadecimal digits")
        read.append(InputFile(name, _url(item.get("get_url"), f"{where}.get_url"), sha256))
    if len({item.name for item in read}) < len(read):
        raise invalid("inputs", "names a field twice")
    return tuple(read)


def _outputs(message: dict[str, Any]) -> tuple[OutputTarget, ...]:
    items = message.get("outputs")
    if not isinstance(items, list) or not 1 <= len(items) <= MAX_OUTPUTS:
        raise invalid("outputs", "must be a list of 1 to 10")
    read = []
    for place, item in enumerate(items):
        where = f"outputs.{place}"
        if not isinstance(item, dict):
            raise invalid(where, "must be an object")
        slot = item.get("slot")
        if isinstance(slot, bool) or not isinstance(slot, int) or not 0 <= slot <= 255:
            raise invalid(f"{where}.slot", "must be a number from 0")
        if item.get("content_type") not in CONTENT_TYPES:
            raise invalid(f"{where}.content_type", "must be one of " + ", ".join(CONTENT_TYPES))
        url = _url(item.get("put_url"), f"{where}.put_url")
        read.append(OutputTarget(slot, item["content_type"], url, headers_of(item.get("headers"), f"{where}.headers")))
    if len({item.slot for item in read}) < len(read):
        raise invalid("outputs", "names a slot twice")
    return tuple(read)


def headers_of(value: object, where: str) -> dict[str, str]:
    """The signed headers of an upload, of a submit message or of a renewed URL."""
    if not isinstance(value, dict):
        raise invalid(where, "must be an object")
    for name, text in value.items():
        if not _HEADER.fullmatch(name) or not isinstance(text, str) or not text.isprintable():
            raise invalid(where, "must be names and texts of HTTP headers")
        if name.lower() in _NOT_FOR_UPLOADS:
            raise invalid(where, f"must not hold {name}")
    return dict(value)


def _text(message: Mapping[str, Any], name: str, where: str | None = None) -> str:
    value = message.get(name)
    if not isinstance(value, str) or not value:
        raise invalid(where or name, "must be a text")
    return value


def _positive(message: dict[str, Any], name: str) -> int:
    value = message.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
        raise invalid(name, "must be a whole number of milliseconds")
    return value


def _url(value: object, where: str) -> str:
    if not isinstance(value, str) or not re.match(r"https?://[^\s/@]+(?:[/?]|$)", value) or re.search(r"\s", value):
        raise invalid(where, "must be an http or https URL without user name")
    return value


def no_constant(name: str) -> None:
    """NaN and Infinity are no JSON, whatever Python's reader takes."""
    raise ValueError(name)


def encode(message: Mapping[str, Any]) -> bytes:
    """A message as it travels, and as it is signed."""
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def sign(key: str, body: bytes, unix_s: int) -> str:
    """The value of the signature header: `t=<unix seconds>,v1=<hex>`. The key's text itself is the HMAC key."""
    stamp = str(unix_s)
    digest = hmac.new(key.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"t={stamp},v1={digest}"
