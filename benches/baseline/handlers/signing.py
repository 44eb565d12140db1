"""The keys of runs and the signatures of callbacks: HMAC-SHA256, one key for each run, derived from a secret."""

import hashlib
import hmac
import os
import time

KID, _, _SECRET = os.environ["MASTER_SECRETS"].split(",")[0].partition(":")
_TOLERANCE_S = 300


def run_key(run: str) -> str:
    """The key with which a run's worker signs."""
    return hmac.new(_SECRET.encode(), f"run\0{run}".encode(), hashlib.sha256).hexdigest()


def genuine(run: str, header: str, body: bytes) -> bool:
    """Whether `t=<unix>,v1=<hex>` signs the body for this run at about this time."""
    parts = dict(part.partition("=")[::2] for part in header.split(","))
    stamp, signature = parts.get("t", ""), parts.get("v1", "")
    wanted = hmac.new(run_key(run).encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(wanted, signature):
        return False
    return stamp.isdigit() and abs(time.time() - int(stamp)) <= _TOLERANCE_S
