"""`cargo lambda watch`, the loop of somebody who works on one function: its sample events, on the embedded AWS.

One function unless WATCH names more ("submit status ..."): cargo compiles most dependencies once more for each.
"""

import hashlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from processes import answers, eventually, free_port, running
from stack import ROOT

# The secret with which docs/DEPLOY.md and the callback's sample are signed.
SECRETS = "k1:sample-master-secret-for-local-runs"
WATCHED = os.environ.get("WATCH", "status").split()
CARGO_LAMBDA = os.environ["CARGO_LAMBDA"]


def body(reply: Any) -> Any:  # noqa: ANN401  (JSON)
    return json.loads(reply["body"])


def no_backend(reply: Any) -> None:  # noqa: ANN401
    assert (reply["statusCode"], body(reply)["title"]) == (503, "No backend"), reply


def alive(reply: Any) -> None:  # noqa: ANN401
    assert reply["statusCode"] == 200, reply


def unknown(reply: Any) -> None:  # noqa: ANN401
    assert reply["statusCode"] == 404, reply


def outdated(reply: Any) -> None:  # noqa: ANN401
    assert (reply["statusCode"], "stale_timestamp" in reply["body"]) == (401, True), reply


def handled(reply: Any) -> None:  # noqa: ANN401
    assert reply == {"batchItemFailures": []}


def nothing(reply: Any) -> None:  # noqa: ANN401
    assert reply is None


EXPECTED = {
    "submit/create": no_backend,
    "status/health": alive,
    "status/prediction": unknown,
    "callback/succeeded": outdated,
    "dispatch/start": handled,
    "sweep/tick": nothing,
    "warm/tick": nothing,
}


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Table and bucket, and in the table the key that the samples name."""
    log = Path(tmp_path_factory.mktemp("aws-embedded")) / "embedded.log"
    program = str(Path(os.environ["CARGO_TARGET"]) / "debug/examples/embedded_aws")
    with running([program], log, {"PATH": os.environ["PATH"]}):
        lines = eventually(
            "the embedded AWS is up", lambda: text if (text := log.read_text()).count("\n") >= 8 else None
        )
        variables = dict(line.split("=", 1) for line in lines.splitlines())
        digest = hashlib.sha256(b"YOUR_API_KEY").hexdigest()
        boto3.client(
            "dynamodb",
            region_name=variables["AWS_REGION"],
            endpoint_url=variables["AWS_ENDPOINT_URL_DYNAMODB"],
            aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        ).put_item(
            TableName=variables["TABLE_NAME"],
            Item={"pk": {"S": f"KEY#{digest}"}, "sk": {"S": "KEY"}, "v": {"N": "1"}, "account": {"S": "acme"}},
        )
        yield variables


def test_every_sample_has_an_expected_reply() -> None:
    samples = {f"{path.parts[-3]}/{path.stem}" for path in (ROOT / "functions").glob("*/events/*.json")}
    assert samples == set(EXPECTED)


@pytest.mark.parametrize("function", WATCHED)
def test_watch_serves_the_samples_of_a_function(
    function: str, embedded: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    env = {
        **os.environ,
        **embedded,
        "MASTER_SECRETS": SECRETS,
        "PUBLIC_URL": "https://api.example.test",
        "CARGO_TARGET_DIR": os.environ["CARGO_TARGET"],
    }
    address = ["-A", "127.0.0.1", "-P", str(port)]
    watch = [CARGO_LAMBDA, "lambda", "watch", *address, "--ignore-changes", "-p", f"ryla-{function}"]
    log = tmp_path / "aws-watch.log"
    monkeypatch.chdir(ROOT)
    with running(watch, log, env) as process:
        eventually("watch listens", lambda: answers(port, process))
        for sample in sorted((ROOT / "functions" / function / "events").glob("*.json")):
            invoke = [CARGO_LAMBDA, "lambda", "invoke", *address, f"ryla-{function}", "--data-file", str(sample)]
            done = subprocess.run(invoke, capture_output=True, text=True, timeout=300, check=False, env=env)  # noqa: S603
            assert done.returncode == 0, done.stderr + log.read_text()[-2000:]
            EXPECTED[f"{function}/{sample.stem}"](json.loads(done.stdout))
