"""LoRAs in `models/loras`: those that a deployment put there by name, and those fetched by presigned URL, by hash.

Fetched ones are bounded in size, the least recently used goes first; what a person put there is never removed.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from ryla_modal.clock import Clock
from ryla_modal.failures import Failed
from ryla_modal.fetch import fetch

MAX_LORA_BYTES = 2 * 1024**3
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_CACHED = re.compile(r"[0-9a-f]{64}\.safetensors")


@dataclass(frozen=True)
class Loras:
    """The folder, and how many bytes of fetched files it may hold."""

    folder: Path
    max_bytes: int

    def named(self, lora_id: str) -> str:
        """The file name of a LoRA that lies here under its id; Failed(lora_not_found) if none does."""
        stem = lora_id.removesuffix(".safetensors")
        # A name that is a hash is a file that some account's run brought: only who knows its URL gets it.
        fetched = _CACHED.fullmatch(f"{stem}.safetensors")
        if _ID.fullmatch(stem) and not fetched and (self.folder / f"{stem}.safetensors").is_file():
            return f"{stem}.safetensors"
        raise Failed("lora_not_found", "no LoRA of that id lies on the volume")

    def fetched(self, http: httpx.Client, clock: Clock, url: str, sha256: str, tick: Callable[[], None]) -> tuple[str, int]:
        """The file name of the LoRA of that hash, and how many bytes had to be fetched for it."""
        path = self.folder / f"{sha256}.safetensors"
        if path.is_file():
            seconds = clock.now_ms() / 1000
            os.utime(path, (seconds, seconds))
            return path.name, 0
        data = fetch(http, clock, url, what="lora", tick=tick, limit=MAX_LORA_BYTES, absent="lora_not_found")
        if hashlib.sha256(data).hexdigest() != sha256:
            raise Failed("lora_not_found", "lora: its file has another sha256")
        self.folder.mkdir(parents=True, exist_ok=True)
        self._make_room(len(data))
        part = path.with_suffix(f".part{os.getpid()}")
        try:
            part.write_bytes(data)
            part.replace(path)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise Failed("internal", f"lora: cannot be stored ({error.strerror})") from None
        seconds = clock.now_ms() / 1000
        os.utime(path, (seconds, seconds))
        return path.name, len(data)

    def _make_room(self, wanted: int) -> None:
        files = [(path.stat(), path) for path in self.folder.iterdir() if _CACHED.fullmatch(path.name)]
        used = sum(stat.st_size for stat, _ in files)
        for stat, path in sorted(files, key=lambda item: item[0].st_mtime):
            if used + wanted <= self.max_bytes:
                return
            path.unlink(missing_ok=True)
            used -= stat.st_size
