"""What a container can really run: its workflows compared with the running ComfyUI and with the model folders.

Called once at the start of each GPU container; the web side refuses what is missing and says so in health.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from ryla_modal.claims import Store
from ryla_modal.workflows import WorkflowLike, Workflows


def missing_of(workflow: WorkflowLike, classes: Collection[str], models: Path) -> list[str]:
    """Node classes and model files that the workflow needs and that are not there."""
    nodes = [f"node {name}" for name in sorted(workflow.nodes) if name not in classes]
    wanted = sorted({f"{model.folder}/{model.name}" for model in workflow.models})
    return nodes + [path for path in wanted if not (models / path).is_file()]


def readiness(workflows: Workflows, object_info: Mapping[str, Any], models: Path) -> dict[str, list[str]]:
    """For every workflow what it lacks; empty where it can run."""
    return {name: missing_of(workflow, object_info.keys(), models) for name, workflow in workflows.items()}


def publish(store: Store, family: str, lacks: Mapping[str, list[str]]) -> None:
    """Tells the web side; the next container of the family overwrites it."""
    store.put(f"ready/{family}", dict(lacks))


def forget(store: Store, families: Collection[str]) -> None:
    """Once files have come: what lacked them is taken again, until the next container of its family has looked."""
    for family in families:
        store.delete(f"ready/{family}")


def published(store: Store, families: Collection[str]) -> dict[str, list[str]]:
    """What every family's newest container lacks."""
    lacks: dict[str, list[str]] = {}
    for family in families:
        said = store.get(f"ready/{family}")
        if isinstance(said, dict):
            lacks |= said
    return lacks
