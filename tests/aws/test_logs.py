"""What the bootstraps and the GPU logged while all other tests ran: the lives of jobs, and nothing secret. Runs last.

The functions log at `debug` here, and their libraries at `info`.
"""

import hmac
import json
from base64 import b32encode
from collections.abc import Iterator
from typing import Any

from conftest import SENT, Tenant
from processes import environment, eventually
from stack import FUNCTIONS, MODAL_KEY, MODAL_SECRET, NAME, Stack

# What every signature has, whoever made it.
SIGNED = {"X-Amz-Signature", "X-Amz-Credential", "AWS4-HMAC-SHA256", ",v1="}
# Shorter texts are found in words; of a long one the beginning will do, since a log may cut it.
SHORTEST, LONGEST = 8, 24


def messages(stack: Stack, function: str) -> list[str]:
    """Every line that the function has written, and the platform's own."""
    pages = (
        stack.client("logs").get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/{NAME}-{function}")
    )
    return [event["message"] for page in pages for event in page["events"]]


def moves(stack: Stack, job: str) -> dict[str, str]:
    """Which states the log says that the job came to, and which function says so."""
    found = {}
    for function in FUNCTIONS:
        lines = [json.loads(line) for line in messages(stack, function) if line.startswith("{")]
        found.update({x["to"]: function for x in lines if x.get("event") == "state" and f".{job}." in x["run"]})
    return found


def secrets_of(stack: Stack) -> Iterator[str]:
    """What the tests sent, what the rows hold, and what the functions were given."""
    yield from SENT
    yield from (MODAL_KEY, MODAL_SECRET)
    held = environment(stack.bootstraps("dispatch")[0])
    masters = [entry.split(":", 1)[1] for entry in held["MASTER_SECRETS"].split(",")]
    yield from masters
    for function in FUNCTIONS:
        if stack.bootstraps(function):
            credentials = stack.credentials(function)
            yield from (credentials.secret_access_key, credentials.session_token)
    for row in jobs(stack):
        # Who has the token has the picture.
        yield b32encode(row["token"]["B"]).decode().lower()
        _, account, job = row["pk"]["S"].split("#")
        for attempt in (1, 2, 3):
            for master in masters:
                yield hmac.digest(master.encode(), f"cb1{account}.{job}.{attempt}".encode(), "sha256").hex()


def jobs(stack: Stack) -> list[dict[str, Any]]:
    """Every row of a job."""
    pages = stack.client("dynamodb").get_paginator("scan").paginate(TableName=stack.table)
    return [row for page in pages for row in page["Items"] if row["sk"]["S"] == "JOB" and "token" in row]


def test_a_healthy_jobs_life_is_in_the_log_function_by_function(stack: Stack, acme: Tenant) -> None:
    job = acme.create("a life to be told in full")
    assert acme.ended(job)["status"] == "succeeded"

    def told() -> dict[str, str] | None:
        # The emulator hands on what a function wrote last with its next invocation.
        acme.submit("a nudge for the logs")
        found = moves(stack, job)
        return found if "succeeded" in found else None

    told_by = eventually("the log tells the end", told, 120, 1)
    wanted = {"accepted": "submit", "dispatching": "dispatch", "running": "callback", "succeeded": "callback"}
    assert told_by == wanted


def test_no_secret_is_in_any_log(stack: Stack) -> None:
    assert stack.invoke("warm", {}) == (None, None)
    # The emulator hands on what a function wrote last with its next invocation.
    assert stack.invoke("warm", {}) == (None, None)
    secrets = {secret[:LONGEST] for secret in secrets_of(stack) if len(secret) >= SHORTEST} | SIGNED
    assert len(secrets) > 50, "there is something to look for"
    logs = {function: "\n".join(messages(stack, function)) for function in FUNCTIONS}
    assert all("RequestId" in log for log in logs.values()), "every function was called"
    logs["gpu"] = (stack.work / "gpu.log").read_text()
    assert '"event":"gpu"' in logs["gpu"]
    leaked = sorted((name, secret) for name, log in logs.items() for secret in secrets if secret in log)
    assert leaked == []
