"""What each function's role is refused, with the credentials of its running process: a policy too wide fails here.

Rights on single items (`dynamodb:LeadingKeys`) are checked on the template: the emulator does not evaluate them.
"""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from conftest import Tenant
from stack import FUNCTIONS, Stack

ROW = {"pk": {"S": "JOB#acme#nobody"}, "sk": {"S": "JOB"}}
SET = {"UpdateExpression": "SET note = :n", "ExpressionAttributeValues": {":n": {"S": "x"}}}

Call = Callable[[Stack, Any], object]


def table(operation: str, **more: object) -> Call:
    return lambda stack, client: getattr(client, operation)(TableName=stack.table, **more)


def bucket(operation: str, **more: object) -> Call:
    return lambda stack, client: getattr(client, operation)(Bucket=stack.bucket, **more)


def queue(operation: str, **more: object) -> Call:
    return lambda stack, client: getattr(client, operation)(QueueUrl=stack.outputs["QueueUrl"], **more)


CALLS: dict[str, tuple[str, Call]] = {
    "get a row": ("dynamodb", table("get_item", Key=ROW)),
    "put a row": ("dynamodb", table("put_item", Item=ROW)),
    "update a row": ("dynamodb", table("update_item", Key=ROW, **SET)),
    "delete a row": ("dynamodb", table("delete_item", Key=ROW)),
    "query the table": (
        "dynamodb",
        table(
            "query",
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": "ENDPOINTS"}},
        ),
    ),
    "scan": ("dynamodb", table("scan")),
    "delete the table": ("dynamodb", table("delete_table")),
    "send": ("sqs", queue("send_message", MessageBody="from a test of roles")),
    "receive": ("sqs", queue("receive_message", WaitTimeSeconds=0)),
    "purge": ("sqs", queue("purge_queue")),
    "read an output": ("s3", bucket("get_object", Key="o/r1/roles/1-0.jpg")),
    "write an output": ("s3", bucket("put_object", Key="o/r1/roles/2-0.jpg", Body=b"")),
    "delete an output": ("s3", bucket("delete_object", Key="o/r1/roles/2-0.jpg")),
    "read an input": ("s3", bucket("get_object", Key="in/roles.json")),
    "write an input": ("s3", bucket("put_object", Key="in/roles.json", Body=b"")),
    "read elsewhere": ("s3", bucket("get_object", Key="elsewhere")),
    "list the bucket": ("s3", bucket("list_objects_v2")),
    "delete the bucket": ("s3", bucket("delete_bucket")),
}
ALLOWED = {
    "submit": {"get a row", "put a row", "update a row", "delete an output", "read an input", "write an input"},
    "status": {"get a row", "query the table", "read an output", "read an input"},
    "callback": {"get a row", "update a row", "read an output", "write an output"},
    "dispatch": {"get a row", "update a row", "read an output", "write an output", "read an input"},
    "sweep": {"get a row", "update a row", "read an output"},
    "warm": {"query the table", "update a row"},
}
# Not tried where they are allowed: a message sent here would be poison, and one received would be hidden from dispatch.
UNTRIED = {"submit": {"send"}, "dispatch": {"send", "receive"}, "sweep": {"send"}}
REFUSED = {"AccessDenied", "AccessDeniedException"}


def refusal(call: Callable[[], object]) -> str | None:
    try:
        call()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return None


@pytest.fixture(scope="module", autouse=True)
def prepared(stack: Stack, acme: Tenant) -> None:
    """Every function has run, and what the calls name is there."""
    acme.ended(acme.create("so that every function runs"))
    stack.invoke("sweep", {})
    stack.invoke("warm", {})
    s3 = stack.client("s3")
    for key in ("o/r1/roles/1-0.jpg", "in/roles.json", "elsewhere"):
        s3.put_object(Bucket=stack.bucket, Key=key, Body=b"")


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_role_can_do_what_its_function_needs_and_nothing_else(stack: Stack, function: str) -> None:
    credentials = stack.credentials(function)
    tried = {name: call for name, call in CALLS.items() if name not in UNTRIED.get(function, set())}
    outcome = {}
    for name, (service, call) in tried.items():
        client = stack.client(service, credentials)
        outcome[name] = refusal(lambda call=call, client=client: call(stack, client))  # type: ignore[misc]
    assert {name for name, code in outcome.items() if code is None} == ALLOWED[function], outcome
    assert {code for code in outcome.values() if code} <= REFUSED, outcome


def test_the_operator_is_refused_nothing_that_the_roles_are(stack: Stack) -> None:
    # Else a call that is wrong in itself would pass for a refused one above.
    for name, (service, call) in CALLS.items():
        if name not in {"delete the table", "purge", "delete the bucket", "send", "receive"}:
            client = stack.client(service)
            assert refusal(lambda call=call, client=client: call(stack, client)) is None, name  # type: ignore[misc]
