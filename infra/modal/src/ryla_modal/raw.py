"""A ComfyUI graph that a caller brings (`POST /workflow`): which nodes it may use, how much it may ask for, what it may read.

Nodes can run code and read files, so only those that our own workflows use are allowed, and a few of ComfyUI's own beside
them. Files are named by nobody but us: pictures are those of the request, outputs get our prefix.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from math import isfinite
from typing import Any

from ryla_modal.families import FAMILIES
from ryla_modal.wire import Refused, invalid
from ryla_modal.workflows import ModelFile, Workflows

NAME = "workflow"
MAX_NODES = 200
MAX_IMAGES = 4
MAX_IMAGE_PIXELS = 2048 * 2048
# Of ComfyUI's own nodes those that make and change pictures in memory; none reads or writes a file by a name of its own.
CORE = frozenset(
    {
        "BasicGuider", "BasicScheduler", "CFGGuider", "CLIPSetLastLayer", "CLIPTextEncode", "CheckpointLoaderSimple",
        "ConditioningCombine", "ConditioningConcat", "ConditioningSetTimestepRange", "ConditioningZeroOut",
        "DualCLIPLoader", "EmptyLatentImage", "EmptySD3LatentImage", "FluxGuidance", "GetImageSize", "ImageInvert",
        "ImageScale", "ImageScaleToTotalPixels", "KSampler", "KSamplerAdvanced", "KSamplerSelect", "LoadImage",
        "LoraLoader", "LoraLoaderModelOnly", "ModelSamplingAuraFlow", "ModelSamplingFlux", "ModelSamplingSD3",
        "RandomNoise", "SamplerCustomAdvanced", "SaveImage", "UNETLoader", "VAEDecode", "VAEEncode", "VAELoader",
    }
)  # fmt: skip
SAVES = {"SaveImage": "image", "SaveVideo": "video"}
# The largest literal of an input, whatever its node; what makes work must be a literal.
LIMITS = {"width": 2048, "height": 2048, "batch_size": 4, "steps": 100, "length": 121, "megapixels": 4, "duration_seconds": 20}
WORK = ("batch_size", "steps", "length", "megapixels")
# 60 steps at 2048 x 2048, or 240 at 1024 x 1024.
MAX_STEP_PIXELS = 60 * 2048 * 2048
_FETCHED_LORA = re.compile(r"(?:.*[\\/])?[0-9a-f]{64}(?:\.safetensors)?")


@dataclass(frozen=True)
class Output:
    """A node whose file is returned."""

    node: str
    kind: str


class RawWorkflow:
    """A checked graph in the shape of a workflow. `allowed`: node classes by family."""

    family: str
    models: Sequence[ModelFile] = ()

    def __init__(self, graph: object, images: Sequence[str], allowed: Mapping[str, frozenset[str]], family: object = None) -> None:
        self._graph = _nodes(graph)
        self.nodes = frozenset(str(node["class_type"]) for node in self._graph.values())
        self.family = _family(self.nodes, allowed, family)
        saved = [Output(node_id, SAVES[node["class_type"]]) for node_id, node in self._graph.items() if node["class_type"] in SAVES]
        if not saved:
            raise invalid("workflow", "has no SaveImage or SaveVideo node")
        self.outputs = saved[:1]
        self.inputs = dict.fromkeys(images, "image")
        for node_id, node in self._graph.items():
            self._check_node(node_id, node)
        _check_work(self._graph)

    def fill(self, params: dict[str, Any], *, files: dict[str, str], prefix: str) -> dict[str, Any]:  # noqa: ARG002
        """The graph with our names in it; the params are in the graph already."""
        graph = deepcopy(self._graph)
        for node in graph.values():
            if node["class_type"] == "LoadImage":
                node["inputs"]["image"] = files[node["inputs"]["image"]]
            if node["class_type"] in SAVES:
                node["inputs"]["filename_prefix"] = prefix
        return graph

    def _check_node(self, node_id: str, node: Mapping[str, Any]) -> None:
        for name, value in node["inputs"].items():
            where = f"workflow.{node_id}.{name}"
            if isinstance(value, list):
                linked = len(value) == 2 and isinstance(value[0], str) and value[0] in self._graph and type(value[1]) is int
                if not linked or name in WORK:
                    raise invalid(where, "must be a number here" if name in WORK else "must be a link to a node of this graph")
            elif isinstance(value, str):
                self._check_text(where, str(node["class_type"]), name, value)
            elif value is not None and (not isinstance(value, bool | int | float) or not isfinite(value)):
                raise invalid(where, "must be a finite number, a text or a link")
            # 0 means to ComfyUI that the side follows the other one, whatever comes of it.
            if name in ("width", "height") and value == 0:
                raise invalid(where, "must not be 0")
            if name in LIMITS and not isinstance(value, list) and not _is_number(value, LIMITS[name]):
                raise invalid(where, f"must be a number up to {LIMITS[name]}")

    def _check_text(self, where: str, kind: str, name: str, value: str) -> None:
        if kind == "LoadImage" and name == "image":
            if value not in self.inputs:
                raise invalid(where, "must be one of the names in images")
        elif kind in SAVES and name == "filename_prefix":
            return
        elif name.startswith("lora") and _FETCHED_LORA.fullmatch(value):
            raise invalid(where, "is no LoRA of this deployment")
        elif kind != "CLIPTextEncode" and ".." in value:
            raise invalid(where, "must not hold `..`")


def allowed_nodes(workflows: Workflows) -> dict[str, frozenset[str]]:
    """What each family's class takes: the nodes of its own workflows, and ComfyUI's plain ones."""
    return {family: CORE.union(*(workflow.nodes for workflow in workflows.values() if workflow.family == family)) for family in FAMILIES}


def _nodes(graph: object) -> dict[str, dict[str, Any]]:
    if not isinstance(graph, dict) or not 1 <= len(graph) <= MAX_NODES:
        raise invalid("workflow", f"must be a graph in ComfyUI's API format with at most {MAX_NODES} nodes")
    for node_id, node in graph.items():
        good = isinstance(node, dict) and isinstance(node.get("class_type"), str) and isinstance(node.get("inputs"), dict)
        if not good or not re.fullmatch(r"[\w:.-]{1,32}", node_id):
            raise invalid("workflow", "every node needs a class_type and inputs (ComfyUI's API format, not the editor's)")
    # Titles and whatever else the editor adds stay behind.
    return {node_id: {"class_type": node["class_type"], "inputs": dict(node["inputs"])} for node_id, node in graph.items()}


def _family(nodes: frozenset[str], allowed: Mapping[str, frozenset[str]], wanted: object) -> str:
    if wanted is not None and wanted not in allowed:
        raise invalid("family", f"must be one of {', '.join(allowed)}")
    families = [str(wanted)] if wanted is not None else list(allowed)
    for family in families:
        if nodes <= allowed[family]:
            return family
    known = frozenset[str]().union(*(allowed[family] for family in families))
    strange = sorted(nodes - known)
    if strange:
        raise Refused(422, "invalid_input", f"workflow: the node {strange[0]!r:.80} is not allowed")
    raise invalid("workflow", "uses nodes that no single GPU class has together")


def _check_work(graph: Mapping[str, Mapping[str, Any]]) -> None:
    inputs = [node["inputs"] for node in graph.values()]

    def most(name: str, otherwise: float) -> float:
        return max((value for item in inputs if isinstance(value := item.get(name), int | float)), default=otherwise)

    steps = sum(item["steps"] for item in inputs if isinstance(item.get("steps"), int | float))
    given = MAX_IMAGE_PIXELS if any(node["class_type"] == "LoadImage" for node in graph.values()) else 1
    pixels = max(most("width", 1) * most("height", 1), most("megapixels", 0) * 1024 * 1024, given)
    if steps * pixels * most("batch_size", 1) * max(1, most("length", 1) / 4) > MAX_STEP_PIXELS:
        raise invalid("workflow", "asks for too much: steps x pixels x pictures")


def _is_number(value: object, most: float) -> bool:
    return not isinstance(value, bool) and isinstance(value, int | float) and 0 <= value <= most
