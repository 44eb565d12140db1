"""Graphs that callers bring: what they may not do, and what becomes of one that may run."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from gpu import ok, picture
from ryla_modal.raw import CORE, RawWorkflow, allowed_nodes
from ryla_modal.wire import Refused
from ryla_modal.workflow import load
from ryla_modal.workflows import load_all
from test_direct import Place

ALLOWED = allowed_nodes(load_all())
FACE = base64.b64encode(picture("PNG")).decode()


def graph() -> dict[str, Any]:
    return load("flux-dev").fill({"prompt": "../a cat", "seed": 7}, files={}, prefix="theirs")


def node(kind: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": kind, "inputs": inputs}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = Place(tmp_path)
    made.bench.worker.workflows = made.direct.workflows
    return made


@pytest.mark.parametrize("body", [graph(), {"workflow": graph()}], ids=["bare", "wrapped"])
def test_a_graph_runs_with_our_names_in_it(place: Place, body: dict[str, Any]) -> None:
    saved = next(node_id for node_id, node in graph().items() if node["class_type"] == "SaveImage")
    ended = ok()
    place.bench.comfy.answers = [type(ended)("success", tuple(type(f)(saved, f.filename, f.subfolder) for f in ended.files), ())]
    answer = place.client.post("/workflow", json=body)
    assert (answer.status_code, answer.headers["content-type"], place.families) == (200, "image/jpeg", ["flux"])
    run = place.bench.comfy.started[0][0]
    started = place.bench.comfy.started[0][2]
    assert started[saved]["inputs"]["filename_prefix"] == f"ryla/{run}"
    assert started == graph() | {saved: started[saved]}


def test_pictures_of_the_request_are_what_load_image_loads(place: Place) -> None:
    own = {"1": node("LoadImage", image="me.png"), "9": node("SaveImage", images=["1", 0], filename_prefix="x")}
    answer = place.client.post("/workflow", json={"workflow": own, "images": {"me.png": FACE}})
    assert answer.status_code == 200
    run, _, started = place.bench.comfy.started[0]
    assert started["1"]["inputs"]["image"] == f"{run}/me.png.png"
    for other in ("output.png", "acme.7kq2.1/face.png", "me.png [output]"):
        own["1"]["inputs"]["image"] = other
        refused = place.client.post("/workflow", json={"workflow": own, "images": {"me.png": FACE}})
        assert (refused.status_code, refused.json()["message"][:18]) == (422, "workflow.1.image: ")
    large = base64.b64encode(picture("PNG", (2100, 2100))).decode()
    own["1"]["inputs"]["image"] = "me.png"
    assert place.client.post("/workflow", json={"workflow": own, "images": {"me.png": large}}).status_code == 422


@pytest.mark.parametrize("name", sorted(load_all()))
def test_our_own_graphs_are_allowed_in_their_family(name: str) -> None:
    workflow = load(name)
    params = {key: value for key, value in {"prompt": "x", "seed": 7}.items() if key in workflow.params}
    filled = workflow.fill(params, files=dict.fromkeys(workflow.inputs, "me.png"), prefix="p")
    assert RawWorkflow(filled, ["me.png"], ALLOWED, workflow.family).outputs[0].node == workflow.outputs[0].node


def with_input(kind: str, name: str, value: Any) -> dict[str, Any]:
    changed = graph()
    for item in changed.values():
        if item["class_type"] == kind:
            item["inputs"][name] = value
    return changed


BAD: list[tuple[Any, str]] = [
    (None, "workflow"),
    ([], "workflow"),
    ({}, "workflow"),
    ({"1": {"class_type": "KSampler"}}, "workflow"),
    ({"nodes": [], "links": []}, "workflow"),
    ({str(number): node("VAEDecode") for number in range(201)}, "workflow"),
    (graph() | {"x": node("LoadImageOutput", image="a")}, "workflow: the node 'LoadImageOutput'"),
    (graph() | {"x": node("PythonExec", code="import os")}, "workflow: the node 'PythonExec'"),
    ({"1": node("EmptyLatentImage", width=64, height=64, batch_size=1)}, "workflow: has no SaveImage"),
    (with_input("KSampler", "steps", 101), "workflow."),
    (with_input("KSampler", "steps", ["1", 0]), "workflow."),
    (with_input("KSampler", "model", ["nowhere", 0]), "workflow."),
    (with_input("KSampler", "model", ["1", 0, 0]), "workflow."),
    (with_input("KSampler", "model", {"a": 1}), "workflow."),
    (with_input("EmptySD3LatentImage", "width", 4096), "workflow."),
    (with_input("EmptySD3LatentImage", "batch_size", 5), "workflow."),
    (with_input("EmptySD3LatentImage", "width", 0), "workflow."),
    (with_input("KSampler", "cfg", float("inf")), "workflow."),
    (with_input("CheckpointLoaderSimple", "ckpt_name", "../../etc/x.safetensors"), "workflow."),
    (graph() | {"x": node("LoraLoader", lora_name="ab" * 32 + ".safetensors")}, "workflow.x.lora_name"),
    (graph() | {"x": node("ApplyPulidFlux"), "y": node("AdvancedLivePortrait")}, "workflow: uses nodes that no single"),
]


@pytest.mark.parametrize(("bad", "named"), BAD, ids=[str(number) for number in range(len(BAD))])
def test_what_a_graph_may_not_do(bad: Any, named: str) -> None:
    with pytest.raises(Refused) as refused:
        RawWorkflow(bad, [], ALLOWED)
    assert (refused.value.status, refused.value.code) == (422, "invalid_input")
    assert refused.value.message.startswith(named)


def test_work_is_bounded_as_a_whole() -> None:
    most = graph()
    for item in most.values():
        item["inputs"] |= {"steps": 60} if item["class_type"] == "KSampler" else {}
        item["inputs"] |= {"width": 2048, "height": 2048} if item["class_type"] == "EmptySD3LatentImage" else {}
    assert RawWorkflow(most, [], ALLOWED).family == "flux"
    with pytest.raises(Refused, match="too much"):
        RawWorkflow(most | {"x": node("KSampler", steps=1)}, [], ALLOWED)
    # A picture may be as large as one can be.
    loaded = graph() | {"x": node("LoadImage", image="me.png"), "y": node("KSampler", steps=100)}
    with pytest.raises(Refused, match="too much"):
        RawWorkflow(loaded, ["me.png"], ALLOWED)


def test_numbers_that_are_no_json_are_refused(place: Place) -> None:
    answer = place.client.post("/workflow", content=b'{"1": {"class_type": "KSampler", "inputs": {"cfg": NaN}}}')
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_input")


def test_what_only_the_container_finds_wrong_is_said_as_well(place: Place) -> None:
    place.bench.worker.workflows = {}
    own = {"1": node("LoadImage", image="me.png"), "2": node("InvertMask", mask=["1", 1]), "9": node("SaveImage", images=["1", 0])}
    answer = place.client.post("/workflow", json={"workflow": own, "images": {"me.png": FACE}})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")
    assert answer.json()["message"] == "workflow: the node 'InvertMask' is not allowed"


def test_a_family_can_be_asked_for(place: Place) -> None:
    plain = {"workflow": graph(), "family": "sdxl"}
    place.client.post("/workflow", json=plain)
    assert place.families == ["sdxl"]
    for body in (plain | {"family": "tpu"}, plain | {"stepz": 1}, plain | {"images": {"../x": FACE}}, {"prompt": "x"}):
        assert place.client.post("/workflow", json=body).status_code == 422


def test_no_node_of_the_plain_ones_names_a_file_of_its_own() -> None:
    assert not [name for name in CORE if name.startswith(("Load", "Save")) and name not in {"LoadImage", "SaveImage"}]
