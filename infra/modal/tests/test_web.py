"""The web side, through its routes."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from starlette.testclient import TestClient

from fakes import FakeCalls, Stand, fixture
from ryla_modal.calls import Broken, Finished, Gone
from ryla_modal.claims import Claims, Known, Won
from ryla_modal.places import Places
from ryla_modal.web import build_web, cancel_run, run_status
from ryla_modal.wire import Run

RUN = "acme.7kq2m4xv5r6tzwbc3nayjhd4pf.1"

PARAMS = fixture("submit")["params"]
OUTPUT = fixture("submit")["outputs"][0]
FILE = fixture("submit-input-url")["inputs"][0]


@pytest.fixture
def stand() -> Stand:
    return Stand()


@pytest.fixture
def client(stand: Stand) -> TestClient:
    return TestClient(build_web(stand.side), raise_server_exceptions=False)


def attempt(number: int) -> dict[str, Any]:
    return fixture("submit") | {"run": RUN[:-1] + str(number)}


def test_a_new_run_is_202_and_its_repeat_200_with_the_same_call(client: TestClient, stand: Stand) -> None:
    first = client.post("/v1/jobs", json=fixture("submit"))
    assert (first.status_code, first.json()) == (202, fixture("submit-reply") | {"call_id": "fc-1"})
    again = client.post("/v1/jobs", json=fixture("submit"))
    assert (again.status_code, again.json()) == (200, fixture("submit-reply-duplicate") | {"call_id": "fc-1"})
    assert [(family, job["run"]) for _, family, job in stand.calls.spawned] == [("flux", RUN)]


def test_twenty_posts_at_once_make_one_run(stand: Stand) -> None:
    app = build_web(stand.side)
    gate = threading.Barrier(20)

    def post(_: int) -> int:
        gate.wait()
        return int(TestClient(app).post("/v1/jobs", json=fixture("submit")).status_code)

    with ThreadPoolExecutor(20) as pool:
        codes = sorted(pool.map(post, range(20)))
    assert codes == [200] * 19 + [202]
    assert len(stand.calls.spawned) == 1


def test_a_claim_without_a_call_is_taken_over_after_60_seconds_and_not_before(stand: Stand) -> None:
    run = Run.parse(RUN)
    now = stand.clock.now_ms()
    assert isinstance(stand.claims.acquire(run, now), Won)
    assert stand.claims.acquire(run, now + 60_000) == Known(None)
    assert isinstance(stand.claims.acquire(run, now + 60_001), Won)
    # The take-over is a claim like the first: young, so nobody else gets it; old, so the next does.
    assert stand.claims.acquire(run, now + 60_002) == Known(None)
    assert isinstance(stand.claims.acquire(run, now + 120_002), Won)


def test_of_two_takeovers_at_once_one_wins(stand: Stand) -> None:
    run = Run.parse(RUN)
    stand.claims.acquire(run, 0)
    gate = threading.Barrier(2)

    def take(_: int) -> bool:
        gate.wait()
        return isinstance(stand.claims.acquire(run, 61_000), Won)

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(take, range(2))) == [False, True]


def test_a_claimer_that_is_slow_by_90_seconds_makes_no_second_run(stand: Stand) -> None:
    web = build_web(stand.side)
    inner = stand.calls.spawn
    outer: list[int] = []

    def slow(family: str, job: dict[str, Any], accepted_ms: int) -> str:
        if not outer:
            outer.append(1)
            stand.clock.advance(90)
            assert TestClient(web).post("/v1/jobs", json=fixture("submit")).status_code == 202
        return inner(family, job, accepted_ms)

    stand.calls.spawn = slow  # type: ignore[method-assign]
    late = TestClient(web).post("/v1/jobs", json=fixture("submit"))
    calls = [call for call, _, _ in stand.calls.spawned]
    assert calls == ["fc-1", "fc-2"]
    assert late.json()["call_id"] == "fc-1"
    # Both calls reach a container; one works, also when it is started again after a preemption.
    run = Run.parse(RUN)
    assert [stand.claims.begin(run, call) for call in ("fc-2", "fc-1", "fc-2")] == [True, False, True]
    # Whoever works is who answers for the run from then on.
    assert run_status(stand.side, run)["call_id"] == "fc-2"


def test_an_older_attempt_is_409_and_a_known_one_still_learns_of_itself(client: TestClient, stand: Stand) -> None:
    assert client.post("/v1/jobs", json=attempt(1)).status_code == 202
    assert client.post("/v1/jobs", json=attempt(3)).status_code == 202
    older = client.post("/v1/jobs", json=attempt(2))
    assert (older.status_code, older.json()["code"]) == (409, "older_attempt")
    assert client.post("/v1/jobs", json=attempt(1)).status_code == 200


def test_a_full_queue_is_429_and_leaves_no_claim(client: TestClient, stand: Stand) -> None:
    stand.calls.waits = stand.side.depth
    deep = client.post("/v1/jobs", json=fixture("submit"))
    assert (deep.status_code, deep.json()["code"], deep.headers["retry-after"]) == (429, "too_deep", "5")
    stand.calls.waits, stand.calls.deep = 0, True
    assert client.post("/v1/jobs", json=fixture("submit")).status_code == 429
    stand.calls.deep = False
    assert client.post("/v1/jobs", json=fixture("submit")).status_code == 202


def test_while_draining_known_runs_are_answered_and_new_ones_503(client: TestClient, stand: Stand) -> None:
    client.post("/v1/jobs", json=fixture("submit"))
    stand.claims.drain(True)
    assert client.post("/v1/jobs", json=fixture("submit")).status_code == 200
    drained = client.post("/v1/jobs", json=attempt(2))
    assert (drained.status_code, drained.json()["code"], drained.headers["retry-after"]) == (503, "draining", "5")
    assert client.get("/v1/health").json()["accepting"] is False


@pytest.mark.parametrize(
    ("change", "status", "code", "named"),
    [
        ({"workflow": "no-such-model"}, 422, "model_missing", "workflow"),
        ({"outputs": []}, 422, "invalid_input", "outputs"),
        ({"deadline_at": 1}, 422, "timeout", "deadline_at"),
        ({"params": PARAMS | {"cfg": 21}}, 422, "invalid_input", "params.cfg: must be from 1.0 to 20.0"),
        ({"params": PARAMS | {"stepz": 4}}, 422, "invalid_input", "params.stepz: is no parameter"),
        ({"params": {"seed": 7}}, 422, "invalid_input", "params.prompt: is required"),
        ({"params": PARAMS | {"cfg": 10**400}}, 422, "invalid_input", "params.cfg: must be from"),
        ({"inputs": [FILE]}, 422, "invalid_input", "inputs.0.name: is no file"),
        ({"workflow": "sdxl-instantid"}, 422, "invalid_input", "inputs.reference_image: is missing"),
        ({"workflow": "flux-lora"}, 422, "invalid_input", "inputs.lora_id: is missing"),
        ({"outputs": [OUTPUT, OUTPUT | {"slot": 1}]}, 422, "invalid_input", "outputs: this workflow makes 1"),
        ({"outputs": [OUTPUT | {"content_type": "video/mp4"}]}, 422, "invalid_input", "outputs.0.content_type: must be of a"),
        ({"workflow": "wan2"}, 422, "invalid_input", "outputs.0.content_type: must be video/mp4"),
        ({"v": 2}, 400, "unsupported_version", "the message"),
        ({"callback": {"url": "https://10.0.0.1/", "kid": "k", "key": "s"}}, 422, "invalid_input", "callback.url"),
        ({"outputs": [OUTPUT | {"put_url": "https://evil.example/1-0.jpg"}]}, 422, "invalid_input", "outputs.0.put_url: is on a host"),
    ],
)
def test_bad_input_is_refused_with_the_field_and_spawns_nothing(
    client: TestClient, stand: Stand, change: dict[str, Any], status: int, code: str, named: str
) -> None:
    answer = client.post("/v1/jobs", json=fixture("submit") | change)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["message"].startswith(named)
    assert stand.calls.spawned == []


def test_a_picture_may_lie_behind_the_users_own_url(client: TestClient, stand: Stand) -> None:
    message = fixture("submit-files")
    assert {item["name"] for item in message["inputs"]} == {"reference_image"}
    assert message["params"]["base_image"].startswith("https://")
    assert client.post("/v1/jobs", json=message).status_code == 202
    assert len(stand.calls.spawned) == 1


def test_what_is_known_is_answered_whatever_has_become_of_its_addresses(client: TestClient, stand: Stand) -> None:
    assert client.post("/v1/jobs", json=fixture("submit")).status_code == 202
    stand.side = replace(stand.side, places=Places(("elsewhere.example",), resolve=stand.side.places.resolve))
    again = TestClient(build_web(stand.side)).post("/v1/jobs", json=fixture("submit"))
    assert (again.status_code, again.json()["duplicate"]) == (200, True)


def test_a_callback_host_that_cannot_be_looked_up_now_is_no_mistake_of_the_message(stand: Stand) -> None:
    def down(host: str) -> list[str]:
        raise OSError(host)

    side = replace(stand.side, places=replace(stand.side.places, resolve=down))
    assert TestClient(build_web(side)).post("/v1/jobs", json=fixture("submit")).status_code == 202


def test_what_may_be_right_behind_an_url_is_left_to_the_worker(client: TestClient, stand: Stand) -> None:
    message = fixture("submit-input-url")
    assert client.post("/v1/jobs", json=message).status_code == 202
    lora = attempt(2) | {"workflow": "flux-lora", "params": {"prompt": "x", "seed": 7, "lora_id": "by-name"}}
    assert client.post("/v1/jobs", json=lora).status_code == 202


def test_a_repeat_of_a_known_run_is_answered_whatever_a_newer_build_thinks_of_it(client: TestClient, stand: Stand) -> None:
    assert client.post("/v1/jobs", json=fixture("submit")).status_code == 202
    strange = fixture("submit") | {"params": PARAMS | {"field_of_another_build": 1}}
    assert client.post("/v1/jobs", json=strange).status_code == 200


def test_too_long_a_message_is_413_and_broken_json_400(client: TestClient) -> None:
    long = client.post("/v1/jobs", content=b" " * (256 * 1024 + 1))
    assert (long.status_code, long.json()["code"]) == (413, "too_large")
    assert client.post("/v1/jobs", content=b"{").status_code == 400


def test_a_workflow_whose_files_are_missing_is_refused_and_health_says_so(client: TestClient, stand: Stand) -> None:
    stand.lacks = {"flux-dev": ["checkpoints/flux1-dev-fp8.safetensors"]}
    answer = client.post("/v1/jobs", json=fixture("submit"))
    assert (answer.status_code, answer.json()["code"]) == (422, "model_missing")
    health = client.get("/v1/health").json()
    assert health["workflows"] == ["face-swap", "flux-lora", "sdxl-instantid", "wan2"]
    assert health["missing"] == stand.lacks


def test_health_looks_like_the_fixture(client: TestClient, stand: Stand) -> None:
    stand.starts = {"flux": {"starts": 3, "downloaded_bytes": 0}}
    stand.lacks = {"sdxl-instantid": ["node ApplyInstantID", "checkpoints/sd_xl_base_1.0.safetensors"]}
    assert client.get("/v1/health").json() == fixture("health")


def test_a_cancel_before_the_post_leaves_a_tombstone(client: TestClient, stand: Stand) -> None:
    cancelled = client.post(f"/v1/jobs/{RUN}/cancel")
    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
    late = client.post("/v1/jobs", json=fixture("submit"))
    assert (late.status_code, late.json()["code"]) == (409, "cancelled")
    assert client.get(f"/v1/jobs/{RUN}").json() == fixture("run-status-cancelled")
    assert client.post(f"/v1/jobs/{RUN}/cancel").json()["status"] == "cancelled"
    assert stand.calls.spawned == []


def test_a_cancel_before_a_worker_begins_is_final(client: TestClient, stand: Stand) -> None:
    client.post("/v1/jobs", json=fixture("submit"))
    assert client.post(f"/v1/jobs/{RUN}/cancel").json()["status"] == "cancelled"
    assert stand.calls.stopped == ["fc-1"]
    # Even if Modal starts the call nevertheless, it leaves at once.
    assert not stand.claims.begin(Run.parse(RUN), "fc-1")
    assert client.get(f"/v1/jobs/{RUN}").json()["status"] == "cancelled"


def test_a_cancel_of_a_running_run_tells_the_worker(client: TestClient, stand: Stand) -> None:
    client.post("/v1/jobs", json=fixture("submit"))
    stand.claims.begin(Run.parse(RUN), "fc-1")
    assert client.get(f"/v1/jobs/{RUN}").json() == fixture("run-status-running") | {"call_id": "fc-1"}
    assert client.post(f"/v1/jobs/{RUN}/cancel").json() == fixture("cancel-reply")
    assert stand.calls.stopped == ["fc-1"]
    assert stand.claims.stopped(Run.parse(RUN))


RESULT = fixture("run-status-done")["result"]


@pytest.mark.parametrize(
    ("outcome", "status", "after_cancel"),
    [
        (Finished({"event": "succeeded", **RESULT}), "done", "ended"),
        (Finished({"event": "failed", **fixture("run-status-failed")["result"]}), "failed", "ended"),
        (Finished({"event": "cancelled"}), "cancelled", "cancelled"),
        (Finished({"event": "expired"}), "expired", "ended"),
        (Gone(), "expired", "ended"),
        (Broken("timeout"), "failed", "ended"),
    ],
)
def test_what_became_of_a_call_is_what_is_said_of_the_run(stand: Stand, outcome: Any, status: str, after_cancel: str) -> None:
    run = Run.parse(RUN)
    stand.claims.acquire(run, 0)
    stand.claims.spawned(run, "fc-1")
    stand.claims.begin(run, "fc-1")
    stand.calls.outcomes["fc-1"] = outcome
    said = run_status(stand.side, run)
    assert said["status"] == status
    if status == "done":
        assert said == fixture("run-status-done") | {"call_id": "fc-1"}
    if isinstance(outcome, Broken):
        assert said["result"]["error"]["code"] == "timeout"
    assert cancel_run(stand.side, run)["status"] == after_cancel


def test_a_call_that_left_for_another_does_not_end_the_run(stand: Stand) -> None:
    run = Run.parse(RUN)
    stand.claims.acquire(run, 0)
    stand.claims.spawned(run, "fc-1")
    stand.calls.outcomes["fc-1"] = Finished({"event": "left"})
    assert run_status(stand.side, run)["status"] == "pending"


def test_status_of_runs_that_are_not_there(client: TestClient, stand: Stand) -> None:
    assert client.get(f"/v1/jobs/{RUN}").json() == fixture("run-status-unknown")
    stand.claims.acquire(Run.parse(RUN), stand.clock.now_ms())
    assert client.get(f"/v1/jobs/{RUN}").json()["status"] == "pending"
    assert client.get("/v1/jobs/not-a-run").status_code == 422
    assert client.get("/v2/jobs").json()["code"] == "no_such_route"


def test_a_claim_that_nobody_spawned_for_is_unknown_once_it_may_be_taken_over(client: TestClient, stand: Stand) -> None:
    run = Run.parse(RUN)

    def status() -> str:
        return str(client.get(f"/v1/jobs/{RUN}").json()["status"])

    stand.claims.acquire(run, stand.clock.now_ms())
    stand.clock.advance(60)
    assert status() == "pending"
    stand.clock.advance(0.001)
    assert status() == "unknown"
    # A take-over is a claim like the first: as young, and as old.
    stand.claims.acquire(run, stand.clock.now_ms())
    assert status() == "pending"
    stand.clock.advance(61)
    assert status() == "unknown"
    assert client.post("/v1/jobs", json=fixture("submit")).status_code == 202
    assert status() == "pending"
    other = RUN[:-1] + "2"
    stand.claims.acquire(Run.parse(other), stand.clock.now_ms())
    stand.clock.advance(61)
    assert client.post(f"/v1/jobs/{other}/cancel").json()["status"] == "cancelled"
    assert client.get(f"/v1/jobs/{other}").json()["status"] == "cancelled"


def test_a_spawn_that_stumbles_is_500_without_its_text(stand: Stand) -> None:
    def stumble(family: str, job: dict[str, Any], accepted_ms: int) -> str:
        raise RuntimeError("https://secret?X-Amz-Signature=1")

    stand.calls.spawn = stumble  # type: ignore[method-assign]
    client = TestClient(build_web(stand.side), raise_server_exceptions=False)
    answer = client.post("/v1/jobs", json=fixture("submit"))
    assert (answer.status_code, answer.json()["message"]) == (500, "RuntimeError")
    # The claim stays, and is taken over when it is old enough.
    stand.calls.spawn = FakeCalls().spawn  # type: ignore[method-assign]
    assert client.post("/v1/jobs", json=fixture("submit")).status_code == 200
    stand.clock.advance(61)
    assert client.post("/v1/jobs", json=fixture("submit")).status_code == 202


def test_draining_ends(stand: Stand) -> None:
    claims = Claims(stand.store)
    claims.drain(True)
    claims.drain(False)
    assert not claims.draining()
