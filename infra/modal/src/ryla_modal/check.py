"""Whether a submitted job can be run at all: its params, files and outputs compared with its workflow, before it is claimed.

The worker looks at the same things again; here a mistake costs no container and is answered with the field's name.
"""

from __future__ import annotations

from collections.abc import Mapping

from ryla_modal.wire import Job, invalid
from ryla_modal.workflow import InvalidParamsError
from ryla_modal.workflows import WorkflowLike


def check_job(job: Job, workflow: WorkflowLike) -> None:
    """Refuses what the workflow cannot be filled with. Params behind `input_url` are the worker's to check."""
    given = {item.name for item in job.inputs}
    for place, item in enumerate(job.inputs):
        if item.name not in workflow.inputs:
            raise invalid(f"inputs.{place}.name", "is no file of this workflow")
    for name in workflow.inputs:
        # A LoRA may lie on the volume under the name that the params say, a picture behind the user's own URL.
        by_name = job.params is None or isinstance(job.params.get(name), str)
        if name not in given and not by_name:
            raise invalid(f"inputs.{name}", "is missing")
    check_outputs(job, workflow)
    if job.params is not None:
        check_params(job.params, workflow)


def check_outputs(job: Job, workflow: WorkflowLike) -> None:
    """As many outputs as the workflow makes, in the order of their slots, each of its kind."""
    if len(job.outputs) > len(workflow.outputs):
        raise invalid("outputs", f"this workflow makes {len(workflow.outputs)}")
    nodes = dict(zip(sorted(item.slot for item in job.outputs), workflow.outputs, strict=False))
    for place, target in enumerate(job.outputs):
        is_video = nodes[target.slot].kind == "video"
        if (target.content_type == "video/mp4") != is_video:
            raise invalid(f"outputs.{place}.content_type", "must be video/mp4" if is_video else "must be of a picture")


def check_params(params: Mapping[str, object], workflow: WorkflowLike) -> None:
    """Fills the workflow for the sake of what it refuses."""
    try:
        workflow.fill(dict(params), files=dict.fromkeys(workflow.inputs, "file"), prefix="check")
    except InvalidParamsError as bad:
        first = bad.problems[0]
        raise invalid(f"params.{first.field}", first.message) from None
