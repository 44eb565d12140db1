"""What went wrong, as a code of the closed table (shared/domain/src/failure.rs).

ComfyUI's own words are matched here, by fixtures in tests/fixtures/comfyui, and go no further than the app's log.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

# Code: another attempt may succeed. The table of the Rust side decides; this is a hint for human readers.
RETRYABLE = {
    "timeout": True,
    "gpu_error": True,
    "gpu_oom": False,
    "face_not_found": False,
    "invalid_input": False,
    "lora_not_found": False,
    "model_missing": False,
    "no_output": True,
    "unsafe": False,
    "internal": True,
}

_MESSAGE_CHARS = 300
_MODEL_FILE = re.compile(r"\.(?:safetensors|ckpt|pt|pth|bin|onnx|gguf)\b", re.IGNORECASE)
_WORDS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("gpu_oom", re.compile(r"out ?of ?memory|allocation on device|OutOfMemoryError", re.IGNORECASE)),
    ("face_not_found", re.compile(r"no face (?:was )?(?:detected|found)|no faces? in", re.IGNORECASE)),
    ("gpu_error", re.compile(r"CUDA error|cuDNN|CUBLAS|device-side assert|no kernel image|NVRM|AcceleratorError")),
    ("model_missing", re.compile(r"SafetensorError|deserializing header|(?:No such file|not found).{0,200}models?/")),
)


class Failed(Exception):
    """The run ends with this code; `message` names nodes and types, never prompts, paths or tracebacks."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message[:_MESSAGE_CHARS]

    def report(self) -> dict[str, Any]:
        return {"code": self.code, "message": self.message, "retryable": RETRYABLE[self.code]}


def of_execution(messages: Iterable[Any]) -> Failed:
    """The failure of a prompt whose history says `error`."""
    for item in messages:
        match item:
            case ["execution_error", dict(error)]:
                kind, node = str(error.get("exception_type", "Exception")), str(error.get("node_type", "?"))
                words = f"{kind}: {error.get('exception_message', '')}"
                code = next((code for code, pattern in _WORDS if pattern.search(words)), "internal")
                return Failed(code, f"{kind} at {node}")
    return Failed("internal", "ComfyUI says error and names none")


def of_refusal(body: object) -> Failed:
    """The failure of a graph that `POST /prompt` did not take, from the body of its answer."""
    answer: Mapping[str, Any] = body if isinstance(body, dict) else {}
    nodes = answer.get("node_errors")
    for node_id, node in nodes.items() if isinstance(nodes, dict) else ():
        kind = node.get("class_type", "?") if isinstance(node, dict) else "?"
        for error in node.get("errors", ()) if isinstance(node, dict) else ():
            found = _of_node_error(str(node_id), str(kind), error)
            if found is not None:
                return found
    error = answer.get("error")
    if not isinstance(error, dict):
        return Failed("internal", "ComfyUI refuses the graph without saying why")
    # "Cannot execute because node X does not exist.", with "Node ID '#9'" as details.
    unknown = re.search(r"node (\S+) does not exist", str(error.get("message", "")))
    named = re.search(r"#?([\w:.-]+)'?$", str(error.get("details", "")))
    place = f"node {named.group(1)}: " if named and unknown else ""
    said = f"unknown class {unknown.group(1)}" if unknown else str(error.get("type", "refused"))
    return Failed("invalid_input", f"{place}{said}")


def _of_node_error(node_id: str, kind: str, error: object) -> Failed | None:
    if not isinstance(error, dict):
        return None
    details, said = str(error.get("details", "")), str(error.get("type", "refused"))
    name = details.partition(":")[0] if re.match(r"\w+: ", details) else ""
    if said == "value_not_in_list" and _MODEL_FILE.search(details):
        code = "lora_not_found" if name.startswith("lora") else "model_missing"
        return Failed(code, f"node {node_id} ({kind}): {name} is not in its list")
    return Failed("invalid_input", f"node {node_id} ({kind}): {said}")
