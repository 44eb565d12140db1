"""The one running ComfyUI of a test session, and the params that each workflow is tried with."""

import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ryla_modal.workflow import Workflow
from server import ComfyUi, running

# What a client would have to give; everything else has a default.
REQUIRED: dict[str, Any] = {"prompt": "a lighthouse in the evening sun", "seed": 7}
FILES = {"image": "reference.png", "lora": "test-lora.safetensors"}


def required_params(workflow: Workflow) -> dict[str, Any]:
    """The smallest params that the workflow takes."""
    return {name: value for name, value in REQUIRED.items() if name in workflow.params}


def files_of(workflow: Workflow) -> dict[str, str]:
    """Names of files that the running ComfyUI has, for every file param."""
    return {name: FILES[kind] for name, kind in workflow.inputs.items()}


def png(width: int, height: int) -> bytes:
    """A grey ramp as PNG."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + bytes(((x + y) * 255 // (width + height)) for x in range(width) for _ in "rgb") for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.fixture(scope="session")
def comfy() -> Iterator[ComfyUi]:
    """A ComfyUI with the tiny models and all stand-in packs; `run` says where it is installed."""
    with running(Path(os.environ["COMFYUI"])) as server:
        (server.base / "input" / FILES["image"]).write_bytes(png(320, 448))
        yield server
