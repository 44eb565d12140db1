"""Model files onto a volume: each downloaded once, resumable, checked by hash before it gets its name.

Called by the function that fills the volume, never by a run. A file that a person put there is taken over after its
hash was checked, and never deleted. What was checked is noted in `.ryla/`: no start reads 17 GB again.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import httpx

from ryla_modal.clock import Clock
from ryla_modal.workflows import ModelFile

log = logging.getLogger("ryla_modal.models")

TRIES = 6
SPARE_BYTES = 256 * 1024 * 1024
_SHA256 = re.compile(r"[0-9a-f]{64}")


class DownloadFailed(Exception):
    """A file could not be had; the text says what a person has to do."""


class _Again(Exception):
    """The hub stumbled; what arrived is kept."""


@dataclass(frozen=True)
class Stored:
    """A file that lies on the volume. `fetched` counts the bytes that came over the network in this call."""

    path: str
    sha256: str
    fetched: int


@dataclass(frozen=True)
class Hub:
    """Where files come from. The token goes to `token_host` alone."""

    http: httpx.Client
    clock: Clock
    token: str | None = None
    token_host: str = "huggingface.co"  # noqa: S105


@dataclass(frozen=True)
class Shelf:
    """The volume. `commit` makes what was written visible to others; `free` says how many bytes fit."""

    root: Path
    commit: Callable[[], None] = lambda: None
    free: Callable[[Path], int] = lambda path: shutil.disk_usage(path).free

    def place(self, model: ModelFile) -> Path:
        relative = PurePosixPath(model.folder) / model.name
        if relative.is_absolute() or ".." in relative.parts or relative.parts[0].startswith("."):
            raise DownloadFailed(f"{relative}: not a place below the models folder")
        return self.root / relative

    def note(self, model: ModelFile) -> Path:
        return self.root / ".ryla" / "checked" / model.folder / f"{model.name}.json"

    def part(self, model: ModelFile) -> Path:
        return self.root / ".ryla" / "parts" / model.folder / f"{model.name}.part"


def ensure_all(models: Iterable[ModelFile], shelf: Shelf, hub: Hub) -> list[Stored]:
    """Every file, each once; raises DownloadFailed at the first that cannot be had, with those before it kept."""
    seen: dict[Path, Stored] = {}
    for model in models:
        path = shelf.place(model)
        if path not in seen:
            seen[path] = ensure(model, shelf, hub)
    return list(seen.values())


def ensure(model: ModelFile, shelf: Shelf, hub: Hub) -> Stored:
    """The file, taken as it is where it was checked before, taken over where it is right, else downloaded."""
    path, label = shelf.place(model), f"{model.folder}/{model.name}"
    if path.is_file():
        known = _noted(model, shelf, path)
        if known is None:
            # Put there by `modal volume put`, or by a download that died before its note.
            known = _hash(path)
            size = path.stat().st_size
            if model.sha256 not in {None, known} or model.size not in {None, size}:
                raise DownloadFailed(f"{label}: lies on the volume with another hash or size; remove or replace it")
            _note(model, shelf, path, known)
        return Stored(label, known, 0)
    if not model.url:
        raise DownloadFailed(f"{label}: nobody but you has it; `modal volume put ryla-models FILE {label}`")
    for attempt in range(TRIES):
        if attempt:
            hub.clock.sleep(min(2.0**attempt, 30.0))
        try:
            return _download(model, shelf, hub, path, label)
        except _Again as again:
            log.warning("download interrupted", extra={"file": label, "why": str(again)})
    raise DownloadFailed(f"{label}: the hub did not deliver it in {TRIES} tries; run the fill again, it resumes")


def _download(model: ModelFile, shelf: Shelf, hub: Hub, path: Path, label: str) -> Stored:
    part = shelf.part(model)
    part.parent.mkdir(parents=True, exist_ok=True)
    before = part.stat().st_size if part.exists() else 0
    try:
        expected = _receive(model, shelf, hub, part, before, label)
    except OSError as error:
        raise DownloadFailed(f"{label}: cannot be written ({error.strerror}); {_kept(part)}") from None
    digest = _hash(part)
    size = part.stat().st_size
    wanted = model.sha256 or expected
    if wanted not in {None, digest} or model.size not in {None, size}:
        part.unlink()
        raise DownloadFailed(f"{label}: what the hub sent has another hash or size; nothing was stored")
    path.parent.mkdir(parents=True, exist_ok=True)
    part.replace(path)
    _note(model, shelf, path, digest)
    shelf.commit()
    return Stored(label, digest, size - before if before < size else size)


def _receive(model: ModelFile, shelf: Shelf, hub: Hub, part: Path, before: int, label: str) -> str | None:
    """Appends what is missing; returns the hash that the hub itself gives for the file, if it does."""
    headers = {"Accept-Encoding": "identity"}
    if hub.token is not None and httpx.URL(model.url).host == hub.token_host:
        headers["Authorization"] = f"Bearer {hub.token}"
    if before:
        headers["Range"] = f"bytes={before}-"
    try:
        with hub.http.stream("GET", model.url, headers=headers, follow_redirects=True, timeout=60) as response:
            status = response.status_code
            if status == 416 and before:
                # All of it is there, or more: the hash decides.
                return None
            if status in {401, 403}:
                hint = "accept its licence on the hub and set the secret HF_TOKEN" if model.gated else "check HF_TOKEN"
                raise DownloadFailed(f"{label}: the hub refuses it ({status}); {hint}")
            if status in {408, 429} or status >= 500:
                raise _Again(str(status))
            if status not in {200, 206}:
                raise DownloadFailed(f"{label}: the hub answers {status}")
            resumed = status == 206 and response.headers.get("content-range", "").startswith(f"bytes {before}-")
            if status == 206 and not resumed:
                raise DownloadFailed(f"{label}: the hub sent another part than was asked for")
            length = int(response.headers.get("content-length", "0"))
            if length + SPARE_BYTES > shelf.free(shelf.root):
                raise DownloadFailed(f"{label}: {length} bytes do not fit on the volume; {_kept(part)}")
            # Pieces as they come: gathered into larger ones, the last would be lost with the line.
            with part.open("ab" if resumed else "wb") as out:
                for chunk in response.iter_bytes():
                    out.write(chunk)
            return _hub_hash(response)
    except httpx.TransportError as error:
        raise _Again(type(error).__name__) from None


def _hub_hash(response: httpx.Response) -> str | None:
    """Hugging Face gives the SHA-256 of large files as `x-linked-etag`, on the answer that redirects to the store."""
    for answer in (*response.history, response):
        tag = str(answer.headers.get("x-linked-etag", "")).strip('"')
        if _SHA256.fullmatch(tag):
            return tag
    return None


def _kept(part: Path) -> str:
    return f"{part.stat().st_size if part.exists() else 0} bytes are kept and resumed"


def _noted(model: ModelFile, shelf: Shelf, path: Path) -> str | None:
    try:
        note = json.loads(shelf.note(model).read_text())
        same = note["size"] == path.stat().st_size and model.sha256 in {None, note["sha256"]}
        return str(note["sha256"]) if same else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _note(model: ModelFile, shelf: Shelf, path: Path, digest: str) -> None:
    note = shelf.note(model)
    note.parent.mkdir(parents=True, exist_ok=True)
    fresh = note.with_suffix(f".{os.getpid()}")
    fresh.write_text(json.dumps({"sha256": digest, "size": path.stat().st_size}))
    fresh.replace(note)


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
