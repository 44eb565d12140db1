"""The warm lease: it outlives who took it."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from fakes import Floors, ManualClock, Stand
from ryla_modal.claims import MemoryStore
from ryla_modal.warm import Leases
from ryla_modal.web import build_web

PERIOD_S = 60


def body(clock: ManualClock, floor: int = 2) -> dict[str, Any]:
    return {"v": 1, "classes": {"flux": {"floor": floor, "window_s": 120}}, "lease_until": clock.now_ms() + 180_000}


def test_a_floor_falls_after_its_lease_though_the_web_side_is_gone() -> None:
    stand = Stand()
    answer = TestClient(build_web(stand.side)).post("/v1/warm", json=body(stand.clock))
    assert (answer.status_code, stand.floors.floor) == (200, {"flux": 2})
    store, clock, floors = stand.store, stand.clock, stand.floors
    del stand, answer
    # Nothing of the web side is left: the scheduled function has the store, a clock and the platform.
    scheduled = Leases(store, clock, {"flux": 4, "sdxl": 2}, floors.set)
    seen = []
    for _ in range(4):
        scheduled.lower()
        seen.append((floors.floor["flux"], floors.window_s["flux"]))
        clock.advance(PERIOD_S)
    # The window ends with the lease too: it was asked for together with the floor.
    assert seen == [(2, 120), (2, 120), (2, 120), (0, 60)]
    assert clock.monotonic() - Stand().clock.monotonic() == 180 + PERIOD_S


def test_a_floor_without_any_lease_is_lowered_too() -> None:
    floors = Floors()
    floors.floor["sdxl"] = 2
    assert Leases(MemoryStore(), ManualClock(), {"sdxl": 2}, floors.set).lower() == ["sdxl"]
    assert floors.floor == {"sdxl": 0}


def test_a_process_that_dies_between_lease_and_floor_leaves_nothing_behind() -> None:
    store, clock, floors = MemoryStore(), ManualClock(), Floors()

    def die(name: str, floor: int, window_s: int | None) -> None:
        floors.set(name, floor, window_s)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Leases(store, clock, {"flux": 4}, die).take(body(clock))
    clock.advance(181)
    Leases(store, clock, {"flux": 4}, floors.set).lower()
    assert floors.floor == {"flux": 0}


def test_a_renewal_while_the_floor_is_being_lowered_wins() -> None:
    store, clock, floors = MemoryStore(), ManualClock(), Floors()
    web = Leases(store, clock, {"flux": 4}, floors.set)

    def renewed_meanwhile(name: str, floor: int, window_s: int | None) -> None:
        if floor == 0:
            web.take(body(clock, 3))
        floors.set(name, floor, window_s)

    assert Leases(store, clock, {"flux": 4}, renewed_meanwhile).lower() == []
    assert floors.floor == {"flux": 3}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"lease_until": 1}, "lease_until"),
        ({"lease_until": 9_999_999_999_999}, "lease_until"),
        ({"classes": {}}, "classes"),
        ({"classes": {"nope": {"floor": 1}}}, "classes.nope"),
        ({"classes": {"flux": {"floor": 5}}}, "classes.flux.floor"),
        ({"classes": {"flux": {"floor": -1}}}, "classes.flux.floor"),
        ({"classes": {"flux": {"floor": 1, "window_s": "x"}}}, "classes.flux.window_s"),
    ],
)
def test_a_lease_that_does_not_fit_is_refused_whole(change: dict[str, Any], named: str) -> None:
    stand = Stand()
    answer = TestClient(build_web(stand.side)).post("/v1/warm", json=body(stand.clock) | change)
    assert answer.status_code == 422
    assert answer.json()["message"].startswith(f"{named}: ")
    assert stand.floors.floor == {}
