"""Takes schemathesis past the door: most of its requests name things that exist and bodies that are accepted.

Loaded by `st` (SCHEMATHESIS_HOOKS). What a request names (ids, cursors, addresses of pictures, the signature of a
callback) is replaced by what earlier replies gave out, in three of four cases; everything else stays as it was drawn.
The statuses that each operation answered with stand in SCHEMA_REACHED, for test_reached.py.
"""

import hashlib
import hmac
import itertools
import json
import os
import random
import time
from collections import Counter, deque
from pathlib import Path
from typing import Any

import requests
import schemathesis

MODEL = "ryla/flux-dev"
FIELDS = ("negative_prompt", "width", "height", "steps", "cfg", "seed", "output_format")
OPEN = ("starting", "processing")
HEADERS = {"Prefer": ["wait=0.1", "respond-async"], "Cancel-After": ["90", "90s", "1h30m"]}
# What a worker may say of its run. Not a success without its picture: that is answered 503, to be told again.
EVENTS: list[dict[str, Any]] = [
    {"event": "started", "call_id": "fc-1"},
    {"event": "progress", "progress": 40, "phase": "run"},
    {"event": "failed", "error": {"code": "gpu_oom"}},
    {"event": "cancelled"},
]

# The same seed as that of the run: the same choices, as long as the system answers alike.
chance = random.Random(os.environ["SCHEMA_SEED"])  # noqa: S311 no secret is made of it
predictions: dict[str, deque[str]] = {
    status: deque(maxlen=40) for status in ("starting", "processing", "succeeded", "failed", "canceled")
}
pictures: deque[list[str]] = deque(maxlen=40)
cursors: deque[str] = deque(maxlen=40)
versions: deque[str] = deque(maxlen=4)
statuses: dict[str, Counter[int]] = {}
# For what must be new; the system's own worker counts its callbacks from 1.
numbers = itertools.count(1000)


def mostly() -> bool:
    """Three times of four."""
    return chance.random() < 0.75


def rarely() -> bool:
    """Once in eight times: seven fields of a model leave half of the inputs as they should be."""
    return chance.random() < 0.125


def some_id(operation: str) -> str | None:
    """A prediction that exists, most often one in a state that the operation is for."""
    fitting = {"Cancel": OPEN, "Retry": ("failed", "canceled"), "Delete": ("succeeded", "failed", "canceled")}
    wanted = fitting.get(operation) if mostly() else None
    known = [one for status in wanted or predictions for one in predictions[status]]
    return chance.choice(known) if known else None


def look() -> None:
    """How the newest predictions stand: what ended meanwhile can be retried, deleted and fetched."""
    key = {"authorization": f"Bearer {os.environ['SCHEMA_TOKEN']}"}
    page = requests.get(f"{os.environ['SCHEMA_URL']}/v1/predictions?page_size=30", headers=key, timeout=120)
    for one in page.json()["results"]:
        remember(one)


class Signed(requests.auth.AuthBase):
    """Signs a callback as the worker of that run would, whatever its body is."""

    def __init__(self, run: str) -> None:
        """Of the run `account.job.attempt`."""
        key = hmac.digest(os.environ["SCHEMA_SECRET"].encode(), f"cb1{run}".encode(), "sha256")
        self.key = key.hex().encode()

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Called with the request as it will be sent."""
        body = request.body or b""
        bytes_ = body if isinstance(body, bytes) else str(body).encode()
        stamp = str(int(time.time()))
        signature = hmac.new(self.key, f"{stamp}.".encode() + bytes_, hashlib.sha256).hexdigest()
        request.headers["X-Ryla-Signature"] = f"t={stamp},v1={signature}"
        return request


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:  # noqa: ANN401, ARG001 schemathesis's own
    """Puts what exists in place of what was drawn."""
    operation, path = name_of(case), case.path_parameters
    if operation in {"Retry", "Delete", "GetOutput"} and not mostly():
        look()
    if path and "id" in path and operation in {"Get", "Cancel", "Retry", "Delete"} and mostly():
        path["id"] = some_id(operation) or path["id"]
    elif operation == "GetVersion" and versions and mostly():
        path["id"] = versions[-1]
    elif operation == "GetOutput" and mostly():
        path.update(zip(("retention", "token", "file"), chance.choice([*first, *pictures]), strict=True))
    elif operation == "List" and cursors and mostly():
        case.query = {**(case.query or {}), "cursor": chance.choice(cursors)}
    elif operation == "Callback" and mostly():
        job = some_id(operation)
        if job:
            path.update(backend="preview", account="local", job=job, attempt="1")
            kwargs["auth"] = Signed(f"local.{job}.1")
            if isinstance(case.body, dict) and mostly():
                case.body = {**case.body, **chance.choice(EVENTS), "v": 1, "event_id": "e", "seq": next(numbers)}
    if operation.startswith("Create") or operation == "Put":
        if path and "owner" in path and mostly():
            path["owner"], path["name"] = MODEL.split("/")
        if operation == "Put" and mostly():
            path["id"] = f"a-new-name-{next(numbers)}"
        accept(case)
    if case.headers:
        if "Idempotency-Key" in case.headers and mostly():
            case.headers["Idempotency-Key"] = f"a-new-key-{next(numbers)}"
        for header, fine in HEADERS.items():
            if header in case.headers and mostly():
                case.headers[header] = chance.choice(fine)


def accept(case: Any) -> None:  # noqa: ANN401
    """Makes most bodies of creations ones that are accepted; the fields of the model stay as they were drawn."""
    if not isinstance(case.body, dict) or not mostly():
        return
    drawn = case.body.get("input")
    drawn = drawn if isinstance(drawn, dict) else {}
    kept = {field: drawn[field] for field in FIELDS if field in drawn and rarely()}
    prompt = drawn.get("prompt")
    kept["prompt"] = prompt if isinstance(prompt, str) and prompt.strip() else "a lighthouse at dusk"
    # Small, so that the pictures are drawn while the run goes on.
    kept = {"width": 256, "height": 256, **kept}
    case.body = {"version": MODEL, "input": kept}


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:  # noqa: ANN401, ARG001 schemathesis's own
    """Remembers what the reply gives out."""
    statuses.setdefault(name_of(case), Counter())[response.status_code] += 1
    # Each time: who is cut off at a time limit gets no farewell.
    Path(os.environ["SCHEMA_REACHED"]).write_text(json.dumps(statuses, sort_keys=True))
    try:
        body = json.loads(response.content)
    except ValueError:
        return
    for one in body.get("results", [body]) if isinstance(body, dict) else []:
        remember(one)
    if isinstance(body, dict) and isinstance(body.get("next"), str) and "cursor=" in body["next"]:
        cursors.append(body["next"].split("cursor=")[1].split("&")[0])


def first_pictures() -> list[list[str]]:
    """A few pictures before anything else is asked for: later ones may wait behind all that the run begins."""
    url, headers = os.environ["SCHEMA_URL"], {"Authorization": f"Bearer {os.environ['SCHEMA_TOKEN']}"}
    body = {"input": {"prompt": "a lighthouse", "width": 256, "height": 256}}
    begun = [
        requests.post(f"{url}/v1/models/{MODEL}/predictions", json=body, headers=headers, timeout=120).json()["id"]
        for _ in range(6)
    ]
    until = time.monotonic() + 180
    while begun and time.monotonic() < until:
        time.sleep(0.2)
        for name in list(begun):
            one = requests.get(f"{url}/v1/predictions/{name}", headers=headers, timeout=120).json()
            if one["status"] not in OPEN:
                begun.remove(name)
                remember(one)
    if not pictures:
        raise RuntimeError("no picture was made within three minutes")
    return list(pictures)


def remember(one: object) -> None:
    """A prediction or a version of the model."""
    if not isinstance(one, dict):
        return
    if "cog_version" in one:
        versions.append(one["id"])
    if one.get("status") not in predictions or "urls" not in one:
        return
    for known in predictions.values():
        if one["id"] in known:
            known.remove(one["id"])
    predictions[one["status"]].append(one["id"])
    output = one.get("output") or []
    for url in [output] if isinstance(output, str) else output:
        pictures.append(url.split("/")[-3:])


def name_of(case: Any) -> str:  # noqa: ANN401
    """The operation's name in the document."""
    return str(case.operation.definition.raw["operationId"])


first = first_pictures()
