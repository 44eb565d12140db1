"""Reads `infra/workflows/*.json` and fills a ComfyUI graph from a job's params; the only place in Python that does.

run_job calls `load(name).fill(...)`; start-up compares `nodes` and `models` with what ComfyUI has. The Rust crate
ryla-backends fills the same files (`shared/backends/src/workflow`); both must give the same bytes as
`tests/fixtures/v1/workflows`. It does no I/O but reading the file, draws nothing and knows no clock.
"""

import json
import math
import os
import re
from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, cast

from ryla_modal.motion import portrait_motion

Graph = dict[str, dict[str, Any]]
Kind = Literal["image", "video"]

VERSION = 1
FOLDER_VARIABLE = "RYLA_WORKFLOWS"
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
# Nearer to zero Python and Rust write numbers in different ways (1e-05 and 0.00001); no model could tell them from zero.
SMALLEST_REAL = 0.001


class UnknownWorkflowError(LookupError):
    """There is no workflow of that name."""


@dataclass(frozen=True)
class Problem:
    """One param that cannot be taken. The message repeats numbers and names of choices, never a text of the user's."""

    field: str
    message: str


class InvalidParamsError(ValueError):
    """Everything that is wrong with the params of one job."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        """Keeps the problems in the order of the workflow's inputs."""
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{problem.field} {problem.message}" for problem in self.problems))


@dataclass(frozen=True)
class ModelFile:
    """A file that a workflow needs in one of ComfyUI's model folders. `sha256` and `size` are None where no source names them."""

    role: str
    folder: str
    name: str
    sha256: str | None
    size: int | None
    about_gb: float
    url: str
    gated: bool
    license: str
    replaceable: bool


@dataclass(frozen=True)
class Output:
    """Which node's file becomes the output of a slot."""

    slot: int
    node: str
    kind: Kind


class Workflow:
    """One workflow file."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        """Takes the parsed file; `load` is the usual way."""
        if data.get("v") != VERSION:
            raise ValueError(f"the workflow file is of version {data.get('v')!r}, this code reads {VERSION}")
        self._data = data
        self.name: str = data["name"]
        self.family: str = data["family"]
        self.description: str = data["description"]
        self.license_note: str = data["license"]["note"]
        self.vram_gb: int = data["vram_gb"]
        self.params: Mapping[str, Mapping[str, Any]] = data["inputs"]
        self.outputs = tuple(Output(**output) for output in data["outputs"])
        self.nodes = frozenset(str(node["class_type"]) for node in data["graph"].values())
        self.pack_nodes = frozenset(name for pack in data["packs"] for name in pack["nodes"])
        self.models = tuple(_model_file(model) for model in data["models"])

    @property
    def inputs(self) -> dict[str, str]:
        """Params that are files: their name, and what they are (`image` or `lora`)."""
        return {name: spec["file"] for name, spec in self.params.items() if spec["type"] == "file"}

    def fill(
        self,
        params: Mapping[str, Any],
        *,
        files: Mapping[str, str],
        prefix: str,
        models: Mapping[str, str] | None = None,
    ) -> Graph:
        """The graph for POST /prompt.

        `files` says under which name ComfyUI knows each file param; `prefix` is the file name prefix of this attempt, which no
        other attempt may share; `models` replaces model files by role where the workflow allows it.
        """
        values = self._resolve(params, files)
        graph: Graph = deepcopy(self._data["graph"])
        for binding in self._data["bindings"]:
            node, name = binding["to"]
            graph[node]["inputs"][name] = _value(binding, values)
        for output in self.outputs:
            graph[output.node]["inputs"]["filename_prefix"] = prefix
        for role, file in (models or {}).items():
            self._replace_model(graph, role, file)
        for node in graph.values():
            # Titles are for people who read the file.
            node.pop("_meta", None)
        return graph

    def with_models(self, replaced: Mapping[str, str]) -> "Workflow":
        """The same workflow with other files in the place of those that it allows: by file name, for a whole deployment.

        Nothing is known of the other file: it has no hash, no size and no source, so a person puts it on the volume.
        """
        data = deepcopy(dict(self._data))
        for model in data["models"]:
            other = replaced.get(model["name"]) if model["replaceable"] else None
            if other is not None:
                for node, name in model["to"]:
                    data["graph"][node]["inputs"][name] = other
                model |= {"name": other, "sha256": None, "bytes": None, "url": "", "gated": False}
        return Workflow(data)

    def _replace_model(self, graph: Graph, role: str, file: str) -> None:
        for model in self._data["models"]:
            if model["role"] == role and model["replaceable"]:
                for node, name in model["to"]:
                    graph[node]["inputs"][name] = file
                return
        raise InvalidParamsError([Problem(f"models.{role}", "is no model file of this workflow that can be replaced")])

    def _resolve(self, params: Mapping[str, Any], files: Mapping[str, str]) -> dict[str, Any]:
        """Every input's value, checked, with defaults filled in."""
        problems: list[Problem] = []
        given = {name: value for name, value in params.items() if value is not None}
        for alias, rule in self._data.get("aliases", {}).items():
            if alias in given:
                self._take_alias(given, alias, rule, problems)
        values: dict[str, Any] = {}
        for name, spec in self.params.items():
            if spec["type"] == "file":
                if name in files:
                    values[name] = files[name]
                else:
                    problems.append(Problem(name, "is required"))
            elif name in given:
                try:
                    values[name] = _check(spec, given[name])
                except ValueError as error:
                    problems.append(Problem(name, str(error)))
            elif "default" in spec:
                values[name] = spec["default"]
            else:
                problems.append(Problem(name, "is required"))
        problems += [Problem(name, "is no parameter of this model") for name in sorted(given.keys() - self.params.keys())]
        problems += [Problem(name, "is no file of this model") for name in sorted(files.keys() - self.inputs.keys())]
        if problems:
            raise InvalidParamsError(problems)
        return values

    @staticmethod
    def _take_alias(given: dict[str, Any], alias: str, rule: Mapping[str, Any], problems: list[Problem]) -> None:
        number = given.pop(alias)
        if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < 1 << 32:
            problems.append(Problem(alias, "must be a whole number"))
        elif rule["for"] in given:
            problems.append(Problem(alias, f"says the same as {rule['for']}; give one of them"))
        else:
            given[rule["for"]] = number / rule["divide"]


def _model_file(model: Mapping[str, Any]) -> ModelFile:
    known = {key: value for key, value in model.items() if key not in ("bytes", "to")}
    return ModelFile(size=model["bytes"], **known)


def _check(spec: Mapping[str, Any], value: object) -> object:
    """The value as the graph takes it; otherwise ValueError with a message for the client."""
    match spec["type"]:
        case "text":
            return _check_text(spec, value)
        case "whole":
            return _check_whole(spec, value)
        case "real":
            # Not a number compares as false with everything.
            if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
                raise ValueError("must be a number")
            if not spec["min"] <= value <= spec["max"]:
                raise ValueError(f"must be from {spec['min']} to {spec['max']}")
            if 0 < abs(value) < SMALLEST_REAL:
                raise ValueError(f"must be 0 or at least {SMALLEST_REAL} away from it")
            # Minus zero becomes zero.
            return float(value) + 0.0
        case _:
            if value not in spec["choices"]:
                raise ValueError(f"must be one of {', '.join(spec['choices'])}")
            return value


def _check_text(spec: Mapping[str, Any], value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a text")  # all problems are told the same way
    if len(value) > spec["max_chars"]:
        raise ValueError(f"must have at most {spec['max_chars']} characters")
    if spec.get("required") and not value.strip():
        raise ValueError("must not be empty")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError("must be valid Unicode") from None
    return value


def _check_whole(spec: Mapping[str, Any], value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("must be a whole number")
    if not spec["min"] <= value <= spec["max"]:
        raise ValueError(f"must be from {spec['min']} to {spec['max']}")
    if (value - spec["min"]) % spec["step"]:
        raise ValueError(f"must go in steps of {spec['step']} from {spec['min']}")
    return value


def _value(binding: Mapping[str, Any], values: Mapping[str, Any]) -> object:
    """What a binding puts into its node's input."""
    if "join" in binding:
        parts = [str(values[name]) for name in binding["join"]]
        return str(binding["separator"]).join(part for part in parts if part)
    if "motion" in binding:
        motion = binding["motion"]
        frames = _nearest(values[motion["seconds"]] * motion["fps"])
        return portrait_motion(values[motion["seed"]], values[motion["preset"]], frames)
    value = values[binding["from"]]
    if "map" in binding:
        table = binding["map"]
        return table[value] if value in table else values[binding["else"]]
    if "times" in binding:
        number = value * binding["times"] + binding.get("plus", 0)
        return _nearest(number) if binding.get("whole") else float(number)
    return value


def _nearest(number: float) -> int:
    return math.floor(number + 0.5)


def canonical_json(graph: Graph) -> bytes:
    """The bytes of a graph that Rust and Python agree about: sorted keys, no spaces, UTF-8."""
    return json.dumps(graph, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def folder() -> Path:
    """Where the workflow files are: what RYLA_WORKFLOWS says, else the repository's infra/workflows."""
    return Path(os.environ.get(FOLDER_VARIABLE) or Path(__file__).resolve().parents[3] / "workflows")


def names(workflows: Path | None = None) -> list[str]:
    """Names of all workflows, sorted."""
    return sorted(file.stem for file in (workflows or folder()).glob("*.json"))


def load(name: str, workflows: Path | None = None) -> Workflow:
    """The workflow of that name; a file is read once in the life of a process."""
    if not NAME.fullmatch(name):
        raise UnknownWorkflowError(name)
    return _load(workflows or folder(), name)


@cache
def _load(workflows: Path, name: str) -> Workflow:
    try:
        text = (workflows / f"{name}.json").read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UnknownWorkflowError(name) from None
    return Workflow(cast("Mapping[str, Any]", json.loads(text)))
