"""What breaks around the deployed functions: poison in the queue, killed processes, a busy or silent DynamoDB."""

import os
import signal

from conftest import Tenant
from processes import eventually
from stack import Stack

THROTTLED = {"service": "dynamodb", "error": {"code": "ThrottlingException"}}
# The write happens, and nobody hears of it.
REPLY_LOST = {"service": "dynamodb", "times": 1, "response": {"abort_frac": 0.0}}


def test_poison_ends_in_the_dead_letter_queue_while_others_pass(stack: Stack, acme: Tenant) -> None:
    sqs, queue = stack.client("sqs"), stack.outputs["QueueUrl"]
    # Five deliveries 180 s apart would take a quarter of an hour.
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "1"})
    try:
        sqs.send_message(QueueUrl=queue, MessageBody="poison")
        jobs = [acme.create(f"beside the poison {n}") for n in range(5)]
        ends = [acme.ended(job) for job in jobs]
        assert [end["status"] for end in ends] == ["succeeded"] * 5

        def dead() -> list[str] | None:
            reply = sqs.receive_message(QueueUrl=stack.dead_letters, MaxNumberOfMessages=10, WaitTimeSeconds=1)
            return [message["Body"] for message in reply.get("Messages", [])] or None

        assert eventually("the poison is set aside", dead, 180) == ["poison"]
    finally:
        sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "180"})


def test_a_bootstrap_killed_in_mid_invocation_loses_no_job(stack: Stack, acme: Tenant) -> None:
    before = acme.ended(acme.create("so that dispatch is warm"))
    assert before["status"] == "succeeded"
    # The claim hangs, and with it the invocation.
    stack.faults({"service": "dynamodb", "operation": "UpdateItem", "times": 1, "latency": 3000})
    job = acme.create("a murdered messenger")
    eventually("the claim hangs", lambda: bool(stack.fired()) or None, every_s=0.02)
    killed = stack.bootstraps("dispatch")
    assert killed
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    assert acme.prediction(job)["status"] == "starting"

    def sweep() -> bool | None:
        assert stack.invoke("sweep", {}) == (None, None)
        return acme.prediction(job)["status"] in {"succeeded", "failed"} or None

    eventually("a sweep brings the job to its end", sweep, 180, 1)
    assert acme.prediction(job)["status"] == "succeeded"
    assert not set(killed) & set(stack.bootstraps("dispatch"))


def test_a_short_throttle_is_not_noticed(stack: Stack, acme: Tenant) -> None:
    stack.faults({**THROTTLED, "operation": "PutItem", "times": 1})
    job = acme.create("a short queue")
    assert [(fault["operation"]) for fault in stack.fired()] == ["PutItem"]
    assert acme.ended(job)["status"] == "succeeded"


def test_a_long_throttle_is_a_503_and_the_repeated_request_one_job(stack: Stack, acme: Tenant) -> None:
    stack.faults({**THROTTLED, "operation": "PutItem"})
    refused = acme.submit("a long queue", idempotency_key="queue-1")
    assert refused.status_code == 503, refused.text
    assert int(refused.headers["retry-after"]) >= 1
    assert stack.fired()
    stack.faults()
    taken = acme.submit("a long queue", idempotency_key="queue-1")
    assert taken.status_code == 201
    assert "idempotent-replayed" not in taken.headers
    assert acme.ended(taken.json()["id"])["status"] == "succeeded"


def test_a_submit_whose_reply_from_dynamodb_was_lost_is_one_job(stack: Stack, acme: Tenant) -> None:
    def jobs() -> set[str]:
        return {listed["id"] for listed in acme.http.get("/v1/predictions").json()["results"]}

    before = jobs()
    stack.faults({**REPLY_LOST, "operation": "PutItem"})
    job = acme.create("an unheard yes")
    assert [fault["operation"] for fault in stack.fired()] == ["PutItem"]
    assert jobs() - before == {job}
    assert acme.ended(job)["metrics"]["attempts"] == 1


def test_a_claim_whose_reply_was_lost_is_recognised_as_won(stack: Stack, acme: Tenant) -> None:
    stack.faults({**REPLY_LOST, "operation": "UpdateItem"})
    job = acme.create("an unheard claim")
    prediction = acme.ended(job)
    assert [fault["operation"] for fault in stack.fired()] == ["UpdateItem"]
    assert prediction["status"] == "succeeded"
    assert prediction["metrics"]["attempts"] == 1
