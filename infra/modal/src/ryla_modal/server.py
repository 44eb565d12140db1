"""The ComfyUI process of a container: starts it, moves it to the GPU after a snapshot, starts it again once it is dead."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import httpx

from ryla_modal.comfy import ComfyDown, HttpComfy

START_LIMIT_S = 120.0
LOG = "ryla-comfyui.log"
# Without a GPU, yet with the attention that a GPU wants: which one is used is settled when ComfyUI is imported.
ASLEEP = ("--cpu", "--use-pytorch-cross-attention")
# A look for CUDA that finds no driver is remembered by the process for good, unless it is made through NVML.
VARIABLES = {"PYTORCH_NVML_BASED_CUDA_CHECK": "1"}

log = logging.getLogger("ryla_modal.server")


class ComfyServer(HttpComfy):
    """ComfyUI on the loopback address. `command` is the whole command line, `base` the folder of its files."""

    def __init__(self, command: Sequence[str], port: int, base: Path, http: httpx.Client) -> None:
        super().__init__(f"http://127.0.0.1:{port}", http)
        self._command = list(command)
        self._folder = base
        self._process: subprocess.Popen[bytes] | None = None
        self.start_ms = 0

    @property
    def pid(self) -> int | None:
        """The process, while there is one."""
        return None if self._process is None else self._process.pid

    def boot(self) -> None:
        """Starts the process and waits until it answers. Raises ComfyDown."""
        begun = time.monotonic()
        self._start()
        self.start_ms = round((time.monotonic() - begun) * 1000)

    def boot_asleep(self) -> None:
        """Starts it where there is no GPU, for a memory snapshot to be taken of it. Raises ComfyDown."""
        self._start(*ASLEEP)

    def wake(self) -> None:
        """Moves a server that was started asleep to the GPU; one that cannot be moved is started anew. Raises ComfyDown."""
        begun = time.monotonic()
        try:
            awake = str(self._json("POST", "/ryla/device")["device"]).startswith("cuda")
        except (ComfyDown, KeyError, TypeError):
            awake = False
        if not awake:
            log.warning("ComfyUI did not wake on the GPU and is started anew")
            self.shut()
            self._start()
        self.start_ms = round((time.monotonic() - begun) * 1000)

    def _start(self, *flags: str) -> None:
        begun = time.monotonic()
        # Node packs print what they like, prompts too: that stays in the container.
        with (self._folder / LOG).open("wb") as output:
            self._process = subprocess.Popen(  # noqa: S603
                [*self._command, *flags], env={**os.environ, **VARIABLES}, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
            )
        while not self.answers():
            if self._process.poll() is not None:
                raise ComfyDown(f"ComfyUI ended with {self._process.returncode}")
            if time.monotonic() - begun > START_LIMIT_S:
                self.shut()
                raise ComfyDown("ComfyUI did not start in time")
            time.sleep(0.1)

    def shut(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def restart(self) -> bool:
        self.shut()
        try:
            self.boot()
        except ComfyDown:
            return False
        return True

    def forget_run(self, run: str) -> None:
        """Removes the local files of a run: what it made, and what it was given."""
        for made in (self._folder / "output" / "ryla").glob(f"{run}[-_]*"):
            made.unlink(missing_ok=True)
        shutil.rmtree(self._folder / "input" / run, ignore_errors=True)
