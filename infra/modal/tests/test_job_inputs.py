"""What a run is handed on a GPU container: references, long params, LoRAs, and what is wrong with them."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import httpx
import pytest

from gpu import Bench, picture
from ryla_modal.places import Places

RUN = "acme.7kq2m4xv5r6tzwbc3nayjhd4pf.1"


def test_a_reference_reaches_comfyui_under_the_runs_own_folder(bench: Bench) -> None:
    bench.give("reference_image", picture())
    assert bench.run()["event"] == "succeeded"
    assert [(folder, name) for folder, name, _ in bench.comfy.uploads] == [(RUN, "reference_image.jpeg")]
    assert bench.comfy.started[0][2]["9"]["inputs"]["reference_image"] == f"{RUN}/reference_image.jpeg"


def bad_inputs() -> dict[str, Any]:
    return {
        "missing": lambda bench: setattr(bench.model, "inputs", {"reference_image": "image"}),
        "wrong hash": lambda bench: bench.give("reference_image", picture(), "0" * 64),
        "no picture": lambda bench: bench.give("reference_image", b"GIF89a, or not"),
        "too many bytes": lambda bench: bench.give("reference_image", b"\0" * (25 * 1024 * 1024 + 1)),
        "too many pixels": lambda bench: bench.give("reference_image", picture("PNG", (8000, 7000))),
        "unknown field": lambda bench: [bench.give("mask", picture()), bench.model.__dict__.update(inputs={})],
        "gone": lambda bench: [bench.give("face", picture()), bench.net.gets.clear()],
        "forbidden": lambda bench: [bench.give("face", picture()), bench.net.gets.update({"/f/face": 403})],
        "bad params": lambda bench: bench.message["params"].update({"steps": "many"}),
        "unknown node": lambda bench: setattr(
            bench.comfy,
            "refuse",
            {"error": {"type": "invalid_prompt", "message": "Cannot execute because node X does not exist."}},
        ),
    }


@pytest.mark.parametrize("case", bad_inputs())
def test_bad_input_is_final_and_costs_no_gpu(bench: Bench, case: str) -> None:
    bad_inputs()[case](bench)
    assert bench.run()["error"]["code"] == "invalid_input"
    assert bench.comfy.started == []
    assert bench.net.events == ["started", "failed"]


def test_an_unknown_workflow_is_model_missing(bench: Bench) -> None:
    bench.message["workflow"] = "flux"
    assert bench.run()["error"]["code"] == "model_missing"


def test_a_bucket_that_stumbles_is_asked_again_for_an_input(bench: Bench) -> None:
    data = picture()
    bench.give("reference_image", data)
    bench.net.gets["/f/reference_image"] = [503, 500, data]
    assert bench.run()["event"] == "succeeded"
    bench.message["run"] = RUN[:-1] + "2"
    bench.net.gets["/f/reference_image"] = [503] * 9
    assert bench.run()["error"]["code"] == "internal"


def test_long_params_come_by_url(bench: Bench) -> None:
    del bench.message["params"]
    bench.message["input_url"] = "https://bucket.s3.amazonaws.com/in/x.json"
    bench.net.gets["/in/x.json"] = json.dumps({"prompt": "long", "seed": 7}).encode()
    assert bench.run()["event"] == "succeeded"
    assert bench.comfy.started[0][2]["9"]["inputs"]["seed"] == 7


def test_a_redirect_of_an_input_is_not_followed(bench: Bench) -> None:
    bench.give("reference_image", picture())
    bench.net.gets["/f/reference_image"] = 302
    assert bench.run()["error"]["code"] == "invalid_input"


def test_a_transport_error_while_reading_an_input_is_tried_again(bench: Bench) -> None:
    calls: list[int] = []

    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/f/reference_image" and not calls:
            calls.append(1)
            raise httpx.ReadError("broke off")
        return bench.net.handle(request)

    bench.give("reference_image", picture())
    bench.worker.http = httpx.Client(transport=httpx.MockTransport(handle))
    assert bench.run()["event"] == "succeeded"


# A file that the user named by a URL of their own


def users(bench: Bench, url: object) -> None:
    bench.model.inputs = {"reference_image": "image"}
    bench.message["params"]["reference_image"] = url


def test_a_users_own_url_is_fetched_where_the_message_names_no_file(bench: Bench) -> None:
    users(bench, "https://pictures.example/me.jpg?size=1")
    bench.net.gets["/me.jpg"] = picture()
    assert bench.run()["event"] == "succeeded"
    assert bench.net.got == ["/me.jpg"]
    assert bench.comfy.uploads[0][1] == "reference_image.jpeg"


@pytest.mark.parametrize(
    "url",
    [
        "http://pictures.example/me.jpg",
        "https://localhost/me.jpg",
        "https://127.0.0.1/me.jpg",
        "https://169.254.169.254/latest/meta-data",
        "https://[::ffff:10.0.0.1]/me.jpg",
        "https://me@pictures.example/me.jpg",
        "https://",
        "sha256:" + "0" * 64,
        "file:///etc/passwd",
        7,
    ],
)
def test_a_users_url_that_leads_inside_is_not_followed(bench: Bench, url: object) -> None:
    users(bench, url)
    assert bench.run()["error"]["code"] == "invalid_input"
    assert bench.net.got == []
    assert bench.comfy.started == []


def test_a_users_host_that_resolves_to_a_private_address_is_not_asked(bench: Bench) -> None:
    users(bench, "https://pictures.example/me.jpg")
    bench.worker.places = Places(("*.amazonaws.com",), resolve=lambda host: ["93.184.216.34", "10.0.0.1"])
    assert bench.run()["error"]["code"] == "invalid_input"
    assert bench.net.got == []


@pytest.mark.parametrize("answer", [302, 404, 503, b"<html>", "broken gzip"])
def test_a_users_url_without_a_picture_is_invalid_input_and_final(bench: Bench, answer: int | bytes | str) -> None:
    users(bench, "https://pictures.example/me.jpg")
    bench.net.gets["/me.jpg"] = [answer] * 9 if answer in (503, "broken gzip") else answer
    assert bench.run()["error"]["code"] == "invalid_input"
    assert bench.comfy.started == []


# LoRAs


def test_a_lora_is_fetched_once_and_then_lies_there(bench: Bench) -> None:
    data = b"lora" * 10
    bench.give("lora", data)
    assert bench.run()["event"] == "succeeded"
    name = hashlib.sha256(data).hexdigest() + ".safetensors"
    assert bench.comfy.started[0][2]["9"]["inputs"]["lora"] == name
    bench.message["run"] = RUN[:-1] + "2"
    assert bench.run()["event"] == "succeeded"
    assert bench.net.got == ["/f/lora"]


def test_a_lora_on_the_volume_is_used_before_anything_is_fetched(bench: Bench) -> None:
    bench.worker.loras.folder.mkdir()
    (bench.worker.loras.folder / "my-face.safetensors").write_bytes(b"x")
    bench.model.inputs = {"lora_id": "lora"}
    bench.message["params"]["lora_id"] = "my-face"
    assert bench.run()["event"] == "succeeded"
    assert bench.comfy.started[0][2]["9"]["inputs"]["lora_id"] == "my-face.safetensors"
    assert bench.net.got == []


@pytest.mark.parametrize("lora_id", ["unknown", "../../etc/passwd", ""])
def test_a_lora_that_is_not_there(bench: Bench, lora_id: str) -> None:
    bench.model.inputs = {"lora_id": "lora"}
    bench.message["params"]["lora_id"] = lora_id
    assert bench.run()["error"]["code"] == "lora_not_found"


@pytest.mark.parametrize("ending", ["", ".safetensors"])
def test_a_lora_that_another_account_brought_is_not_had_by_its_hash(bench: Bench, ending: str) -> None:
    data = b"another account's"
    bench.give("lora_id", data)
    assert bench.run()["event"] == "succeeded"
    bench.message["run"] = "other.7kq2m4xv5r6tzwbc3nayjhd4pf.1"
    bench.message["inputs"] = []
    bench.message["params"]["lora_id"] = hashlib.sha256(data).hexdigest() + ending
    assert bench.run()["error"]["code"] == "lora_not_found"


@pytest.mark.parametrize("case", ["gone", "wrong hash"])
def test_a_lora_that_cannot_be_fetched(bench: Bench, case: str) -> None:
    bench.give("lora", b"lora", "0" * 64 if case == "wrong hash" else None)
    if case == "gone":
        bench.net.gets.clear()
    assert bench.run()["error"]["code"] == "lora_not_found"
    assert bench.comfy.started == []
