"""Who may run what: claims of runs over a shared dictionary whose only atomic step is "put unless there".

The web side claims a run before it spawns, the GPU side claims it again before it works; modal.Dict in production,
MemoryStore in tests. Entries die with modal.Dict's seven days, long after any job.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any, Protocol

from ryla_modal.wire import Run

STALE_MS = 60_000
TOMBSTONE = "cancelled"


class Store(Protocol):
    """The part of modal.Dict that is used."""

    def get(self, key: str) -> Any:  # noqa: ANN401
        """The value, or None."""

    def put(self, key: str, value: Any, *, skip_if_exists: bool = False) -> bool:  # noqa: ANN401
        """Whether the value was put."""

    def delete(self, key: str) -> None:
        """Removes the entry, if it is there."""


class MemoryStore:
    """A Store within one process."""

    def __init__(self) -> None:
        self._entries: dict[str, Any] = {}
        self._lock = threading.Lock()

    def get(self, key: str) -> Any:  # noqa: ANN401
        with self._lock:
            return self._entries.get(key)

    def put(self, key: str, value: Any, *, skip_if_exists: bool = False) -> bool:  # noqa: ANN401
        with self._lock:
            if skip_if_exists and key in self._entries:
                return False
            self._entries[key] = value
            return True

    def delete(self, key: str) -> None:
        with self._lock:
            self._entries.pop(key, None)


@dataclass(frozen=True)
class Won:
    """This caller spawns the run. `key` is the entry that it holds."""

    key: str


@dataclass(frozen=True)
class Known:
    """Somebody has it already; the call id, once it is there."""

    call_id: str | None


@dataclass(frozen=True)
class Cancelled:
    """It was cancelled before it arrived."""


@dataclass(frozen=True)
class Older:
    """A newer attempt of the job is known."""


@dataclass(frozen=True)
class Standing:
    """What the entries say of a run."""

    known: bool
    tombstone: bool
    cancelled: bool
    call_id: str | None
    begun: bool
    claimed_at_ms: int | None = None

    def stale(self, now_ms: int) -> bool:
        """Whether the claimer died or was refused before it spawned: the next submit takes the claim over."""
        return self.call_id is None and self.claimed_at_ms is not None and now_ms - self.claimed_at_ms > STALE_MS


class Claims:
    """The entries of all runs."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def acquire(self, run: Run, now_ms: int) -> Won | Known | Cancelled | Older:
        """Claims the run for one spawn: of any number of callers at once, one wins."""
        name = str(run)
        newest = self._store.get(f"{run.job_key}/newest")
        if self._store.get(name) is None and isinstance(newest, int) and newest > run.attempt:
            return Older()
        if self._store.put(name, {"at": now_ms}, skip_if_exists=True):
            if not isinstance(newest, int) or newest < run.attempt:
                self._store.put(f"{run.job_key}/newest", run.attempt)
            return Won(name)
        claim = self._store.get(name)
        if claim == TOMBSTONE:
            return Cancelled()
        call_id = self.call_id(run)
        if call_id is not None:
            return Known(call_id)
        # The claimer died between claim and spawn, or is slow.
        claim, takeovers = self._newest(name, claim)
        if not isinstance(claim, dict) or now_ms - claim["at"] <= STALE_MS:
            return Known(None)
        key = f"{name}/takeover/{takeovers + 1}"
        return Won(key) if self._store.put(key, {"at": now_ms}, skip_if_exists=True) else Known(self.call_id(run))

    def _newest(self, name: str, claim: object) -> tuple[object, int]:
        """The claim that counts, which is the newest take-over, and how many take-overs there are."""
        takeovers = 0
        while (taken := self._store.get(f"{name}/takeover/{takeovers + 1}")) is not None:
            claim, takeovers = taken, takeovers + 1
        return claim, takeovers

    def release(self, won: Won) -> None:
        """Gives a claim back whose spawn certainly did not happen."""
        self._store.delete(won.key)

    def spawned(self, run: Run, call_id: str) -> str:
        """Stores the call of the run; the first that was stored, if there is one."""
        self._store.put(f"{run}/call", call_id, skip_if_exists=True)
        return self.call_id(run) or call_id

    def call_id(self, run: Run) -> str | None:
        """The call that works on the run or, before any does, the one that was spawned first."""
        worker = self._store.get(f"{run}/run")
        if isinstance(worker, str) and worker != TOMBSTONE:
            return worker
        call = self._store.get(f"{run}/call")
        return call if isinstance(call, str) else None

    def begin(self, run: Run, call_id: str) -> bool:
        """The GPU side's own claim: False where another call has the run, or a cancel closed it."""
        key = f"{run}/run"
        return self._store.put(key, call_id, skip_if_exists=True) or self._store.get(key) == call_id

    def bury(self, run: Run) -> bool:
        """Leaves a tombstone for a run that was never heard of; False if it is known after all."""
        return self._store.put(str(run), TOMBSTONE, skip_if_exists=True)

    def close(self, run: Run) -> bool:
        """Cancels a known run. True: no worker had begun, and none ever will."""
        self._store.put(f"{run}/cancel", True)
        key = f"{run}/run"
        return self._store.put(key, TOMBSTONE, skip_if_exists=True) or self._store.get(key) == TOMBSTONE

    def stopped(self, run: Run) -> bool:
        """Whether somebody asked to stop it."""
        return bool(self._store.get(f"{run}/cancel"))

    def standing(self, run: Run) -> Standing:
        claim = self._store.get(str(run))
        worker = self._store.get(f"{run}/run")
        tombstone = claim == TOMBSTONE
        call_id = None if tombstone else self.call_id(run)
        newest = self._newest(str(run), claim)[0] if isinstance(claim, dict) and call_id is None else None
        return Standing(
            known=claim is not None,
            tombstone=tombstone,
            cancelled=tombstone or worker == TOMBSTONE or self.stopped(run),
            call_id=call_id,
            begun=isinstance(worker, str) and worker != TOMBSTONE,
            claimed_at_ms=newest["at"] if isinstance(newest, dict) else None,
        )

    def drain(self, on: bool) -> None:
        """From now on nothing new is taken, or it is again."""
        self._store.put("draining", on)

    def draining(self) -> bool:
        return bool(self._store.get("draining"))
