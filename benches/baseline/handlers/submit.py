"""Lambda `submit`: accepts a prediction once for each idempotency key, makes it durable, hints at it in the queue."""

import base64
import hashlib
import json
import os
import secrets
import time
from typing import Any

from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.idempotency.exceptions import IdempotencyValidationError
from aws_lambda_powertools.utilities.typing import LambdaContext

from handlers import clients
from handlers.clients import TABLE
from handlers.job import new_row, prediction
from handlers.web import Event, ProblemError, Reply, account_of, reply

_dynamodb = clients.dynamodb()
_sqs = clients.sqs()
_queue_url = os.environ["QUEUE_URL"]
_records = DynamoDBPersistenceLayer(table_name=os.environ["IDEMPOTENCY_TABLE_NAME"], boto3_client=_dynamodb)
_once = IdempotencyConfig(
    event_key_jmespath="key",
    payload_validation_jmespath="body",
    expires_after_seconds=86_400,
    raise_on_no_idempotency_key=True,
)

_DEFAULTS: dict[str, Any] = {
    "negative_prompt": "",
    "width": 1024,
    "height": 1024,
    "steps": 20,
    "cfg": 3.5,
    "output_format": "jpg",
}
_RANGES = {"width": (256, 2048, 16), "height": (256, 2048, 16), "steps": (1, 50, 1)}


def handler(event: Event, context: LambdaContext) -> Reply:
    """Answers POST /v1/models/ryla/flux-dev/predictions."""
    try:
        account = account_of(event, _dynamodb)
        body = parsed(event["body"])
        key = event["headers"].get("idempotency-key")
        if key is None:
            return reply(201, create(account, body))
        _once.register_lambda_context(context)
        request = {"key": f"{account}#{key}", "account": account, "body": body}
        return reply(201, create_once(request=request))
    except ProblemError as problem:
        return problem.reply
    except IdempotencyValidationError:
        return ProblemError(422, "Key used", "The idempotency key was used for another request.").reply


@idempotent_function(data_keyword_argument="request", persistence_store=_records, config=_once)  # type: ignore[untyped-decorator, unused-ignore]
def create_once(request: dict[str, Any]) -> dict[str, Any]:
    """Creates a job unless its key has one: then the stored reply is the answer."""
    return create(request["account"], request["body"])


def create(account: str, body: dict[str, Any]) -> dict[str, Any]:
    """Puts the row where there is none, then sends the hint."""
    now_ms = time.time_ns() // 1_000_000
    job = base64.b32encode(secrets.token_bytes(16)).decode().lower().rstrip("=")
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).digest()
    row = new_row(account, job, body, digest, now_ms)
    _dynamodb.put_item(
        TableName=TABLE,
        Item=row,
        ConditionExpression="attribute_not_exists(#pk) OR #expires_at < :now",
        ExpressionAttributeNames={"#pk": "pk", "#expires_at": "expires_at"},
        ExpressionAttributeValues={":now": {"N": str(now_ms // 1000)}},
    )
    message = {"v": 1, "do": "start", "run": f"{account}.{job}.1", "trace": row["trace"]["B"].hex()}
    _sqs.send_message(QueueUrl=_queue_url, MessageBody=json.dumps(message))
    return prediction(row)


def parsed(body: str) -> dict[str, Any]:
    """The input with its defaults, or a problem that names the field."""
    try:
        given = json.loads(body)["input"]
    except (ValueError, KeyError, TypeError):
        raise ProblemError(422, "Invalid input", "input is missing: an object of the model's fields") from None
    prompt = given.get("prompt")
    if not isinstance(prompt, str) or not prompt.strip() or len(prompt) > 4_000:
        raise ProblemError(422, "Invalid input", "prompt must be a text of 1 to 4,000 characters")
    unknown = set(given) - set(_DEFAULTS) - {"prompt", "seed"}
    if unknown:
        raise ProblemError(422, "Invalid input", f"{min(unknown)} is no field of this model")
    resolved = {**_DEFAULTS, "seed": secrets.randbits(53), **given}
    for field, (least, most, step) in _RANGES.items():
        value = resolved[field]
        if not isinstance(value, int) or not least <= value <= most or value % step:
            raise ProblemError(422, "Invalid input", f"{field} must be {least} to {most} in steps of {step}")
    if resolved["output_format"] not in ("jpg", "png", "webp"):
        raise ProblemError(422, "Invalid input", "output_format must be jpg, png or webp")
    return resolved
