"""Warm containers as a lease: "n of this class until then". The lease lies in the store and outlives the process that
took it; `watch`, called every minute by a scheduled function, ends every floor at the end of its lease.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ryla_modal.claims import Store
from ryla_modal.clock import Clock
from ryla_modal.wire import V, invalid

# The caller renews every minute for 180 s; anything much longer is a mistake that would cost money.
MAX_LEASE_MS = 15 * 60_000
WINDOW_S = (2, 1200)
# How long an idle container stays where no lease has said anything else.
IDLE_WINDOW_S = 60
# The longest window that outlives its lease: whatever idled since a lease of 180 s was taken has gone when it ends.
KEPT_WINDOW_S = 120
# From one look of the scheduled function to the next, and by how much the platform may begin one late.
LOOK_S = 60
LATE_S = 15

SetFloor = Callable[[str, int, int | None], None]


class Leases:
    """`ceilings`: the most containers of each class. `set_floor(class, floor, window_s)` asks the platform."""

    def __init__(self, store: Store, clock: Clock, ceilings: Mapping[str, int], set_floor: SetFloor) -> None:
        self._store = store
        self._clock = clock
        self._ceilings = ceilings
        self._set_floor = set_floor

    def take(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Takes or renews leases: `{classes: {name: {floor, window_s}}, lease_until}` (unix milliseconds)."""
        now_ms = self._clock.now_ms()
        until = message.get("lease_until")
        if not isinstance(until, int) or not now_ms < until <= now_ms + MAX_LEASE_MS:
            raise invalid("lease_until", "must be unix milliseconds within the next 15 minutes")
        classes = message.get("classes")
        if not isinstance(classes, dict) or not classes:
            raise invalid("classes", "must be an object")
        wanted = {name: self._wanted(name, value) for name, value in classes.items()}
        for name, (floor, window_s) in wanted.items():
            # Left out it is as before, and `lower` has to find that too.
            kept_s = self._window_of(name) if window_s is None else window_s
            # The lease first: if this process dies before the next line, the scheduled function finds it.
            self._store.put(f"warm/{name}", {"floor": floor, "window_s": kept_s, "until": until})
            self._set_floor(name, floor, window_s)
        held = {name: {"floor": floor, "max": self._ceilings[name]} for name, (floor, _) in wanted.items()}
        return {"v": V, "classes": held}

    def watch(self) -> list[str]:
        """Looks now, and again at the end of each lease that ends before the next call of this has begun; names what it lowered.

        A lease that is renewed in time never has so little left, so that this waits only once its holder is silent.
        """
        horizon = self._clock.monotonic() + LOOK_S + LATE_S
        lowered: set[str] = set()
        failed: list[Exception] = []
        while True:
            # Asked before the look: what ends between the two is looked at once more.
            end_ms = self._next_end_ms()
            try:
                lowered.update(self.lower())
            except ExceptionGroup as group:
                failed.extend(group.exceptions)
            if end_ms is None:
                break
            wait_s = max(0, end_ms - self._clock.now_ms()) / 1000
            if self._clock.monotonic() + wait_s > horizon:
                break
            self._clock.sleep(wait_s)
        if failed:
            raise ExceptionGroup("floors that could not be lowered", failed)
        return sorted(lowered)

    def _next_end_ms(self) -> int | None:
        """When the first lease ends that keeps a container which would go without it."""
        live = [lease for lease in map(self._live, self._ceilings) if lease is not None]
        ends = [lease["until"] for lease in live if lease["floor"] > 0 or (lease["window_s"] or 0) > KEPT_WINDOW_S]
        return min(ends, default=None)

    def lower(self) -> list[str]:
        """Sets the floor 0 wherever no lease holds, also where none was ever found; names those classes. One that fails holds up
        no other: its fault is raised when all have been looked at.
        """
        lowered, failed = [], []
        for name in self._ceilings:
            try:
                if self._lower(name):
                    lowered.append(name)
            except Exception as error:
                failed.append(error)
        if failed:
            raise ExceptionGroup("floors that could not be lowered", failed)
        return lowered

    def _lower(self, name: str) -> bool:
        if self._live(name) is not None:
            return False
        # A short window stays: whoever asked for it has no more to say of a class that nobody uses.
        self._set_floor(name, 0, self._window_of(name))
        # A renewal between the look and the step would be undone by it.
        renewed = self._live(name)
        if renewed is not None:
            self._set_floor(name, renewed["floor"], renewed["window_s"])
        return renewed is None

    def _lease(self, name: str) -> dict[str, Any] | None:
        """The last lease of the class, which may be over."""
        lease = self._store.get(f"warm/{name}")
        return lease if isinstance(lease, dict) else None

    def _live(self, name: str) -> dict[str, Any] | None:
        lease = self._lease(name)
        return lease if lease is not None and lease["until"] > self._clock.now_ms() else None

    def _window_of(self, name: str) -> int:
        """The window that holds: the last lease's, of which a long one ends with it. Containers would idle, and cost, for as long."""
        lease = self._lease(name)
        window_s = None if lease is None else lease["window_s"]
        if lease is None or not isinstance(window_s, int):
            return IDLE_WINDOW_S
        live = lease["until"] > self._clock.now_ms()
        return window_s if live or window_s <= KEPT_WINDOW_S else IDLE_WINDOW_S

    def _wanted(self, name: str, value: object) -> tuple[int, int | None]:
        ceiling = self._ceilings.get(name)
        if ceiling is None:
            raise invalid(f"classes.{name}", "is not a class of this app")
        floor = value.get("floor") if isinstance(value, dict) else None
        if isinstance(floor, bool) or not isinstance(floor, int) or not 0 <= floor <= ceiling:
            refused = invalid(f"classes.{name}.floor", f"must be 0 to {ceiling}")
            if isinstance(floor, int) and floor > ceiling:
                # The caller learns what it may ask for.
                refused.maximum = {name: ceiling}
            raise refused
        window_s = value.get("window_s") if isinstance(value, dict) else None
        if window_s is not None and (isinstance(window_s, bool) or not isinstance(window_s, int)):
            raise invalid(f"classes.{name}.window_s", "must be whole seconds")
        return floor, None if window_s is None else max(WINDOW_S[0], min(WINDOW_S[1], window_s))
