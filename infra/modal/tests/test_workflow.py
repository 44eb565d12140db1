"""The filler of workflows: checks of params, bindings, and the bytes that Rust fills as well.

The fixtures in tests/fixtures/v1/workflows are written from here with RYLA_WRITE_FIXTURES=1 and compared by both languages.
"""

import json
import os
import random
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from ryla_modal.motion import portrait_motion
from ryla_modal.workflow import InvalidParamsError, UnknownWorkflowError, Workflow, canonical_json, folder, load, names
from ryla_modal.workflows import checkpoints, load_all

ROOT = Path(__file__).parents[3]
FIXTURES = ROOT / "tests/fixtures/v1/workflows"
MODELS = {
    "face-swap",
    "flux",
    "flux-dev",
    "flux-instantid",
    "flux-ipadapter-faceid",
    "flux-lora",
    "live-portrait",
    "sdxl",
    "sdxl-instantid",
    "wan2",
    "z-image-danrisi",
    "z-image-instantid",
    "z-image-pulid",
    "z-image-simple",
}
workflows = pytest.mark.parametrize("workflow", [load(name) for name in names()], ids=lambda workflow: workflow.name)


def smallest(workflow: Workflow) -> dict[str, Any]:
    """Only what is required."""
    return {name: value for name, value in {"prompt": "a lighthouse", "seed": 7}.items() if name in workflow.params}


def files(workflow: Workflow) -> dict[str, str]:
    return {name: f"run/{name}.png" for name in workflow.inputs}


def fill(workflow: Workflow, params: dict[str, Any]) -> bytes:
    return canonical_json(workflow.fill(params, files=files(workflow), prefix="ryla/acc.job.1"))


def others(spec: dict[str, Any]) -> list[Any]:
    """Values of an input that differ from its default: near it, at its ends, every other choice."""
    default = spec.get("default", 7)
    match spec["type"]:
        case "text":
            values: list[Any] = ["fog", 'snow ☃ "and" \\ a\nline\u0007 \U0001f600']
        case "whole":
            values = [spec["min"], spec["max"], spec["min"] + spec["step"], spec["max"] - spec["step"]]
        case "real":
            values = [spec["min"], spec["max"], (spec["min"] + spec["max"]) / 2, spec["min"] + 0.1]
            # The smallest that is taken: nearer to zero the two languages write numbers in different ways.
            values += [0.001] if spec["min"] == 0 else []
        case _:
            values = spec["choices"]
    return [value for value in values if value != default]


@workflows
def test_the_file_holds_to_the_schema(workflow: Workflow) -> None:
    schema = json.loads((folder() / "schema/workflow.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    data = json.loads((folder() / f"{workflow.name}.json").read_text())
    assert [error.message for error in Draft202012Validator(schema).iter_errors(data)] == []
    assert data["name"] == workflow.name


@workflows
def test_bindings_outputs_and_models_name_inputs_and_nodes_that_exist(workflow: Workflow) -> None:
    data = json.loads((folder() / f"{workflow.name}.json").read_text())
    graph, inputs = data["graph"], data["inputs"]
    targets = [tuple(binding["to"]) for binding in data["bindings"]]
    assert len(set(targets)) == len(targets), "two bindings write the same input"
    for node, name in targets + [tuple(target) for model in data["models"] for target in model["to"]]:
        assert name in graph[node]["inputs"]
    named = {name for binding in data["bindings"] for name in sources(binding)}
    assert named <= inputs.keys()
    assert inputs.keys() - named == {name for name, spec in inputs.items() if spec.get("effect") == "delivery"}
    for output in data["outputs"]:
        assert "filename_prefix" in graph[output["node"]]["inputs"]
    for model in data["models"]:
        for node, name in model["to"]:
            assert graph[node]["inputs"][name] == model["name"]


def sources(binding: dict[str, Any]) -> set[str]:
    motion = binding.get("motion", {})
    single = {binding.get("from"), binding.get("else"), *(motion.get(key) for key in ("seed", "preset", "seconds"))}
    return {name for name in (*single, *binding.get("join", [])) if name}


@workflows
def test_every_input_by_itself_changes_the_graph_or_says_that_it_does_not(workflow: Workflow) -> None:
    base = fill(workflow, smallest(workflow))
    for name, spec in workflow.params.items():
        if spec["type"] == "file":
            moved = {**files(workflow), name: "another.png"}
            assert canonical_json(workflow.fill(smallest(workflow), files=moved, prefix="ryla/acc.job.1")) != base, name
            continue
        for value in others(dict(spec)):
            if name == "aspect_ratio" and value == "1:1":
                continue  # the default size by its other name
            changed = fill(workflow, {**smallest(workflow), name: value})
            if spec.get("effect") == "delivery":
                assert changed == base
                assert "does not change the graph" in spec["description"]
            else:
                assert changed != base, f"{name} = {value!r} has no effect"


@workflows
def test_defaults_lie_in_their_ranges_and_are_what_the_graph_gets(workflow: Workflow) -> None:
    spelled_out = {name: spec["default"] for name, spec in workflow.params.items() if "default" in spec}
    assert fill(workflow, {**spelled_out, **smallest(workflow)}) == fill(workflow, smallest(workflow))


@workflows
def test_values_past_an_end_are_refused_by_name(workflow: Workflow) -> None:
    for name, spec in workflow.params.items():
        wrong: list[Any] = [[], {}, True]
        if spec["type"] in ("whole", "real"):
            wrong += [spec["min"] - 1, spec["max"] + 1, "7", float("nan"), float("inf")]
        if spec["type"] == "whole":
            wrong += [spec["min"] + 0.5]
            wrong += [spec["min"] + 1] if spec["step"] > 1 else []
        if spec["type"] == "text":
            wrong += ["x" * (spec["max_chars"] + 1), "\ud800"]
            wrong += ["", " \n"] if spec.get("required") else []
        if spec["type"] == "choice":
            wrong += ["nothing of the kind", 1]
        for value in wrong if spec["type"] != "file" else []:
            with pytest.raises(InvalidParamsError) as refused:
                fill(workflow, {**smallest(workflow), name: value})
            assert [problem.field for problem in refused.value.problems] == [name]


@workflows
def test_missing_params_files_and_unknown_ones_are_all_told_at_once(workflow: Workflow) -> None:
    with pytest.raises(InvalidParamsError) as refused:
        workflow.fill({"sead": 7}, files={"mask": "m.png"}, prefix="p")
    required = [name for name, spec in workflow.params.items() if spec.get("required")]
    assert [problem.field for problem in refused.value.problems] == [*required, "sead", "mask"]


def test_all_models_are_there_and_no_other() -> None:
    assert set(names()) == MODELS


@pytest.mark.parametrize("name", ["nothing", "../flux-dev", "Flux-Dev", "", "schema/workflow.schema"])
def test_an_unknown_name_is_refused_before_any_file_is_looked_at(name: str) -> None:
    with pytest.raises(UnknownWorkflowError):
        load(name)


def test_the_folder_can_be_named_by_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "only.json").write_text((folder() / "flux.json").read_text())
    monkeypatch.setenv("RYLA_WORKFLOWS", str(tmp_path))
    assert names() == ["only"]
    assert load("only").family == "flux"


def test_a_null_is_a_param_that_was_left_out() -> None:
    workflow = load("flux-dev")
    assert fill(workflow, {**smallest(workflow), "steps": None}) == fill(workflow, smallest(workflow))


def test_a_newer_file_is_refused() -> None:
    with pytest.raises(ValueError, match="version 2"):
        Workflow({"v": 2})


def test_a_checkpoint_can_be_replaced_and_nothing_else() -> None:
    workflow = load("flux-instantid")
    given: dict[str, Any] = {"files": files(workflow), "prefix": "p"}
    graph = workflow.fill(smallest(workflow), models={"checkpoint": "mine.safetensors"}, **given)
    assert graph["1"]["inputs"]["ckpt_name"] == "mine.safetensors"
    assert graph["30"]["inputs"]["ckpt_name"] == "sd_xl_base_1.0.safetensors"
    for role in ("instantid", "nothing"):
        with pytest.raises(InvalidParamsError):
            workflow.fill(smallest(workflow), models={role: "mine.bin"}, **given)


def test_a_deployments_own_checkpoint_is_loaded_by_every_workflow_that_allows_it() -> None:
    setting = " flux1-dev-fp8.safetensors=mine.safetensors, sd_xl_base_1.0.safetensors=sub/other.safetensors,"
    ours = load_all(checkpoints(setting))
    both = ours["flux-instantid"]
    graph = both.fill(smallest(load("flux-instantid")), files=files(load("flux-instantid")), prefix="p")
    assert (graph["1"]["inputs"]["ckpt_name"], graph["30"]["inputs"]["ckpt_name"]) == ("mine.safetensors", "sub/other.safetensors")
    assert {"mine.safetensors", "sub/other.safetensors"} <= {model.name for model in both.models}
    for name, workflow in ours.items():
        assert not {"flux1-dev-fp8.safetensors", "sd_xl_base_1.0.safetensors"} & {model.name for model in workflow.models}, name
    # Without the setting, and for the next process, everything is as it was.
    assert load("flux-instantid").fill(smallest(load("flux-instantid")), files=files(load("flux-instantid")), prefix="p") != graph
    assert checkpoints("") == {}


@pytest.mark.parametrize(
    "setting",
    [
        "flux1-dev-fp8.safetensors",
        "flux1-dev-fp8.safetensors=",
        "flux1-dev-fp8.safetensors=../x",
        "flux1-dev-fp8.safetensors=/root/x",
        "ip-adapter.bin=mine.bin",
        "nothing=x",
        "flux1-dev-fp8.safetensors=a,flux1-dev-fp8.safetensors=b",
    ],
)
def test_a_checkpoint_that_cannot_be_replaced_or_named_is_refused_at_the_deploy(setting: str) -> None:
    with pytest.raises(ValueError, match="RYLA_CHECKPOINTS"):
        checkpoints(setting)


def test_a_trigger_word_stands_before_the_prompt() -> None:
    workflow = load("flux-lora")
    graph = workflow.fill({**smallest(workflow), "trigger_word": "ohwx"}, files=files(workflow), prefix="p")
    assert graph["2"]["inputs"]["text"] == "ohwx, a lighthouse"


def test_frames_are_seconds_in_another_unit_and_only_one_of_them_may_be_given() -> None:
    workflow = load("live-portrait")
    assert fill(workflow, {"seed": 1, "duration_frames": 450}) == fill(workflow, {"seed": 1, "duration_seconds": 15})
    with pytest.raises(InvalidParamsError) as refused:
        fill(workflow, {"seed": 1, "duration_frames": 450, "duration_seconds": 15})
    assert refused.value.problems[0].field == "duration_frames"
    for frames in (299, 601, "450", 450.0, True):
        with pytest.raises(InvalidParamsError):
            fill(workflow, {"seed": 1, "duration_frames": frames})


def commands(text: str) -> list[tuple[int, int, int]]:
    return [
        (int(motion), int(change), int(keep)) for motion, change, keep in (line.replace("=", ":").split(":") for line in text.split("\n"))
    ]


@pytest.mark.parametrize(("preset", "closed"), [("neutral", 1), ("smile", 6), ("nod", 1)])
def test_a_motion_has_exactly_its_frames_and_blinks_every_3_to_6_seconds(preset: str, closed: int) -> None:
    draw = random.Random(preset)  # noqa: S311  # values for a test
    for _ in range(500):
        frames = draw.randint(300, 600)
        lines = commands(portrait_motion(draw.getrandbits(64), preset, frames))
        assert sum(change + keep for _, change, keep in lines) == frames
        assert all(change >= 1 and keep >= 0 for _, change, keep in lines)
        shut = []
        at = 0
        for motion, change, keep in lines:
            if motion == closed:
                shut.append(at)
            at += change + keep
        assert shut, "nobody keeps their eyes open for ten seconds"
        assert 90 <= shut[0] <= 180
        assert all(90 <= later - earlier - 8 <= 180 for earlier, later in pairwise(shut))


def cases(workflow: Workflow) -> list[dict[str, Any]]:
    """What the fixtures hold: the defaults, each input at other values, and everything at once."""
    base = smallest(workflow)
    given: list[dict[str, Any]] = [base]
    plain = {name: others(dict(spec)) for name, spec in workflow.params.items() if spec["type"] != "file"}
    given += [{**base, name: value} for name, values in plain.items() for value in values]
    return [*given, {name: values[-1] for name, values in plain.items()}]


@workflows
def test_the_graphs_are_byte_for_byte_those_of_the_fixtures(workflow: Workflow) -> None:
    filled = [
        {"params": params, "files": files(workflow), "prefix": "ryla/acc.job.1", "graph": fill(workflow, params).decode()}
        for params in cases(workflow)
    ]
    file = FIXTURES / f"{workflow.name}.json"
    if os.environ.get("RYLA_WRITE_FIXTURES"):
        file.parent.mkdir(parents=True, exist_ok=True)
        lines = ",\n".join(json.dumps(case, ensure_ascii=True, sort_keys=True) for case in filled)
        file.write_text(f"[\n{lines}\n]\n")
    assert json.loads(file.read_text()) == filled


def test_numbers_that_rust_would_write_in_another_way_are_refused_or_made_plain() -> None:
    """shared/backends/src/workflow/tests.rs does the same."""

    def scaled(scale: float) -> bytes:
        workflow = load("live-portrait")
        return fill(workflow, {"seed": 7, "expression_scale": scale})

    for scale in (1e-5, 9.99e-4, 5e-324):
        with pytest.raises(InvalidParamsError, match="expression_scale must be 0 or at least"):
            scaled(scale)
    assert scaled(-0.0) == scaled(0.0)
    assert b"0.0009" in scaled(0.001)


@pytest.mark.parametrize("number", [10**400, -(10**400), float("nan"), float("inf")])
def test_numbers_beyond_all_bounds_are_refused_like_others(number: float) -> None:
    for name, field in (("flux-dev", "cfg"), ("live-portrait", "duration_seconds"), ("live-portrait", "duration_frames")):
        with pytest.raises(InvalidParamsError):
            fill(load(name), smallest(load(name)) | {field: number})
