"""What `ryla dev` logged while the official clients spoke to it: their jobs' lives, and nothing secret.

Run last by tests/clients/run. Every prompt that any client sent is a canary: the systems are asked for them.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

# What every signature has, whoever made it.
SIGNED = ("X-Amz-Signature", "X-Amz-Credential", "AWS4-HMAC-SHA256", ",v1=")
# Shorter texts are found in words; of a long one the beginning will do, since a log may cut it.
SHORTEST, LONGEST = 8, 24
ENDED = {"succeeded", "failed", "canceled"}


def predictions(name: str) -> Iterator[dict[str, Any]]:
    """Every prediction that the system knows."""
    headers = {"authorization": f"Bearer {os.environ[f'{name}_TOKEN']}"}
    url: str | None = f"{os.environ[f'{name}_URL']}/v1/predictions"
    with httpx.Client(headers=headers, timeout=60, trust_env=True) as http:
        while url:
            page = http.get(url).raise_for_status().json()
            yield from page["results"]
            url = page["next"]


def secrets_of(prediction: dict[str, Any]) -> Iterator[str]:
    """Texts of its owner, and what leads to its pictures."""
    for field in ("prompt", "negative_prompt"):
        text = str((prediction["input"] or {}).get(field) or "")
        yield text
        # As it would stand in a line of JSON.
        yield json.dumps(text)[1:-1]
        yield json.dumps(text, ensure_ascii=False)[1:-1]
    output = prediction["output"] or []
    for url in [output] if isinstance(output, str) else output:
        # http://host/o/{retention}/{token}/{file}
        yield url.split("/")[-2]


@pytest.mark.parametrize("name", ["TLS", "PLAIN", "FAILING", "SLOW", "SCHEMA"])
def test_the_log_tells_every_jobs_life_and_no_secret(name: str) -> None:
    known = list(predictions(name))
    log = Path(os.environ[f"{name}_LOG"]).read_text()
    # `ryla dev` says where it is and that it stops in plain words; everything else is JSON.
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    moves = {(line["run"].rsplit(".", 1)[0], line["to"]) for line in lines if line.get("event") == "state"}
    assert known, "jobs were made"
    for prediction in known:
        told = {to for run, to in moves if run.endswith(f".{prediction['id']}")}
        assert "accepted" in told, prediction["id"]
        assert prediction["status"] not in ENDED or prediction["status"] in told, prediction["id"]
    found = {secret[:LONGEST] for of in known for secret in secrets_of(of) if len(secret) >= SHORTEST}
    found |= {os.environ[f"{name}_TOKEN"], *SIGNED}
    leaked = sorted(secret for secret in found if secret in log)
    assert leaked == []
