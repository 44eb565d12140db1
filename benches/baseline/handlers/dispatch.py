"""Lambda `dispatch`: claims each job of a batch and starts it on the GPU backend."""

import json
import os
import time
from typing import Any

import urllib3
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import BotoCoreError, ClientError

from handlers import clients, signing
from handlers.clients import BUCKET, PUBLIC_URL, TABLE
from handlers.job import BACKEND, Row, V, key_of, output_key

_dynamodb = clients.dynamodb()
_s3 = clients.s3()
_http = urllib3.PoolManager(timeout=urllib3.Timeout(connect=10, read=15), retries=False)
_jobs_url = f"{os.environ['MODAL_JOBS_URL']}/v1/jobs"

_LEASE_MS = 45_000
_RUN_LIMIT_MS = 200_000
_PRESIGN_S = 3_600
_CONTENT_TYPES = {"jpg": "image/jpeg", "png": "image/png", "webp": "image/webp"}


class StartError(Exception):
    """The backend did not take the run."""


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Carries out a batch; what failed comes again."""
    failures = []
    for record in event["Records"]:
        try:
            start(json.loads(record["body"]), f"{context.aws_request_id}.{record['messageId']}"[:64])
        except (BotoCoreError, ClientError, urllib3.exceptions.HTTPError, StartError):
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}


def start(message: dict[str, Any], claim: str) -> None:
    """Claims the job, which is one write, and posts its run."""
    account, job, _ = message["run"].split(".")
    row = claimed(account, job, claim)
    if row is None:
        return
    run = f"{account}.{job}.{row['attempt']['N']}"
    content_type = _CONTENT_TYPES[row["format"]["S"]]
    headers = {"content-type": content_type, "if-none-match": "*"}
    put_url = _s3.generate_presigned_url(
        "put_object",
        Params={"Bucket": BUCKET, "Key": output_key(row, 0), "ContentType": content_type, "IfNoneMatch": "*"},
        ExpiresIn=_PRESIGN_S,
    )
    trace = row["trace"]["B"].hex()
    traceparent = f"00-{trace}-{trace[:16]}-01"
    submit = {
        "v": 1,
        "run": run,
        "workflow": row["model"]["S"],
        "params": json.loads(row["input"]["S"]),
        "inputs": [],
        "outputs": [{"slot": 0, "content_type": content_type, "put_url": put_url, "headers": headers}],
        "callback": {
            "url": f"{PUBLIC_URL}/v1/callbacks/{BACKEND}/{account}/{job}/{row['attempt']['N']}",
            "kid": signing.KID,
            "key": signing.run_key(run),
        },
        "deadline_at": int(row["deadline_at"]["N"]),
        "run_limit_ms": _RUN_LIMIT_MS,
        "traceparent": traceparent,
    }
    answer = _http.request("POST", _jobs_url, json=submit, headers={"traceparent": traceparent})
    if answer.status not in (200, 202):
        raise StartError(answer.status)


def claimed(account: str, job: str, claim: str) -> Row | None:
    """The row, claimed; nothing where it is not ours to start."""
    now_ms = time.time_ns() // 1_000_000
    try:
        done = _dynamodb.update_item(
            TableName=TABLE,
            Key=key_of(account, job),
            ConditionExpression=(
                "#v <= :v AND #deadline_at > :now AND "
                "(#phase = :accepted OR (#phase = :dispatching AND #lease_until < :now))"
            ),
            UpdateExpression=(
                "SET #rev = #rev + :one, #phase = :dispatching, #claim = :claim, #lease_until = :lease, "
                "#claims = if_not_exists(#claims, :none) + :one, "
                "#dispatched_at = if_not_exists(#dispatched_at, :now)"
            ),
            ExpressionAttributeNames={
                f"#{name}": name
                for name in (
                    "v",
                    "deadline_at",
                    "phase",
                    "lease_until",
                    "rev",
                    "claim",
                    "claims",
                    "dispatched_at",
                )
            },
            ExpressionAttributeValues={
                ":v": {"N": str(V)},
                ":now": {"N": str(now_ms)},
                ":accepted": {"S": "accepted"},
                ":dispatching": {"S": "dispatching"},
                ":one": {"N": "1"},
                ":none": {"N": "0"},
                ":claim": {"S": claim},
                ":lease": {"N": str(now_ms + _LEASE_MS)},
            },
            ReturnValues="ALL_NEW",
        )
    except _dynamodb.exceptions.ConditionalCheckFailedException:
        return None
    row: Row = done["Attributes"]
    return row
