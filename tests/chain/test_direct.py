"""The synchronous endpoints before the real ComfyUI: a workflow of ours, and graphs that a caller brings."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from PIL import Image

from container import Container
from ryla_modal.workflow import load
from system import served, web_side

SMALL = {"prompt": "a lighthouse at dusk", "width": 256, "height": 256, "steps": 2, "seed": 7}


@pytest.fixture
def app(gpu: Container) -> Iterator[httpx.Client]:
    gpu.pace.seconds = 0
    with served(web_side(gpu)) as url, httpx.Client(base_url=url, timeout=160) as client:
        yield client


def picture(answer: httpx.Response) -> tuple[str | None, tuple[int, int]]:
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg"), answer.text
    with Image.open(io.BytesIO(answer.content)) as image:
        return image.format, image.size


def graph() -> dict[str, Any]:
    return load("flux-dev").fill(SMALL, files={}, prefix="theirs")


def test_json_in_jpeg_out(app: httpx.Client) -> None:
    answer = app.post("/flux-dev", json=SMALL)
    assert picture(answer) == ("JPEG", (256, 256))
    assert (answer.headers["x-seed"], answer.headers["x-gpu-type"]) == ("7", "CPU")


def test_a_callers_graph_is_the_same_picture_as_ours(app: httpx.Client) -> None:
    answer = app.post("/workflow", json=graph())
    assert picture(answer) == ("JPEG", (256, 256))
    assert answer.content == app.post("/flux-dev", json=SMALL).content


def test_a_callers_graph_with_a_picture_of_its_own(app: httpx.Client) -> None:
    face = io.BytesIO()
    Image.new("RGB", (64, 48), (200, 40, 90)).save(face, "PNG")
    own = {
        "1": {"class_type": "LoadImage", "inputs": {"image": "me.png"}},
        "2": {"class_type": "ImageInvert", "inputs": {"image": ["1", 0]}},
        "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "../../x"}},
    }
    body = {"workflow": own, "images": {"me.png": base64.b64encode(face.getvalue()).decode()}}
    assert picture(app.post("/workflow", json=body)) == ("JPEG", (64, 48))


@pytest.mark.parametrize(
    ("node", "change", "status", "code"),
    [
        ("CheckpointLoaderSimple", {"ckpt_name": "nobody-has-this.safetensors"}, 503, "model_missing"),
        ("KSampler", {"sampler_name": "no-such-sampler"}, 422, "invalid_input"),
        ("KSampler", {"steps": 0}, 422, "invalid_input"),
        ("SaveImage", {"images": ["1", 7]}, 422, "invalid_input"),
    ],
)
def test_what_comfyui_refuses_is_told_without_its_traceback(
    app: httpx.Client, node: str, change: dict[str, Any], status: int, code: str
) -> None:
    bad = graph()
    next(item for item in bad.values() if item["class_type"] == node)["inputs"] |= change
    answer = app.post("/workflow", json=bad)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert "Traceback" not in answer.text
    # The server is as it was.
    assert picture(app.post("/flux-dev", json=SMALL))
