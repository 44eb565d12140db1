"""A run's callbacks: signed with the run's own key, numbered, the last one tried for five minutes.

Heartbeats are tried once: the next one says as much. What an answer asks for (stop, new URLs) is returned.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from ryla_modal import wire
from ryla_modal.clock import Clock

log = logging.getLogger("ryla_modal.callbacks")

POST_LIMIT_S = 10.0
RETRY_FOR_S = 300.0
FIRST_PAUSE_S = 0.5
MAX_PAUSE_S = 30.0
AGAIN = frozenset({408, 429})


@dataclass(frozen=True)
class Reply:
    """What the server answered; the default is what counts where no answer came."""

    go_on: bool = True
    put_urls: tuple[dict[str, Any], ...] = ()
    taken: bool = False


@dataclass(frozen=True)
class _Stale:
    server_time: int


@dataclass(frozen=True)
class _Later:
    at_least_s: float = 0.0


@dataclass
class Reporter:
    """`word` makes this worker's event ids unlike those of an earlier run of the same call."""

    job: wire.Job
    http: httpx.Client
    clock: Clock
    call_id: str
    word: str
    jitter: Callable[[], float] = random.random
    seq: int = 0
    _offset_s: int = field(default=0, init=False)

    def tell(self, event: wire.Event, **note: Any) -> Reply:  # noqa: ANN401
        """Delivers one event; the fields of `note` stand in the message where they are not None."""
        self.seq += 1
        message: dict[str, Any] = {
            "v": wire.V,
            "event_id": f"{self.word}-{self.seq}",
            "seq": self.seq,
            "event": event,
            "call_id": self.call_id,
        }
        message |= {name: value for name, value in note.items() if value is not None}
        body = wire.encode(message)
        needed = event in wire.LAST_EVENTS or bool(note.get("renew"))
        return self._deliver(event, body, RETRY_FOR_S if needed else 0.0)

    def _deliver(self, event: str, body: bytes, retry_for_s: float) -> Reply:
        begun, retry, signed_again = self.clock.monotonic(), 0, False
        while True:
            answer = self._post(body)
            if isinstance(answer, Reply):
                return answer
            if isinstance(answer, _Stale) and not signed_again:
                # The server's clock, not ours: sign once more by it.
                signed_again, self._offset_s = True, answer.server_time - self.clock.now_ms() // 1000
                continue
            pause = min(FIRST_PAUSE_S * 2**retry * (0.75 + 0.5 * self.jitter()), MAX_PAUSE_S)
            if isinstance(answer, _Later):
                pause = max(pause, min(answer.at_least_s, MAX_PAUSE_S))
            if answer is None or self.clock.monotonic() + pause - begun > retry_for_s:
                log.warning("callback not delivered", extra={"run": str(self.job.run), "said": event})
                return Reply()
            self.clock.sleep(pause)
            retry += 1

    def _post(self, body: bytes) -> Reply | _Stale | _Later | None:
        """A reply; the server's clock; again later; or None: never."""
        stamp = self.clock.now_ms() // 1000 + self._offset_s
        headers = {
            wire.SIGNATURE_HEADER: wire.sign(self.job.callback_key, body, stamp),
            "Content-Type": "application/json",
            "traceparent": self.job.traceparent,
        }
        try:
            response = self.http.post(self.job.callback_url, content=body, headers=headers, timeout=POST_LIMIT_S)
        except httpx.TransportError:
            return _Later()
        if response.status_code == 200:
            return _reply(response)
        if response.status_code in AGAIN or response.status_code >= 500:
            return _Later(_seconds(response.headers.get("retry-after", "")))
        refusal = _object(response)
        if response.status_code == 401 and refusal.get("code") == "stale_timestamp":
            server_time = refusal.get("server_time")
            return _Stale(server_time) if type(server_time) is int else None
        return None


def _seconds(retry_after: str) -> float:
    # The other form, a date, is none that the callback endpoint sends.
    return float(retry_after) if retry_after.isascii() and retry_after.isdigit() else 0.0


def _object(response: httpx.Response) -> dict[str, Any]:
    try:
        message = response.json()
    except ValueError:
        return {}
    return message if isinstance(message, dict) else {}


def _reply(response: httpx.Response) -> Reply:
    message = _object(response)
    urls = message.get("put_urls")
    return Reply(
        go_on=message.get("continue") is not False,
        put_urls=tuple(url for url in urls if isinstance(url, dict)) if isinstance(urls, list) else (),
        taken=True,
    )
