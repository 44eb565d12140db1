"""The scheduled function against the clock: a floor falls at the end of its lease, and not while its holder lives."""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from fakes import Floors, ManualClock
from ryla_modal.claims import MemoryStore
from ryla_modal.warm import IDLE_WINDOW_S, LATE_S, LOOK_S, MAX_LEASE_MS, Leases

LEASE_S = 180
# What `warm` says: a tick a minute, which begins to ask within that many seconds, and then asks for so long at most.
TICK_S, SPREAD_S, ASKS_S = 60, 5, 10


class Timeline(ManualClock):
    """Time in which others act while somebody sleeps."""

    def __init__(self) -> None:
        super().__init__()
        self._begun = self.monotonic()
        self._events: list[tuple[float, int, Callable[[], object]]] = []
        self._number = itertools.count()

    def seconds(self) -> float:
        """Since the beginning."""
        return round(self.monotonic() - self._begun, 3)

    def at(self, second: float, act: Callable[[], object]) -> None:
        heapq.heappush(self._events, (second, next(self._number), act))

    def advance(self, seconds: float) -> None:
        end = self.seconds() + seconds
        while self._events and self._events[0][0] <= end:
            second, _, act = heapq.heappop(self._events)
            super().advance(max(0.0, second - self.seconds()))
            act()
        super().advance(end - self.seconds())


class Watched:
    """An app with its scheduled function, whose first look is at `phase`; each look begins late by what `late` says."""

    def __init__(self, phase: int, late: Iterator[float]) -> None:
        self.clock = Timeline()
        self.store = MemoryStore()
        self.floors = Floors()
        self.floors.floor["flux"] = 0
        self.changes: list[tuple[float, int, int | None]] = []
        self.windows: list[tuple[float, int | None]] = []
        self.phase = phase
        self.late = late
        self.web = Leases(self.store, self.clock, {"flux": 4, "sdxl": 2}, self.set)

    def set(self, name: str, floor: int, window_s: int | None) -> None:
        if name == "flux" and self.floors.floor.get(name) != floor:
            self.changes.append((self.clock.seconds(), floor, window_s))
        if name == "flux" and self.floors.window_s.get(name) != window_s:
            self.windows.append((self.clock.seconds(), window_s))
        self.floors.set(name, floor, window_s)

    def lease(self, floor: int = 2, window_s: int = 120, lease_s: int = LEASE_S) -> None:
        until = self.clock.now_ms() + lease_s * 1000
        self.web.take({"classes": {"flux": {"floor": floor, "window_s": window_s}}, "lease_until": until})

    def run(self, until_s: int) -> None:
        """Looks, one after the other, as one container runs them."""
        scheduled = Leases(self.store, self.clock, {"flux": 4, "sdxl": 2}, self.set)
        for due in range(self.phase, until_s, LOOK_S):
            self.clock.advance(max(0.0, due + next(self.late) - self.clock.seconds()))
            scheduled.watch()
        self.clock.advance(max(0.0, until_s - self.clock.seconds()))


def punctual() -> Iterator[float]:
    return itertools.repeat(0.0)


def unpunctual(seed: int) -> Iterator[float]:
    dice = random.Random(seed)  # noqa: S311
    return iter(lambda: dice.uniform(0, LATE_S), None)


@pytest.mark.parametrize("late", [punctual, lambda: itertools.repeat(float(LATE_S)), lambda: unpunctual(7)])
@pytest.mark.parametrize("window_s", [2, 120, 121, 1200])
def test_who_renews_dies_and_the_floor_is_down_three_minutes_later_at_every_phase(
    late: Callable[[], Iterator[float]], window_s: int
) -> None:
    for phase in range(LOOK_S):
        watched = Watched(phase, late())
        watched.lease(window_s=window_s)
        watched.run(600)
        stays_s = window_s if window_s <= 120 else IDLE_WINDOW_S
        assert watched.changes == [(0, 2, window_s), (LEASE_S, 0, stays_s)], phase


def test_a_long_window_without_a_floor_ends_with_its_lease_at_every_phase() -> None:
    for phase in range(LOOK_S):
        watched = Watched(phase, punctual())
        watched.lease(floor=0, window_s=600)
        watched.run(300)
        assert watched.windows == [(0, 600), (LEASE_S, IDLE_WINDOW_S)], phase


@pytest.mark.parametrize("seed", range(8))
def test_who_renews_each_minute_may_miss_a_tick_and_never_loses_its_floor(seed: int) -> None:
    for phase in range(LOOK_S):
        dice = random.Random(seed * 100 + phase)  # noqa: S311
        watched = Watched(phase, unpunctual(seed))
        missed = set(range(dice.randint(1, 5), 40, dice.randint(2, 4)))
        for tick in range(40):
            # The worst that may be: a punctual tick, a missed one, and one that asks as late as it can.
            jitter = 0 if tick + 1 in missed else SPREAD_S + ASKS_S if tick - 1 in missed else dice.uniform(0, SPREAD_S)
            if tick not in missed:
                watched.clock.at(tick * TICK_S + jitter, watched.lease)
        watched.run(38 * TICK_S)
        assert [floor for _, floor, _ in watched.changes] == [2], (phase, watched.changes)


def test_nobody_waits_for_the_end_of_a_lease_that_is_renewed_in_time_or_holds_nothing() -> None:
    for phase in range(LOOK_S):
        watched = Watched(phase, punctual())
        # Renewed each minute, and then once more with nothing to hold.
        for tick in range(5):
            watched.clock.at(tick * TICK_S, partial(watched.lease, floor=2, window_s=600))
        watched.clock.at(5 * TICK_S, partial(watched.lease, floor=0, window_s=120))
        watched.run(10 * TICK_S)
        assert watched.clock.slept == [], phase


def test_leases_that_end_one_after_the_other_are_each_waited_for() -> None:
    watched = Watched(0, punctual())
    ends: list[tuple[float, str]] = []

    def fell(name: str, floor: int, window_s: int | None) -> None:
        if floor == 0 and watched.floors.floor.get(name) != 0:
            ends.append((watched.clock.seconds(), name))
        watched.floors.set(name, floor, window_s)

    watched.web = Leases(watched.store, watched.clock, {"flux": 4, "sdxl": 2}, fell)
    now_ms = watched.clock.now_ms()
    for name, lease_s in (("flux", 31), ("sdxl", 74)):
        watched.web.take({"classes": {name: {"floor": 1}}, "lease_until": now_ms + lease_s * 1000})
    assert Leases(watched.store, watched.clock, {"flux": 4, "sdxl": 2}, fell).watch() == ["flux", "sdxl"]
    assert ends == [(31, "flux"), (74, "sdxl")]


def test_a_class_that_cannot_be_lowered_holds_up_no_other_and_is_told_at_the_end() -> None:
    watched = Watched(0, punctual())
    classes = {name: {"floor": 1, "window_s": 120} for name in ("flux", "sdxl")}
    watched.web.take({"classes": classes, "lease_until": watched.clock.now_ms() + 30_000})
    asked: list[str] = []

    def broken(name: str, floor: int, window_s: int | None) -> None:
        asked.append(name)
        if name == "flux":
            raise ConnectionError("the platform")

    with pytest.raises(ExceptionGroup) as told:
        Leases(watched.store, watched.clock, {"flux": 4, "sdxl": 2}, broken).watch()
    assert watched.clock.slept == [30]
    assert asked == ["flux", "sdxl"]
    assert [str(error) for error in told.value.exceptions] == ["the platform"]


def test_no_look_waits_longer_than_until_the_next_one() -> None:
    watched = Watched(0, punctual())
    watched.lease(lease_s=MAX_LEASE_MS // 1000)
    watched.web.watch()
    assert watched.clock.slept == []
    watched.clock.advance(MAX_LEASE_MS // 1000 - LOOK_S - LATE_S - 1)
    watched.web.watch()
    assert watched.clock.slept == []
    watched.clock.advance(1)
    watched.web.watch()
    assert watched.clock.slept == [LOOK_S + LATE_S]


def test_a_lease_that_ends_while_it_is_looked_at_is_lowered_all_the_same() -> None:
    class Hurrying(ManualClock):
        """Time passes with every look at it."""

        def now_ms(self) -> int:
            self.advance(0.1)
            return super().now_ms()

    for lease_ms in range(150, 1_500, 50):
        clock, floors = Hurrying(), Floors()
        leases = Leases(MemoryStore(), clock, {"flux": 4}, floors.set)
        leases.take({"classes": {"flux": {"floor": 1}}, "lease_until": clock.now_ms() + lease_ms})
        assert leases.watch() == ["flux"]
        assert all(seconds >= 0 for seconds in clock.slept), clock.slept
