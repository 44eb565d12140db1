"""Lambda `callback`: takes a worker's word after its signature and, where it claims a picture, a look at the bucket."""

import base64
import json
import time
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import ClientError

from handlers import clients, signing
from handlers.clients import BUCKET, TABLE
from handlers.job import Row, V, key_of, output_key
from handlers.web import Event, ProblemError, Reply, reply

_dynamodb = clients.dynamodb()
_s3 = clients.s3()

_HEAD_BYTES = 4_096
_MAX_PICTURE_BYTES = 64 * 1024 * 1024
_MAGIC = {"jpg": (b"\xff\xd8\xff",), "png": (b"\x89PNG\r\n\x1a\n",), "webp": (b"RIFF",)}


def handler(event: Event, _context: LambdaContext) -> Reply:
    """Answers POST /v1/callbacks/{backend}/{account}/{job}/{attempt}."""
    body = event["body"].encode()
    if event.get("isBase64Encoded"):
        body = base64.b64decode(body)
    backend, account, job, attempt = event["rawPath"].split("/")[3:7]
    if not signing.genuine(f"{account}.{job}.{attempt}", event["headers"].get("x-ryla-signature", ""), body):
        return ProblemError(401, "Bad signature", "The signature does not match.").reply
    callback = json.loads(body)
    taken: bool | None
    match callback["event"]:
        case "started":
            taken = started(account, job, attempt, backend, callback)
        case "succeeded":
            taken = succeeded(account, job, attempt, backend, callback)
        case _:
            taken = failed(account, job, attempt, backend)
    if taken is None:
        return ProblemError(409, "Not there yet", "The picture is not in the bucket yet.").reply
    ignored = {} if taken else {"ignored": True}
    return reply(200, {"v": 1, "continue": taken and callback["event"] == "started", **ignored})


def started(account: str, job: str, attempt: str, backend: str, callback: dict[str, Any]) -> bool:
    """The worker has begun: one write, if this attempt is the current one and still waits for it."""
    now = {"N": str(time.time_ns() // 1_000_000)}
    return _updated(
        account,
        job,
        "#v <= :v AND #phase = :dispatching AND #attempt = :attempt AND #backend = :backend",
        "SET #rev = #rev + :one, #phase = :running, #started_at = :now, #seen_at = :now, #seq = :seq, #call = :call "
        "REMOVE #claim, #claims, #lease_until",
        {
            ":v": {"N": str(V)},
            ":dispatching": {"S": "dispatching"},
            ":running": {"S": "running"},
            ":attempt": {"N": attempt},
            ":backend": {"S": backend},
            ":one": {"N": "1"},
            ":now": now,
            ":seq": {"N": str(callback["seq"])},
            ":call": {"S": callback["call_id"]},
        },
    )


def succeeded(account: str, job: str, attempt: str, backend: str, callback: dict[str, Any]) -> bool | None:
    """The picture is there: looked at, then one write on the revision that was read. Nothing if it is not there yet."""
    row = _current(account, job, attempt, backend)
    if row is None:
        return False
    etags = {output["slot"]: output.get("etag") for output in callback["outputs"]}
    picture = _glimpse(row, 0, etags.get(0))
    if picture is None:
        return None
    timings = callback.get("timings") or {}
    parts = [{"N": str(timings.get(part, 0))} for part in ("queue", "boot", "load", "run", "upload")]
    return _ended(
        row,
        "#outputs = :outputs, #timings = :timings, #gpu = :gpu",
        {
            ":phase": {"S": "succeeded"},
            ":outputs": {"L": [{"L": [{"N": str(part)} for part in (0, *picture)]}]},
            ":timings": {"L": parts},
            ":gpu": {"S": callback.get("gpu") or "unknown"},
        },
    )


def failed(account: str, job: str, attempt: str, backend: str) -> bool:
    """The attempt is over; this version makes no second one."""
    row = _current(account, job, attempt, backend)
    if row is None:
        return False
    return _ended(row, "#code = :code", {":phase": {"S": "failed"}, ":code": {"S": "gpu_error"}})


def _current(account: str, job: str, attempt: str, backend: str) -> Row | None:
    """The row, if the attempt is its current one and has not ended."""
    found = _dynamodb.get_item(TableName=TABLE, Key=key_of(account, job), ConsistentRead=True)
    row: Row | None = found.get("Item")
    if row is None or row["attempt"]["N"] != attempt or row["backend"]["S"] != backend:
        return None
    return row if row["phase"]["S"] in ("dispatching", "running") else None


def _ended(row: Row, more: str, values: dict[str, Any]) -> bool:
    _, account, job = row["pk"]["S"].split("#")
    return _updated(
        account,
        job,
        "#rev = :seen",
        f"SET #rev = #rev + :one, #phase = :phase, #ended_at = :now, {more} "
        "REMOVE #due, #due_at, #due_tries, #seen_at, #seq, #call, #claim, #claims, #lease_until",
        {
            ":seen": row["rev"],
            ":one": {"N": "1"},
            ":now": {"N": str(time.time_ns() // 1_000_000)},
            **values,
        },
    )


def _updated(account: str, job: str, condition: str, update: str, values: dict[str, Any]) -> bool:
    """Makes a conditional write; False where its condition does not hold."""
    words = f"{condition} {update}".replace("(", " ").replace(")", " ").replace(",", " ").split()
    try:
        _dynamodb.update_item(
            TableName=TABLE,
            Key=key_of(account, job),
            ConditionExpression=condition,
            UpdateExpression=update,
            ExpressionAttributeNames={word: word[1:] for word in words if word.startswith("#")},
            ExpressionAttributeValues=values,
        )
    except _dynamodb.exceptions.ConditionalCheckFailedException:
        return False
    return True


def _glimpse(row: Row, slot: int, etag: str | None) -> tuple[int, int, int] | None:
    """Bytes, width and height of the picture, if it is the one that the worker put: one GET of its beginning."""
    try:
        found = _s3.get_object(Bucket=BUCKET, Key=output_key(row, slot), Range=f"bytes=0-{_HEAD_BYTES - 1}")
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] in (403, 404):
            return None
        raise
    head: bytes = found["Body"].read()
    size = int(found["ContentRange"].rpartition("/")[2])
    fits = 0 < size <= _MAX_PICTURE_BYTES and head.startswith(_MAGIC[row["format"]["S"]])
    if not fits or (etag is not None and etag.strip('"') != found["ETag"].strip('"')):
        return None
    return (size, *_dimensions(head))


def _dimensions(head: bytes) -> tuple[int, int]:
    """Width and height of a JPEG from the marker of its frame; the other formats say theirs elsewhere."""
    place = 2
    while head[:2] == b"\xff\xd8" and place + 9 < len(head):
        marker, length = head[place + 1], int.from_bytes(head[place + 2 : place + 4])
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return int.from_bytes(head[place + 7 : place + 9]), int.from_bytes(head[place + 5 : place + 7])
        place += 2 + length
    return 0, 0
