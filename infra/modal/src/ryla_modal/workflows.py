"""What the app needs to know of a workflow: the shape of `ryla_modal.workflow.Workflow`, data of infra/workflows."""

from __future__ import annotations

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


def load_all() -> Workflows:
    """Every workflow of infra/workflows."""
    return {name: workflow.load(name) for name in workflow.names()}
