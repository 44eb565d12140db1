"""Model files from a hub that runs here: over real sockets, with ranges, refusals and broken lines."""

from __future__ import annotations

import errno
import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from fakes import ManualClock
from gpu import Model
from ryla_modal.claims import MemoryStore
from ryla_modal.models import DownloadFailed, Hub, Shelf, ensure, ensure_all
from ryla_modal.ready import forget, publish, published, readiness

DATA = bytes(range(256)) * 2000
SHA = hashlib.sha256(DATA).hexdigest()


@dataclass
class File:
    url: str
    folder: str = "checkpoints"
    name: str = "sub/flux.safetensors"
    sha256: str | None = SHA
    size: int | None = len(DATA)
    gated: bool = True


class LocalHub:
    """Serves DATA; `script` holds what the next requests get instead: a status, or after how many bytes to hang up."""

    def __init__(self) -> None:
        self.script: list[Any] = []
        self.ranges: list[str | None] = []
        self.tokens: list[str | None] = []
        self.sent = 0
        self.data = DATA
        self.linked: str | None = None
        self.ranged = True
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                hub.answer(self)

            def log_message(self, *args: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/resolve/main/flux.safetensors"

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        self.ranges.append(request.headers["Range"])
        self.tokens.append(request.headers["Authorization"])
        act = self.script.pop(0) if self.script else None
        if isinstance(act, int):
            request.send_response(act)
            request.send_header("Content-Length", "0")
            request.end_headers()
            return
        start = int(request.headers["Range"].removeprefix("bytes=").rstrip("-")) if request.headers["Range"] else 0
        start = start if self.ranged else 0
        body = self.data[start:]
        request.send_response(416 if start and not body else 206 if start else 200)
        if start:
            request.send_header("Content-Range", f"bytes {start}-{len(self.data) - 1}/{len(self.data)}")
        if self.linked:
            request.send_header("X-Linked-ETag", f'"{self.linked}"')
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        cut = act[1] if isinstance(act, tuple) else len(body)
        # Before the bytes go: a client that has them all may ask for the count at once.
        self.sent += len(body[:cut])
        request.wfile.write(body[:cut])
        if cut < len(body):
            request.wfile.flush()
            request.connection.close()


@pytest.fixture
def hub() -> Iterator[LocalHub]:
    local = LocalHub()
    yield local
    local.server.shutdown()
    local.server.server_close()


class Place:
    def __init__(self, root: Path, local: LocalHub) -> None:
        self.client = httpx.Client()
        self.clock = ManualClock()
        self.commits = 0
        self.shelf = Shelf(root, self.commit, lambda path: 10**12)
        self.hub = Hub(self.client, self.clock, "hf_secret", "127.0.0.1")
        self.file = File(local.url)
        self.path = root / "checkpoints/sub/flux.safetensors"

    def commit(self) -> None:
        self.commits += 1

    def parts(self) -> list[Path]:
        return list((self.shelf.root / ".ryla/parts").rglob("*.part"))


@pytest.fixture
def place(tmp_path: Path, hub: LocalHub) -> Iterator[Place]:
    made = Place(tmp_path, hub)
    yield made
    made.client.close()


def test_the_second_start_downloads_nothing(place: Place, hub: LocalHub) -> None:
    first = ensure_all([place.file, place.file], place.shelf, place.hub)
    assert [(item.sha256, item.fetched) for item in first] == [(SHA, len(DATA))]
    assert (place.path.read_bytes() == DATA, place.commits, place.parts()) == (True, 1, [])
    assert sum(item.fetched for item in ensure_all([place.file], place.shelf, place.hub)) == 0
    assert (len(hub.ranges), hub.sent) == (1, len(DATA))


def test_a_broken_line_is_resumed_where_it_broke(place: Place, hub: LocalHub) -> None:
    hub.script = [("cut", 100_000), ("cut", 50_000)]
    ensure(place.file, place.shelf, place.hub)
    assert place.path.read_bytes() == DATA
    assert hub.ranges[0] is None
    assert all(asked is not None for asked in hub.ranges[1:])
    assert hub.sent <= len(DATA) + 2 * 150_000


def test_a_process_that_died_is_resumed_by_the_next(place: Place, hub: LocalHub) -> None:
    part = place.shelf.part(place.file)
    part.parent.mkdir(parents=True)
    part.write_bytes(DATA[:300_000])
    assert ensure(place.file, place.shelf, place.hub).fetched == len(DATA) - 300_000
    assert (hub.ranges, hub.sent) == (["bytes=300000-"], len(DATA) - 300_000)
    assert place.path.read_bytes() == DATA


def test_a_part_that_is_already_whole_is_used(place: Place, hub: LocalHub) -> None:
    part = place.shelf.part(place.file)
    part.parent.mkdir(parents=True)
    part.write_bytes(DATA)
    ensure(place.file, place.shelf, place.hub)
    assert (place.path.read_bytes() == DATA, hub.sent) == (True, 0)


def test_a_hub_without_ranges_starts_over(place: Place, hub: LocalHub) -> None:
    hub.ranged = False
    part = place.shelf.part(place.file)
    part.parent.mkdir(parents=True)
    part.write_bytes(b"other bytes")
    ensure(place.file, place.shelf, place.hub)
    assert place.path.read_bytes() == DATA


@pytest.mark.parametrize("by", ["sha256", "size", "the hub's own hash"])
def test_wrong_bytes_are_never_stored(place: Place, hub: LocalHub, by: str) -> None:
    if by == "sha256":
        place.file.sha256 = "0" * 64
    elif by == "size":
        place.file.size = 7
    else:
        place.file.sha256, hub.linked = None, "0" * 64
    with pytest.raises(DownloadFailed, match="another hash or size"):
        ensure(place.file, place.shelf, place.hub)
    assert (place.path.exists(), place.parts()) == (False, [])


@pytest.mark.parametrize("status", [401, 403])
def test_a_gated_file_says_what_to_do(place: Place, hub: LocalHub, status: int) -> None:
    hub.script = [status]
    with pytest.raises(DownloadFailed, match="accept its licence on the hub and set the secret HF_TOKEN"):
        ensure(place.file, place.shelf, place.hub)
    assert len(hub.ranges) == 1


def test_a_hub_that_stumbles_is_asked_again_and_then_given_up(place: Place, hub: LocalHub) -> None:
    hub.script = [500, 503, 429]
    ensure(place.file, place.shelf, place.hub)
    assert place.clock.slept == [2.0, 4.0, 8.0]
    place.path.unlink()
    hub.script = [502] * 6
    with pytest.raises(DownloadFailed, match="resumes"):
        ensure(place.file, place.shelf, place.hub)


def test_a_full_disk_is_said_before_anything_is_written(place: Place, hub: LocalHub) -> None:
    shelf = Shelf(place.shelf.root, place.commit, lambda path: 1000)
    with pytest.raises(DownloadFailed, match="do not fit"):
        ensure(place.file, shelf, place.hub)
    assert not place.path.exists()


def test_a_disk_that_fills_up_meanwhile_keeps_what_came(place: Place, hub: LocalHub, monkeypatch: pytest.MonkeyPatch) -> None:
    part = place.shelf.part(place.file)
    part.parent.mkdir(parents=True)
    part.write_bytes(DATA[:1000])
    real = Path.open

    class Full:
        def __enter__(self) -> Full:
            return self

        def __exit__(self, *args: object) -> None: ...

        def write(self, data: bytes) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    def opened(self: Path, mode: str = "r", **rest: Any) -> Any:
        return Full() if mode in {"ab", "wb"} else real(self, mode, **rest)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", opened)
        with pytest.raises(DownloadFailed, match=r"No space left on device\); 1000 bytes are kept"):
            ensure(place.file, place.shelf, place.hub)
    ensure(place.file, place.shelf, place.hub)
    assert place.path.read_bytes() == DATA


def test_a_file_that_a_person_put_there_is_taken_over_after_its_hash(place: Place, hub: LocalHub) -> None:
    place.path.parent.mkdir(parents=True)
    place.path.write_bytes(DATA)
    assert ensure(place.file, place.shelf, place.hub).fetched == 0
    assert hub.ranges == []
    place.path.write_bytes(b"another model")
    with pytest.raises(DownloadFailed, match="lies on the volume with another hash"):
        ensure(place.file, place.shelf, place.hub)
    assert place.path.read_bytes() == b"another model"


def test_a_deployments_own_checkpoint_is_taken_as_it_is_and_asked_for_where_it_is_not(place: Place, hub: LocalHub) -> None:
    place.file.url, place.file.sha256, place.file.size = "", None, None
    with pytest.raises(DownloadFailed, match=r"modal volume put ryla-models FILE checkpoints/sub/flux\.safetensors"):
        ensure(place.file, place.shelf, place.hub)
    place.path.parent.mkdir(parents=True)
    place.path.write_bytes(b"another model")
    assert ensure(place.file, place.shelf, place.hub).fetched == 0
    assert hub.ranges == []


def test_the_token_goes_to_its_host_alone(place: Place, hub: LocalHub) -> None:
    ensure(place.file, place.shelf, place.hub)
    place.path.unlink()
    ensure(place.file, place.shelf, Hub(place.client, place.clock, "hf_secret"))
    assert hub.tokens == ["Bearer hf_secret", None]


@pytest.mark.parametrize("name", ["../../etc/cron.d/x", "/etc/passwd"])
def test_a_name_stays_below_the_models_folder(place: Place, name: str) -> None:
    place.file.name = name
    with pytest.raises(DownloadFailed, match="not a place below"):
        ensure(place.file, place.shelf, place.hub)


def test_readiness_names_what_is_missing_and_goes_when_it_is_there(place: Place, hub: LocalHub) -> None:
    model = Model(nodes=["SaveImage", "ApplyInstantID"], models=[place.file])
    workflows = {"sdxl-instantid": model, "flux-dev": Model()}
    lacks = readiness(workflows, {"SaveImage": {}}, place.shelf.root)
    assert lacks == {
        "sdxl-instantid": ["node ApplyInstantID", "checkpoints/sub/flux.safetensors"],
        "flux-dev": [],
    }
    store = MemoryStore()
    publish(store, "sdxl", lacks)
    assert published(store, ["sdxl", "flux"])["sdxl-instantid"] == lacks["sdxl-instantid"]
    ensure(place.file, place.shelf, place.hub)
    forget(store, ["sdxl"])
    assert published(store, ["sdxl", "flux"]) == {}, "files have come: taken again"
    publish(store, "sdxl", readiness(workflows, {"SaveImage": {}, "ApplyInstantID": {}}, place.shelf.root))
    assert not any(published(store, ["sdxl"]).values())
