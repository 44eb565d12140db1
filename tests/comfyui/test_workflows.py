"""Every workflow against the running ComfyUI: its classes, its inputs, its model files, and a whole run of it."""

import time
from typing import Any

import pytest

from conftest import files_of, required_params
from ryla_modal.workflow import Workflow, load, names
from server import ComfyUi

RUN_LIMIT_S = 300
# Small enough for a CPU; what a model does not have is left out.
SMALL = {"width": 256, "height": 256, "steps": 2}
# Files that no node names as a choice: packs look for them themselves when they load.
FOLDERS_WITHOUT_LIST = {
    "insightface/models/antelopev2",
    "facexlib",
    "clip",
    "liveportrait",
    "ultralytics",
    "instantid",
    "pulid",
}

workflows = pytest.mark.parametrize("workflow", [load(name) for name in names()], ids=lambda workflow: workflow.name)


def filled(workflow: Workflow, prefix: str = "test") -> dict[str, dict[str, Any]]:
    small = {name: value for name, value in SMALL.items() if name in workflow.params}
    return workflow.fill({**required_params(workflow), **small}, files=files_of(workflow), prefix=prefix)


@workflows
def test_every_class_exists_and_takes_exactly_the_inputs_that_the_graph_gives(comfy: ComfyUi, workflow: Workflow) -> None:
    info = comfy.get("/object_info")
    for number, node in filled(workflow).items():
        assert node["class_type"] in info, f"node {number}: {node['class_type']} is no class of this ComfyUI"
        spec = info[node["class_type"]]["input"]
        required, optional = spec.get("required", {}), spec.get("optional", {})
        assert required.keys() <= node["inputs"].keys(), f"node {number} {node['class_type']} lacks inputs"
        assert node["inputs"].keys() <= required.keys() | optional.keys(), f"node {number} {node['class_type']} has others"


@workflows
def test_every_link_joins_an_output_to_an_input_of_the_same_type(comfy: ComfyUi, workflow: Workflow) -> None:
    info = comfy.get("/object_info")
    graph = filled(workflow)
    for number, node in graph.items():
        spec = info[node["class_type"]]["input"]
        types = {**spec.get("required", {}), **spec.get("optional", {})}
        for name, value in node["inputs"].items():
            if isinstance(value, list):
                source, slot = value
                given = info[graph[source]["class_type"]]["output"][slot]
                assert given == types[name][0], f"node {number}: {name} gets {given}"


@workflows
def test_every_model_file_that_a_core_node_loads_is_where_the_workflow_says(comfy: ComfyUi, workflow: Workflow) -> None:
    for model in workflow.models:
        if model.folder not in FOLDERS_WITHOUT_LIST:
            assert model.name in comfy.get(f"/models/{model.folder}"), model


@workflows
def test_packs_name_exactly_the_classes_that_are_not_comfyuis_own(comfy: ComfyUi, workflow: Workflow) -> None:
    info = comfy.get("/object_info")
    foreign = {name for name in workflow.nodes if info[name]["python_module"].startswith("custom_nodes")}
    assert foreign == workflow.pack_nodes


@workflows
def test_runs_to_a_file_of_its_kind(comfy: ComfyUi, workflow: Workflow) -> None:
    outputs = run(comfy, filled(workflow, f"ryla/{workflow.name}"), workflow.name)
    for output in workflow.outputs:
        [file] = outputs[output.node]["images"]
        assert file["type"] == "output"
        content_type, body = view(comfy, file)
        if output.kind == "video":
            assert content_type == "video/mp4"
            assert body[4:8] == b"ftyp"
        else:
            assert content_type == "image/png"
            assert body.startswith(b"\x89PNG")


def test_the_seed_decides_the_picture(comfy: ComfyUi) -> None:
    workflow = load("flux-dev")
    pictures = [picture(comfy, workflow, {"seed": seed}, attempt) for attempt, seed in enumerate((1, 1, 2))]
    assert pictures[0] == pictures[1]
    assert pictures[0] != pictures[2]


def test_a_lora_changes_the_picture_as_much_as_it_is_told(comfy: ComfyUi) -> None:
    workflow = load("flux-lora")
    assert len({picture(comfy, workflow, {"lora_strength": strength}) for strength in (0.0, 0.5, 1.0)}) == 3


def test_live_portrait_is_h264_of_exactly_the_length_that_was_asked_for(comfy: ComfyUi) -> None:
    workflow = load("live-portrait")
    params = {**required_params(workflow), "width": 256, "height": 256, "duration_frames": 317}
    outputs = run(comfy, workflow.fill(params, files=files_of(workflow), prefix="ryla/length"), "length")
    [file] = outputs[workflow.outputs[0].node]["images"]
    _, body = view(comfy, file)
    assert b"avc1" in body, "the track is not H.264"
    assert media_duration_s(body) == pytest.approx(317 / 30, abs=0.001)
    assert sample_count(body) == 317


def test_without_a_gpu_the_server_stays_where_it_is_and_says_so(comfy: ComfyUi) -> None:
    """The worker then knows that a restored snapshot did not wake; on a GPU this was never tried."""
    assert comfy.post("/ryla/device", {}) == {"device": "cpu"}
    assert picture(comfy, load("flux-dev"), {"seed": 1}, 7)


def media_duration_s(mp4: bytes) -> float:
    """The length that the movie header of an MP4 tells (ISO 14496-12, 8.2.2)."""
    at = mp4.index(b"mvhd") + 4
    assert mp4[at] == 0, "version 0 has 32-bit times"
    scale, length = (int.from_bytes(mp4[at + offset : at + offset + 4]) for offset in (12, 16))
    return length / scale


def sample_count(mp4: bytes) -> int:
    """Frames of the first track: the sample size box (8.7.3.2) counts them."""
    at = mp4.index(b"stsz") + 4
    return int.from_bytes(mp4[at + 8 : at + 12])


def picture(comfy: ComfyUi, workflow: Workflow, params: dict[str, Any], attempt: int = 0) -> bytes:
    prefix = f"ryla/{workflow.name}-{attempt}-{time.monotonic_ns()}"
    whole = {**required_params(workflow), **SMALL, **params}
    outputs = run(comfy, workflow.fill(whole, files=files_of(workflow), prefix=prefix), prefix)
    # As JPEG, which carries no graph in its text.
    return view(comfy, outputs[workflow.outputs[0].node]["images"][0], "&preview=jpeg;92")[1]


def run(comfy: ComfyUi, graph: dict[str, dict[str, Any]], client: str) -> dict[str, Any]:
    """Queues a graph, waits for its end and gives its outputs by node."""
    answer = comfy.post("/prompt", {"prompt": graph, "client_id": client})
    assert answer["node_errors"] == {}
    until = time.monotonic() + RUN_LIMIT_S
    while time.monotonic() < until:
        if entry := comfy.get(f"/history/{answer['prompt_id']}").get(answer["prompt_id"]):
            status = entry["status"]
            assert status["status_str"] == "success", status["messages"][-1][1].get("exception_message")
            outputs: dict[str, Any] = entry["outputs"]
            return outputs
        time.sleep(0.1)
    raise AssertionError(f"no end after {RUN_LIMIT_S} s")


def view(comfy: ComfyUi, file: dict[str, str], more: str = "") -> tuple[str, bytes]:
    return comfy.get_bytes(f"/view?filename={file['filename']}&subfolder={file['subfolder']}&type={file['type']}{more}")
