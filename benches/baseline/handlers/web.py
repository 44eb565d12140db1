"""Events of API Gateway (payload 2.0) and the replies to them; whose key a request carries."""

import hashlib
import json
import time
from typing import Any

from handlers.clients import TABLE

Event = dict[str, Any]
Reply = dict[str, Any]

_CACHED_S = 60.0
_accounts: dict[str, tuple[float, str]] = {}


class ProblemError(Exception):
    """A request that is refused: status, title and detail as problem details."""

    def __init__(self, status: int, title: str, detail: str) -> None:
        """The three parts that a caller reads."""
        super().__init__(detail)
        self.reply = reply(status, {"status": status, "title": title, "detail": detail}, "application/problem+json")


def reply(status: int, body: dict[str, Any], content_type: str = "application/json") -> Reply:
    """A reply with a JSON body."""
    return {
        "statusCode": status,
        "headers": {
            "content-type": content_type,
            "cache-control": "no-store",
            "x-content-type-options": "nosniff",
        },
        "body": json.dumps(body),
    }


def account_of(event: Event, dynamodb: Any) -> str:  # noqa: ANN401
    """The account that the caller's API key leads to; look-ups are cached for a minute."""
    scheme, _, key = event["headers"].get("authorization", "").partition(" ")
    if scheme.lower() not in ("bearer", "token") or not key:
        raise ProblemError(401, "Unauthenticated", "You did not pass a valid API key.")
    digest = hashlib.sha256(key.encode()).hexdigest()
    now = time.monotonic()
    known = _accounts.get(digest)
    if known and now - known[0] < _CACHED_S:
        return known[1]
    found = dynamodb.get_item(TableName=TABLE, Key={"pk": {"S": f"KEY#{digest}"}, "sk": {"S": "KEY"}})
    if "Item" not in found:
        raise ProblemError(401, "Unauthenticated", "You did not pass a valid API key.")
    account = str(found["Item"]["account"]["S"])
    _accounts[digest] = (now, account)
    return account
