"""A second, slow and plain model of warm containers, which shared/replay is compared with.

Run by shared/replay/tests/reference.rs: `reference.py TRACE.csv` prints JSON, by endpoint mode, value of a
cold wait and policy: total_usd_per_1000, cold_share, idle_gpu_hours. Written from the description in
docs/WARM.md and not from the Rust code; standard library only.
"""

import csv
import heapq
import json
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

BOOT, SERVICE, PRICE, MOST = 45.0, 20.0, 2.5 / 3600, 20
END, BOOTED, RELEASE, ARRIVAL, TICK = range(5)


@dataclass
class Container:
    """`free_since` counts idle seconds, `used_at` is what the window counts from."""

    free_since: float = math.inf
    used_at: float = math.inf


@dataclass
class Result:
    """What one endpoint came to."""

    idle: float = 0.0
    boots: int = 0
    waits: list[float] = field(default_factory=list)


class Rule:
    """No floor, no ping: the window decides."""

    def __init__(self, window: float) -> None:
        """Idle containers are released so many seconds after their last use."""
        self.window = window

    def arrival(self, now: float, quiet_since: float | None) -> None:
        """A request comes; `quiet_since` where nothing runs or waits."""

    def quiet(self, now: float) -> None:
        """Nothing runs or waits any more."""

    def order(self, now: float, busy: bool) -> tuple[int, bool]:  # noqa: ARG002  rules differ in what they look at
        """Floor and ping for the minute that begins."""
        return 0, False


class Always(Rule):
    """One container at any time."""

    def order(self, now: float, busy: bool) -> tuple[int, bool]:  # noqa: ARG002  rules differ in what they look at
        return 1, False


class Cron(Rule):
    """A ping in every fifth minute from 17 to 2 o'clock."""

    def order(self, now: float, busy: bool) -> tuple[int, bool]:  # noqa: ARG002  rules differ in what they look at
        hour = now % 86400 / 3600
        return 0, (hour >= 17 or hour < 2) and now % 300 < 60


class Hybrid(Rule):
    """Histogram of idle minutes, four hours long; hold between its 5th and 99th percentile."""

    def __init__(self, window: float) -> None:
        """Nothing is known yet."""
        super().__init__(window)
        self.minutes: list[int] = []
        self.beyond = 0
        self.hold: tuple[float, float] | None = None

    def arrival(self, now: float, quiet_since: float | None) -> None:
        if quiet_since is not None:
            minute = int((now - quiet_since) // 60)
            if minute < 240:
                self.minutes.append(minute)
            else:
                self.beyond += 1
        self.hold = None

    def quiet(self, now: float) -> None:
        skip, keep = 0.0, 14400.0
        bins = [0] * 240
        for minute in self.minutes:
            bins[minute] += 1
        known = len(self.minutes)
        mean = known / 240
        spread = math.sqrt(sum((count - mean) ** 2 for count in bins) / 240)
        if known >= 10 and self.beyond <= known and spread >= 2 * mean:
            ranked = sorted(self.minutes)
            skip = ranked[max(math.ceil(0.05 * known), 1) - 1] * 60 * 0.9
            keep = (ranked[math.ceil(0.99 * known) - 1] + 1) * 60 * 1.1
        skip = max(skip - BOOT - 60, 0) if skip > BOOT + 120 else 0
        self.hold = (now + skip, now + max(keep, skip + 60))

    def order(self, now: float, busy: bool) -> tuple[int, bool]:
        held = self.hold is not None and self.hold[0] <= now <= self.hold[1]
        return (1 if held and not busy else 0), False


def replay(arrivals: list[float], rule: Rule) -> Result:
    """Plays one endpoint, event by event from one heap; at the same instant in the order of the kinds."""
    result = Result()
    heap: list[tuple[float, int, int]] = [(at, ARRIVAL, n) for n, at in enumerate(arrivals)]
    minute = arrivals[0] // 60 * 60
    while minute <= arrivals[-1]:
        heap.append((minute, TICK, 0))
        minute += 60
    heapq.heapify(heap)
    idle: list[Container] = []
    running = booting = floor = left = 0
    line: list[float] = []
    quiet_since: float | None = None
    left = len(arrivals)

    def boot(now: float) -> None:
        nonlocal booting
        booting += 1
        result.boots += 1
        heapq.heappush(heap, (now + BOOT, BOOTED, 0))

    def free(now: float) -> None:
        nonlocal running
        if line:
            result.waits.append(now - line.pop(0))
            running += 1
            heapq.heappush(heap, (now + SERVICE, END, 0))
        else:
            idle.append(Container(now, now))
            heapq.heappush(heap, (now + rule.window, RELEASE, 0))

    def release(now: float) -> None:
        while idle and len(idle) + running + booting > floor and idle[0].used_at + rule.window <= now + 1e-9:
            result.idle += now - idle.pop(0).free_since

    while heap:
        now, kind, _ = heapq.heappop(heap)
        if kind == END:
            running -= 1
            free(now)
            if not running and not line:
                quiet_since = now
                rule.quiet(now)
        elif kind == BOOTED:
            booting -= 1
            free(now)
        elif kind == RELEASE:
            release(now)
        elif kind == ARRIVAL:
            left -= 1
            rule.arrival(now, None if running or line else quiet_since)
            if idle:
                result.idle += now - idle.pop().free_since
                result.waits.append(0.0)
                running += 1
                heapq.heappush(heap, (now + SERVICE, END, 0))
            else:
                line.append(now)
                if booting < len(line) and len(idle) + running + booting < MOST:
                    boot(now)
        elif left:
            floor, ping = rule.order(now, bool(running or line))
            if ping and idle:
                idle[-1].used_at = now
                heapq.heappush(heap, (now + rule.window, RELEASE, 0))
            elif ping and not running and not booting:
                boot(now)
            release(now)
            while len(idle) + running + booting < floor:
                boot(now)
    result.idle += len(idle) * rule.window
    return result


def clairvoyant(arrivals: list[float]) -> tuple[float, int]:
    """Idle seconds and boots where each gap below a boot is held and each other one booted through."""
    free: list[float] = []
    busy: list[float] = []
    idle, boots = 0.0, 0
    for at in arrivals:
        while busy and busy[0] <= at:
            free.append(heapq.heappop(busy))
        if free and at - free[-1] < BOOT:
            idle += at - free.pop()
        else:
            boots += 1
        heapq.heappush(busy, at + SERVICE)
    return idle, boots


def figures(idle: float, boots: float, waits: list[float], value: float) -> dict[str, float]:
    """The three figures that are compared."""
    cold_waits = sum(min(wait, BOOT) / BOOT for wait in waits)
    usd = (idle + boots * BOOT) * PRICE + cold_waits * value
    return {
        "total_usd_per_1000": usd / len(waits) * 1000,
        "cold_share": sum(wait > 1 for wait in waits) / len(waits),
        "idle_gpu_hours": idle / 3600,
    }


def main(path: str) -> None:
    """Plays every policy in both endpoint modes at three values of a cold wait."""
    by_name: dict[str, list[float]] = {}
    with Path(path).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            by_name.setdefault(row["endpoint"], []).append(float(row["timestamp_s"]))
    everything = sorted(at for arrivals in by_name.values() for at in arrivals)
    modes = {"each": [sorted(arrivals) for arrivals in by_name.values()], "all": [everything]}
    report: dict[str, dict[str, float]] = {}
    for mode, endpoints in modes.items():
        for value in (0.01, 0.05, 0.25):
            rules: dict[str, tuple[Callable[[float], Rule], float]] = {
                "never-20": (Rule, 20),
                "never-60": (Rule, 60),
                "never-300": (Rule, 300),
                "always-1": (Always, 60),
                "cron": (Cron, 60),
                "cron-300": (Cron, 300),
                "hybrid": (Hybrid, 60),
                "ski-rental": (Rule, value / PRICE + BOOT),
            }
            for name, (rule, window) in rules.items():
                results = [replay(arrivals, rule(window)) for arrivals in endpoints]
                idle = sum(result.idle for result in results)
                if name == "always-1":
                    idle += sum(a[0] - everything[0] + everything[-1] - a[-1] for a in endpoints)
                waits = [wait for result in results for wait in result.waits]
                boots = sum(result.boots for result in results)
                report[f"{mode} {value} {name}"] = figures(idle, boots, waits, value)
            bounds = [clairvoyant(arrivals) for arrivals in endpoints]
            idle, boots = sum(b[0] for b in bounds), sum(b[1] for b in bounds)
            report[f"{mode} {value} clairvoyant"] = figures(idle, boots, [0.0] * len(everything), value)
    json.dump(report, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
