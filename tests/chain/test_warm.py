"""The leases that `warm` asks for each minute, at the app that has to take them: what the operator is told, what lies in the
app's store, and what the platform was asked for are the same.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from ryla_modal.clock import SystemClock
from ryla_modal.families import FAMILIES, ceiling
from ryla_modal.warm import KEPT_WINDOW_S, MAX_LEASE_MS, WINDOW_S
from system import System, leases, until

# Of each of three endpoints one job. What an endpoint's dice say of holding is one in thirty for nothing; of all three it is not.
MODELS = {"flux": "flux-dev", "sdxl": "sdxl", "z_image": "z-image-simple"}
# `warm` comes five seconds into each minute and looks at the one before.
WITHIN_S = 140


@dataclass(frozen=True)
class Lease:
    """What was asked of a class, and what the app said of it."""

    floor: int
    window_s: float
    until_ms: int
    most: int | None = None


class Ahead(SystemClock):
    """A clock on which every lease of now is over."""

    def now_ms(self) -> int:
        return super().now_ms() + MAX_LEASE_MS


def told(ryla: System) -> dict[str, Lease]:
    """The leases that the operator is told of."""
    endpoints = ryla.ryla("warm", "status")[1]["endpoints"]
    return {
        one["class"]: Lease(one["floor"], one["window_seconds"], unix_ms(one["lease_until"]), one["max_containers"])
        for one in endpoints
        if one["lease_until"] is not None
    }


def kept(ryla: System) -> dict[str, Lease]:
    """The leases that lie in the app's store."""
    found = {name: ryla.gpu.store.get(f"warm/{name}") for name in FAMILIES}
    return {name: Lease(lease["floor"], lease["window_s"], lease["until"]) for name, lease in found.items() if isinstance(lease, dict)}


def unix_ms(iso: str) -> int:
    return round(datetime.fromisoformat(iso).timestamp() * 1000)


def test_the_app_takes_the_leases_that_the_system_asks_for_and_gives_them_back_when_they_are_over(ryla: System) -> None:
    jobs = [ryla.generate(900 + number, model=model) for number, model in enumerate(MODELS.values())]
    for job in jobs:
        out, _ = job.communicate(timeout=600)
        assert json.loads(out)["status"] == "succeeded"

    def taken() -> tuple[dict[str, Lease], dict[str, Lease]] | None:
        """Both sides, once they tell of the same leases, of all classes, one of them on a container that idles."""
        ours, theirs = told(ryla), kept(ryla)
        same = all(name in ours and name in theirs and ours[name].until_ms == theirs[name].until_ms for name in MODELS)
        return (ours, theirs) if same and any(theirs[name].floor for name in MODELS) else None

    ours, theirs = until(taken, WITHIN_S)
    for name in MODELS:
        lease, most = theirs[name], ceiling(FAMILIES[name], {})
        assert ours[name] == Lease(lease.floor, lease.window_s, lease.until_ms, most)
        assert 0 <= lease.floor <= most
        # Longer ones than these would not outlive their lease.
        assert WINDOW_S[0] <= lease.window_s <= KEPT_WINDOW_S
        assert (name, lease.floor, lease.window_s) in ryla.gpu.floors

    # As the scheduled function does when nobody has renewed them.
    before = len(ryla.gpu.floors)
    assert set(leases(ryla.gpu, Ahead()).lower()) == set(FAMILIES)
    given_back = {name: (floor, window_s) for name, floor, window_s in ryla.gpu.floors[before:] if floor == 0}
    assert given_back.keys() == FAMILIES.keys()
    assert all(given_back[name][1] in range(WINDOW_S[0], KEPT_WINDOW_S + 1) for name in MODELS)
