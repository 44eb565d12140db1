"""What the tests put in the place of time, of Modal's functions and of the network."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

from ryla_modal.calls import Outcome, Pending, TooDeep
from ryla_modal.claims import Claims, MemoryStore
from ryla_modal.places import Places
from ryla_modal.warm import Leases
from ryla_modal.web import WebSide
from ryla_modal.workflow import load

FIXTURES = Path(__file__).resolve().parents[3] / "tests/fixtures/v1/modal"
NOW_MS = 1_763_718_310_000
PUBLIC = "93.184.216.34"


def fixture(name: str) -> dict[str, Any]:
    message: dict[str, Any] = json.loads((FIXTURES / f"{name}.json").read_text())
    return message


class ManualClock:
    """Time that passes only when somebody sleeps or a test says so."""

    def __init__(self, now_ms: int = NOW_MS) -> None:
        self._now_ms = now_ms
        self.slept: list[float] = []
        self.lock = threading.Lock()

    def now_ms(self) -> int:
        return self._now_ms

    def monotonic(self) -> float:
        return self._now_ms / 1000

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        with self.lock:
            self._now_ms += round(seconds * 1000)


class FakeCalls:
    """Modal's function calls, as a list."""

    def __init__(self) -> None:
        self.spawned: list[tuple[str, str, dict[str, Any]]] = []
        self.outcomes: dict[str, Outcome] = {}
        self.stopped: list[str] = []
        self.deep = False
        self.waits = 0
        self._lock = threading.Lock()

    def spawn(self, family: str, job: dict[str, Any], accepted_ms: int) -> str:
        if self.deep:
            raise TooDeep
        with self._lock:
            call_id = f"fc-{len(self.spawned) + 1}"
            self.spawned.append((call_id, family, job))
            return call_id

    def look(self, call_id: str) -> Outcome:
        return self.outcomes.get(call_id, Pending())

    def stop(self, call_id: str) -> None:
        self.stopped.append(call_id)

    def waiting(self, family: str) -> int:
        return self.waits


class Floors:
    """The platform's autoscaler."""

    def __init__(self) -> None:
        self.floor: dict[str, int] = {}
        self.window_s: dict[str, int] = {}

    def set(self, name: str, floor: int, window_s: int | None) -> None:
        self.floor[name] = floor
        if window_s is not None:
            self.window_s[name] = window_s


def places() -> Places:
    return Places(resolve=lambda host: [PUBLIC])


class Stand:
    """A web side with everything around it in memory."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.clock = ManualClock()
        self.claims = Claims(self.store)
        self.calls = FakeCalls()
        self.floors = Floors()
        self.lacks: dict[str, list[str]] = {}
        self.starts: dict[str, dict[str, int]] = {}
        self.leases = Leases(self.store, self.clock, {"flux": 4, "sdxl": 2}, self.floors.set)
        self.side = WebSide(
            claims=self.claims,
            calls=self.calls,
            clock=self.clock,
            places=places(),
            leases=self.leases,
            workflows={name: load(name) for name in ("face-swap", "flux-dev", "sdxl-instantid", "flux-lora", "wan2")},
            missing=lambda: self.lacks,
            starts=lambda: self.starts,
        )
