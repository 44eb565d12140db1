"""The sample events of functions/*/events: what AWS would send, fit for `cargo lambda invoke`."""

import hashlib
import hmac
import json
import re
from typing import Any

import pytest

import routes
from cloudformation import ROOT, Template
from grants import FUNCTIONS

EVENTS = sorted((ROOT / "functions").glob("*/events/*.json"))
HTTP = [path for path in EVENTS if path.parts[-3] in {"submit", "status", "callback"}]
RUN = re.compile(r"[a-z0-9-]+\.[a-z2-7]{26}\.[1-9][0-9]*")
CALLBACK_SECRET = b"sample-master-secret-for-local-runs"


def read(name: str) -> Any:  # noqa: ANN401  (JSON)
    return json.loads((ROOT / "functions" / name).read_text())


def test_every_function_has_a_sample() -> None:
    assert {path.parts[-3] for path in EVENTS} == set(FUNCTIONS)


@pytest.mark.parametrize("path", HTTP, ids=lambda path: f"{path.parts[-3]}-{path.stem}")
def test_an_http_sample_reaches_its_function_by_the_routes_of_the_template(path: Any, template: Template) -> None:  # noqa: ANN401
    event = json.loads(path.read_text())
    http = event["requestContext"]["http"]
    route = routes.serving(routes.of_template(template), http["method"], event["rawPath"])
    assert event["version"] == "2.0"
    assert route.function == path.parts[-3]
    assert event["routeKey"] == event["requestContext"]["routeKey"] == f"{route.method} {route.path}"
    assert http["path"] == event["rawPath"]
    assert "cookie" not in event["headers"]


def test_no_sample_carries_a_key_that_could_be_real() -> None:
    keys = [json.loads(path.read_text())["headers"].get("authorization") for path in HTTP]
    assert {key for key in keys if key} == {"Bearer YOUR_API_KEY"}
    assert "authorization" not in read("status/events/health.json")["headers"]


def test_the_submit_sample_is_a_prediction() -> None:
    event = read("submit/events/create.json")
    assert event["rawPath"] == "/v1/models/ryla/flux-dev/predictions"
    assert json.loads(event["body"])["input"]["prompt"]


def test_the_callback_sample_is_signed_as_docs_security_says() -> None:
    event = read("callback/events/succeeded.json")
    _, _, _, _, account, job, attempt = event["rawPath"].split("/")
    run = f"{account}.{job}.{attempt}"
    signature = re.fullmatch(r"t=(\d+),v1=([0-9a-f]{64})", event["headers"]["x-ryla-signature"])
    assert signature
    assert RUN.fullmatch(run)
    key = hmac.new(CALLBACK_SECRET, b"cb1" + run.encode(), hashlib.sha256).hexdigest()
    message = f"{signature[1]}.{event['body']}".encode()
    assert hmac.new(key.encode(), message, hashlib.sha256).hexdigest() == signature[2]


def test_the_dispatch_sample_is_a_batch_of_one_start() -> None:
    (record,) = read("dispatch/events/start.json")["Records"]
    body = json.loads(record["body"])
    assert record["eventSource"] == "aws:sqs"
    assert record["md5OfBody"] == hashlib.md5(record["body"].encode(), usedforsecurity=False).hexdigest()
    assert set(body) == {"v", "do", "run", "trace"}
    assert (body["v"], body["do"]) == (1, "start")
    assert RUN.fullmatch(body["run"])
    assert re.fullmatch(r"[0-9a-f]{32}", body["trace"])


@pytest.mark.parametrize("function", ["sweep", "warm"])
def test_the_sample_of_a_tick_is_what_the_scheduler_sends(function: str) -> None:
    event = read(f"{function}/events/tick.json")
    assert event["source"] == "aws.scheduler"
    assert event["detail-type"] == "Scheduled Event"
