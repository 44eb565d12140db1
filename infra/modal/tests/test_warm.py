"""The warm lease: it outlives who took it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from fakes import FIXTURES, Floors, ManualClock, Stand, fixture
from ryla_modal.claims import MemoryStore
from ryla_modal.warm import Leases
from ryla_modal.web import build_web
from ryla_modal.wire import Refused

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
    begun = clock.monotonic()
    while clock.monotonic() < begun + 180:
        assert (floors.floor["flux"], floors.window_s["flux"]) == (2, 120)
        lowered = scheduled.watch()
        clock.advance(max(0, PERIOD_S - (clock.monotonic() - begun) % PERIOD_S))
    # The window stays, for whoever used the last container.
    assert (lowered, floors.floor["flux"], floors.window_s["flux"]) == (["flux", "sdxl"], 0, 120)


def leased(leases: Leases, clock: ManualClock, **asked: int) -> None:
    leases.take({"classes": {"flux": asked}, "lease_until": clock.now_ms() + 180_000})


@pytest.mark.parametrize(("window_s", "stays_s"), [(2, 2), (5, 5), (120, 120), (121, 60), (1200, 60)])
def test_a_short_window_outlives_its_lease_and_a_long_one_does_not(window_s: int, stays_s: int) -> None:
    clock, floors = ManualClock(), Floors()
    leases = Leases(MemoryStore(), clock, {"flux": 4, "sdxl": 2}, floors.set)
    leased(leases, clock, floor=0, window_s=window_s)
    assert leases.lower() == ["sdxl"]
    assert floors.window_s == {"flux": window_s, "sdxl": 60}
    # Until another lease says otherwise, and for as long as it takes.
    for _ in range(3):
        clock.advance(600)
        assert set(leases.lower()) == {"flux", "sdxl"}
        assert (floors.floor["flux"], floors.window_s["flux"]) == (0, stays_s)
    leased(leases, clock, floor=1)
    assert (floors.floor["flux"], floors.window_s["flux"]) == (1, stays_s)
    clock.advance(600)
    leases.lower()
    assert floors.window_s["flux"] == stays_s
    leased(leases, clock, floor=1, window_s=30)
    clock.advance(600)
    leases.lower()
    assert floors.window_s["flux"] == 30


def test_a_renewal_that_leaves_the_window_out_keeps_a_long_one() -> None:
    clock, floors = ManualClock(), Floors()
    leases = Leases(MemoryStore(), clock, {"flux": 4}, floors.set)
    leased(leases, clock, floor=1, window_s=600)
    clock.advance(60)
    leased(leases, clock, floor=2)
    assert (leases.lower(), floors.floor, floors.window_s) == ([], {"flux": 2}, {"flux": 600})
    clock.advance(600)
    leases.lower()
    assert (floors.floor, floors.window_s) == ({"flux": 0}, {"flux": 60})


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


REFUSED = json.loads((FIXTURES.parent / "warm/refused.json").read_text())


def leases(floors: Floors) -> Leases:
    return Leases(MemoryStore(), ManualClock(REFUSED["now"]), REFUSED["max"], floors.set)


@pytest.mark.parametrize("row", REFUSED["refused"], ids=lambda row: json.dumps(row["change"]))
def test_a_lease_that_does_not_fit_is_refused_whole(row: dict[str, Any]) -> None:
    floors = Floors()
    with pytest.raises(Refused) as refused:
        leases(floors).take(fixture("warm") | row["change"])
    body = refused.value.body()
    assert (refused.value.status, body["code"]) == (422, "invalid_input")
    assert body["message"].startswith(f"{row['field']}: ")
    assert body.get("max") == row.get("max")
    assert floors.floor == {}


@pytest.mark.parametrize(("asked", "held"), REFUSED["windows"])
def test_a_window_is_cut_to_its_bounds(asked: int | None, held: int | None) -> None:
    floors = Floors()
    leases(floors).take(fixture("warm") | {"classes": {"flux": {"floor": 1, "window_s": asked}}})
    assert floors.window_s.get("flux") == held


@pytest.mark.parametrize("classes", [None, [], ["flux"], "flux", 1])
def test_classes_that_are_no_object_are_refused(classes: object) -> None:
    with pytest.raises(Refused) as refused:
        leases(Floors()).take(fixture("warm") | {"classes": classes})
    assert (refused.value.status, refused.value.body()["message"]) == (422, "classes: must be an object")


@pytest.mark.parametrize("there", ["nonsense", {"floor": 3, "window_s": None, "until": 1}])
def test_what_lies_in_the_store_in_another_form_holds_nothing(there: object) -> None:
    store, floors = MemoryStore(), Floors()
    store.put("warm/flux", there)
    assert Leases(store, ManualClock(), {"flux": 4}, floors.set).watch() == ["flux"]
    assert (floors.floor, floors.window_s) == ({"flux": 0}, {"flux": 60})


def test_a_lease_that_an_older_app_wrote_without_a_window_is_understood() -> None:
    store, clock, floors = MemoryStore(), ManualClock(), Floors()
    store.put("warm/flux", {"floor": 0, "window_s": None, "until": clock.now_ms() + 40_000})
    assert Leases(store, clock, {"flux": 4}, floors.set).watch() == []
    assert clock.slept == []


def test_answers_are_those_of_the_fixtures() -> None:
    assert leases(Floors()).take(fixture("warm")) == fixture("warm-reply")
    too_high = {"classes": {"flux": {"floor": 5}}}
    with pytest.raises(Refused) as refused:
        leases(Floors()).take(fixture("warm") | too_high)
    assert refused.value.body() == fixture("refusal-warm")


def test_the_route_answers_422() -> None:
    stand = Stand()
    answer = TestClient(build_web(stand.side)).post("/v1/warm", json=body(stand.clock, floor=5))
    assert (answer.status_code, answer.json()["max"]) == (422, {"flux": 4})
