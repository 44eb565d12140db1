"""The synchronous endpoints, through their routes."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from fakes import PUBLIC, Stand
from gpu import Bench, Model, ok, picture
from ryla_modal.comfy import ComfyDown
from ryla_modal.direct import Direct, direct_routes
from ryla_modal.make import make
from ryla_modal.web import build_web, room

FACE = base64.b64encode(picture("PNG")).decode()


class Place:
    def __init__(self, tmp_path: Path) -> None:
        self.bench = Bench(tmp_path)
        self.bench.worker.workflows = {
            "flux-dev": self.bench.model,
            "sdxl-instantid": Model(inputs={"reference_image": "image"}),
            "live-portrait": Model(inputs={"source_image": "image"}),
            "flux-lora": Model(inputs={"lora_id": "lora"}),
        }
        self.asked: list[str] = []
        self.net = {"https://pics.example.com/me.png": picture("PNG")}
        http = httpx.Client(transport=httpx.MockTransport(self.handle))

        async def generate(family: str, name: str, params: dict[str, Any], given: dict[str, bytes], deadline_at_ms: int) -> dict[str, Any]:
            self.families.append(family)
            self.bench.clock.advance(self.queue_s)
            await asyncio.sleep(self.hangs_s)
            return make(self.bench.worker, name, params, given, deadline_at_ms)

        def resolve(host: str) -> list[str]:
            return ["10.0.0.7"] if host == "inside.example.com" else [PUBLIC]

        self.stand = Stand()
        self.families: list[str] = []
        self.queue_s = self.hangs_s = 0.0
        self.direct = Direct(
            self.bench.worker.workflows,
            generate,
            http,
            self.bench.clock,
            partial(room, self.stand.side),
            resolve,
        )
        self.client = self.client_of(self.direct)

    def client_of(self, direct: Direct) -> TestClient:
        return TestClient(build_web(self.stand.side, direct_routes(direct)), raise_server_exceptions=False)

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(str(request.url))
        data = self.net.get(str(request.url))
        return httpx.Response(404) if data is None else httpx.Response(200, content=data)

    def inputs(self) -> dict[str, Any]:
        filled: dict[str, Any] = self.bench.comfy.started[-1][2]["9"]["inputs"]
        return filled


@pytest.fixture
def direct(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_json_in_jpeg_out(direct: Place) -> None:
    answer = direct.client.post("/flux-dev", json={"prompt": "a cat", "seed": 7})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
    assert answer.content[:3] == b"\xff\xd8\xff"
    assert (answer.headers["x-seed"], answer.headers["x-gpu-type"]) == ("7", "L40S")
    assert float(answer.headers["x-execution-time-sec"]) > 0


def test_both_spellings_mean_the_same(direct: Place) -> None:
    for body in (
        {"negative_prompt": "x", "instantid_strength": 0.5},
        {"negativePrompt": "x", "instantidStrength": 0.5},
    ):
        direct.client.post("/flux-dev", json=body)
        assert direct.inputs()["negative_prompt"] == "x"
        assert direct.inputs()["instantid_strength"] == 0.5
    twice = direct.client.post("/flux-dev", json={"negativePrompt": "x", "negative_prompt": "y"})
    assert twice.status_code == 422


@pytest.mark.parametrize("seed", [None, -1])
def test_a_seed_is_always_set(direct: Place, seed: int | None) -> None:
    seeds = set()
    for _ in range(2):
        answer = direct.client.post("/flux-dev", json={"prompt": "x", "seed": seed})
        assert answer.headers["x-seed"] == str(direct.inputs()["seed"])
        seeds.add(answer.headers["x-seed"])
    assert len(seeds) == 2


@pytest.mark.parametrize(
    "reference", [f"data:image/png;base64,{FACE}", FACE, "https://pics.example.com/me.png"], ids=["data", "bare", "url"]
)
@pytest.mark.parametrize("spelling", ["reference_image", "referenceImage"])
def test_a_reference_in_three_forms(direct: Place, reference: str, spelling: str) -> None:
    assert direct.client.post("/sdxl-instantid", json={spelling: reference}).status_code == 200
    assert direct.bench.comfy.uploads[0][2] == picture("PNG")
    assert direct.client.post("/live-portrait", json={spelling: reference}).status_code == 200


@pytest.mark.parametrize("path", ["/home/me/face.png", "face.jpg", "C:\\me\\face.png", "./me"])
def test_a_path_is_refused_with_a_sentence_that_names_the_cli(direct: Place, path: str) -> None:
    answer = direct.client.post("/sdxl-instantid", json={"reference_image": path})
    assert answer.status_code == 422
    assert "`ryla generate`" in answer.json()["message"]
    assert direct.bench.comfy.started == []


@pytest.mark.parametrize(
    "reference",
    [
        None,
        7,
        "",
        "file:///etc/passwd",
        "http://pics.example.com/me.png",
        "https://127.0.0.1/me.png",
        "https://inside.example.com/me.png",
        "https://pics.example.com/gone.png",
        "data:image/png,plain",
        base64.b64encode(b"no picture at all").decode(),
    ],
)
def test_other_references_are_refused(direct: Place, reference: object) -> None:
    answer = direct.client.post("/sdxl-instantid", json={"reference_image": reference})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")
    assert all("127.0.0.1" not in url and "inside" not in url for url in direct.asked)


def test_an_unknown_lora_is_404(direct: Place) -> None:
    answer = direct.client.post("/flux-lora", json={"prompt": "x", "loraId": "nope"})
    assert (answer.status_code, answer.json()["code"]) == (404, "lora_not_found")


def test_failures_have_their_status(direct: Place) -> None:
    direct.bench.comfy.takes = 100_000
    answer = direct.client.post("/flux-dev", json={"prompt": "x"})
    assert (answer.status_code, answer.json()["code"]) == (504, "timeout")
    assert len(direct.bench.comfy.cancelled) == 1
    direct.bench.comfy.takes = 1
    direct.bench.comfy.answers = [type(ok())("success", (), ())]
    assert direct.client.post("/flux-dev", json={"prompt": "x"}).status_code == 500
    assert direct.client.post("/flux-dev", content=b"[]").status_code == 400
    assert direct.client.post("/no-such-model", json={}).status_code == 404


def test_local_files_are_removed_whatever_happens(direct: Place) -> None:
    direct.client.post("/flux-dev", json={"prompt": "x"})
    direct.client.post("/flux-lora", json={"lora_id": "nope"})
    assert len(direct.bench.forgotten) == 2


@pytest.mark.parametrize("heeds", [True, False])
def test_a_picture_that_takes_too_long_leaves_a_free_server(direct: Place, heeds: bool) -> None:
    comfy = direct.bench.comfy
    comfy.takes, comfy.heeds = 100_000, heeds
    assert direct.client.post("/flux-dev", json={"prompt": "x"}).status_code == 504
    assert (comfy.idle(), comfy.restarted) == (True, 0 if heeds else 1)


def test_a_server_that_is_gone_is_a_gpu_error(direct: Place) -> None:
    def down(name: str, data: bytes, folder: str) -> str:
        raise ComfyDown("ConnectError")

    direct.bench.comfy.upload = down  # type: ignore[method-assign]
    answer = direct.client.post("/sdxl-instantid", json={"reference_image": FACE})
    assert (answer.status_code, answer.json()["code"]) == (500, "gpu_error")


def test_time_in_the_queue_counts_too(direct: Place) -> None:
    direct.queue_s = 139
    direct.bench.comfy.takes = 10_000
    begun = direct.bench.clock.monotonic()
    assert direct.client.post("/flux-dev", json={"prompt": "x"}).status_code == 504
    assert 140 <= direct.bench.clock.monotonic() - begun < 142
    # What was over before it began costs nothing.
    direct.queue_s = 141
    started = len(direct.bench.comfy.started)
    assert direct.client.post("/flux-dev", json={"prompt": "x"}).status_code == 504
    assert len(direct.bench.comfy.started) == started


def test_a_container_that_never_begins_is_answered_before_modal_gives_up(direct: Place) -> None:
    direct.hangs_s = 30
    client = direct.client_of(dataclasses.replace(direct.direct, answer_s=0.05))
    answer = client.post("/flux-dev", json={"prompt": "x"})
    assert (answer.status_code, answer.json()["code"]) == (504, "timeout")


@pytest.mark.parametrize(
    ("why", "status", "code"), [("drain", 503, "draining"), ("missing", 503, "model_missing"), ("deep", 429, "too_deep")]
)
def test_nothing_new_is_taken_where_v1_jobs_takes_nothing(direct: Place, why: str, status: int, code: str) -> None:
    direct.stand.claims.drain(why == "drain")
    direct.stand.lacks = {"flux-dev": ["checkpoints/x"]} if why == "missing" else {}
    direct.stand.calls.waits = 10_000 if why == "deep" else 0
    answer = direct.client.post("/flux-dev", json={"prompt": "x"})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert ("retry-after" in answer.headers) == (why != "missing")
    assert direct.bench.comfy.started == []
