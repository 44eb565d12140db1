"""What the app needs to know of a workflow: the shape of `ryla_modal.workflow.Workflow`, data of infra/workflows."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

from ryla_modal import workflow


class ModelFile(Protocol):
    """A file that a workflow loads."""

    @property
    def folder(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def sha256(self) -> str | None: ...
    @property
    def size(self) -> int | None: ...
    @property
    def url(self) -> str: ...
    @property
    def gated(self) -> bool: ...


class OutputNode(Protocol):
    """A node whose files are delivered."""

    @property
    def node(self) -> str: ...
    @property
    def kind(self) -> str: ...


class WorkflowLike(Protocol):
    """A graph template with its bindings."""

    @property
    def family(self) -> str: ...
    @property
    def inputs(self) -> Mapping[str, str]:
        """Params that are files: their name, and `image` or `lora`."""

    @property
    def outputs(self) -> Sequence[OutputNode]: ...
    @property
    def nodes(self) -> Collection[str]: ...
    @property
    def models(self) -> Sequence[ModelFile]: ...

    def fill(self, params: dict[str, Any], *, files: dict[str, str], prefix: str) -> dict[str, Any]:
        """The ComfyUI API-format graph. Raises ValueError, naming the field, where a parameter does not fit."""


Workflows = Mapping[str, WorkflowLike]


# A file below its model folder, as ComfyUI names it.
_FILE = re.compile(r"\w[\w.-]*(?:/\w[\w.-]*)*")


def checkpoints(setting: str) -> dict[str, str]:
    """What RYLA_CHECKPOINTS says: `ours.safetensors=theirs.safetensors`, separated by commas. Raises ValueError."""
    known = {model.name for name in workflow.names() for model in workflow.load(name).models if model.replaceable}
    replaced: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in setting.split(","))):
        ours, _, theirs = part.partition("=")
        if ours not in known or ours in replaced:
            raise ValueError(f"RYLA_CHECKPOINTS: {ours} must be one of {', '.join(sorted(known))}, each once")
        if not _FILE.fullmatch(theirs):
            raise ValueError(f"RYLA_CHECKPOINTS: {ours} needs the name of a file in its folder")
        replaced[ours] = theirs
    return replaced


def load_all(replaced: Mapping[str, str] | None = None) -> Workflows:
    """Every workflow of infra/workflows, with the deployment's own checkpoints."""
    return {name: workflow.load(name).with_models(replaced or {}) for name in workflow.names()}
