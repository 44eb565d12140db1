"""A job: its keys, the row that it begins as, and the prediction that clients see."""

import base64
import json
import secrets
import zlib
from datetime import UTC, datetime
from typing import Any

from handlers.clients import PUBLIC_URL

Row = dict[str, dict[str, Any]]

V = 1
SHARDS = 16
FIRST_DUE_MS = 120_000
DEADLINE_MS = 900_000
RETENTION_DAYS = 30
MODEL = "flux-dev"
BACKEND = "modal"

_STATUS = {
    "accepted": "starting",
    "dispatching": "starting",
    "running": "processing",
    "succeeded": "succeeded",
    "failed": "failed",
}


def key_of(account: str, job: str) -> Row:
    """The primary key of a job's row."""
    return {"pk": {"S": f"JOB#{account}#{job}"}, "sk": {"S": "JOB"}}


def new_row(account: str, job: str, job_input: dict[str, Any], digest: bytes, now_ms: int) -> Row:
    """The row of a job that was accepted, with its entries in the index by account and in the due index."""
    shard = zlib.crc32(f"{account}#{job}".encode()) % SHARDS
    return {
        **key_of(account, job),
        "gpk": {"S": f"ACCOUNT#{account}"},
        "gsk": {"S": f"{now_ms:015d}#{job}"},
        "due": {"S": f"DUE#{shard:02d}"},
        "due_at": {"N": str(now_ms + FIRST_DUE_MS)},
        "due_tries": {"N": "0"},
        "v": {"N": str(V)},
        "rev": {"N": "1"},
        "deadline_at": {"N": str(now_ms + DEADLINE_MS)},
        "expires_at": {"N": str(now_ms // 1000 + RETENTION_DAYS * 86_400 + 3_601)},
        "model": {"S": MODEL},
        "input": {"S": json.dumps(job_input, separators=(",", ":"))},
        "req": {"B": digest},
        "backend": {"S": BACKEND},
        "trace": {"B": secrets.token_bytes(16)},
        "token": {"B": secrets.token_bytes(20)},
        "keep": {"N": str(RETENTION_DAYS)},
        "format": {"S": job_input["output_format"]},
        "phase": {"S": "accepted"},
        "attempt": {"N": "1"},
    }


def output_key(row: Row, slot: int) -> str:
    """Where a picture of the current attempt lies."""
    token = base64.b32encode(row["token"]["B"]).decode().lower()
    return f"o/r{row['keep']['N']}/{token}/{row['attempt']['N']}-{slot}.{row['format']['S']}"


def created_at_ms(row: Row) -> int:
    """When the job was accepted."""
    return int(row["gsk"]["S"].partition("#")[0])


def prediction(row: Row) -> dict[str, Any]:
    """The job as clients see it."""
    job = row["pk"]["S"].rsplit("#", 1)[1]
    url = f"{PUBLIC_URL}/v1/predictions/{job}"
    phase = row["phase"]["S"]
    ended = phase in ("succeeded", "failed")
    accepted = created_at_ms(row)

    def since(name: str) -> int | None:
        return int(row[name]["N"]) - accepted if name in row else None

    total = since("ended_at")
    return {
        "id": job,
        "model": f"ryla/{row['model']['S']}",
        "version": "hidden",
        "status": _STATUS[phase],
        "input": json.loads(row["input"]["S"]),
        "output": f"{PUBLIC_URL}/{output_key(row, 0)}" if phase == "succeeded" else None,
        "error": "The GPU worker failed." if phase == "failed" else None,
        "logs": "",
        "metrics": {
            "phase": phase,
            "provider": row["backend"]["S"],
            "attempts": int(row["attempt"]["N"]),
            "trace_id": row["trace"]["B"].hex(),
            "progress": 100 if phase == "succeeded" else None,
            "timeline": {
                "accepted_ms": 0,
                "dispatched_ms": since("dispatched_at"),
                "running_ms": since("started_at"),
                "done_ms": total,
            },
            "total_time": total / 1000 if total is not None else None,
            "gpu": row["gpu"]["S"] if "gpu" in row else None,
        },
        "urls": {"get": url, "cancel": f"{url}/cancel", "web": url},
        "created_at": iso(accepted),
        "started_at": iso(int(row["started_at"]["N"])) if "started_at" in row else None,
        "completed_at": iso(int(row["ended_at"]["N"])) if ended else None,
        "data_removed": False,
        "source": "api",
    }


def iso(ms: int) -> str:
    """A point in time in ISO 8601, to the millisecond."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
