"""The ComfyUI process of a container: starts it, waits until it answers, starts it again once it is dead."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import httpx

from ryla_modal.comfy import ComfyDown, HttpComfy

START_LIMIT_S = 120.0
LOG = "ryla-comfyui.log"


class ComfyServer(HttpComfy):
    """ComfyUI on the loopback address. `command` is the whole command line, `base` the folder of its files."""

    def __init__(self, command: Sequence[str], port: int, base: Path, http: httpx.Client) -> None:
        super().__init__(f"http://127.0.0.1:{port}", http)
        self._command = list(command)
        self._folder = base
        self._process: subprocess.Popen[bytes] | None = None
        self.start_ms = 0

    def boot(self) -> None:
        """Starts the process and waits until it answers. Raises ComfyDown."""
        begun = time.monotonic()
        # Node packs print what they like, prompts too: that stays in the container.
        with (self._folder / LOG).open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )
        while not self.answers():
            if self._process.poll() is not None:
                raise ComfyDown(f"ComfyUI ended with {self._process.returncode}")
            if time.monotonic() - begun > START_LIMIT_S:
                self.shut()
                raise ComfyDown("ComfyUI did not start in time")
            time.sleep(0.1)
        self.start_ms = round((time.monotonic() - begun) * 1000)

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
        for made in (self._folder / "output" / "ryla").glob(f"{run}_*"):
            made.unlink(missing_ok=True)
        shutil.rmtree(self._folder / "input" / run, ignore_errors=True)
