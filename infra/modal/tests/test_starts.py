"""What a start downloads, from the folders of a container."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from ryla_modal import starts
from ryla_modal.claims import MemoryStore
from ryla_modal.starts import Start, started


class Volumes:
    """Two folders of models and the LoRAs, which lie in one of them."""

    def __init__(self, root: Path) -> None:
        self.models, self.hub = root / "models", root / "hub"
        self.store = MemoryStore()
        for folder in (self.models / "loras", self.models / "checkpoints", self.hub):
            folder.mkdir(parents=True)
        (self.models / "checkpoints/flux.safetensors").write_bytes(b"x" * 1000)

    def start(self) -> Start:
        return Start(self.store, "flux", [self.models, self.hub], aside=[self.models / "loras"])

    def said(self) -> tuple[int, int]:
        entry = started(self.store, ["flux", "sdxl"])["flux"]
        return entry["starts"], entry["downloaded_bytes"]


@pytest.fixture
def volumes(tmp_path: Path) -> Volumes:
    return Volumes(tmp_path)


def test_the_second_start_of_a_filled_volume_downloads_nothing(volumes: Volumes) -> None:
    first = volumes.start()
    (volumes.models / "checkpoints/vae.safetensors").write_bytes(b"x" * 70)
    first.tell()
    assert volumes.said() == (1, 70)
    volumes.start().tell()
    assert volumes.said() == (2, 0)


def test_what_a_node_pack_fetches_in_its_first_run_counts_for_the_same_start(volumes: Volumes) -> None:
    start = volumes.start()
    start.tell()
    (volumes.hub / "blobs").mkdir()
    (volumes.hub / "blobs/clip").write_bytes(b"x" * 400)
    # The hub's cache refers to its blobs by links, which have no bytes of their own.
    (volumes.hub / "clip.pt").symlink_to("blobs/clip")
    (volumes.models / "checkpoints/flux.safetensors").write_bytes(b"x" * 1010)
    start.tell()
    assert volumes.said() == (1, 410)


def test_a_lora_of_a_job_and_a_file_that_goes_are_no_download(volumes: Volumes) -> None:
    start = volumes.start()
    (volumes.models / "loras/a.safetensors").write_bytes(b"x" * 500)
    (volumes.models / "checkpoints/flux.safetensors").unlink()
    start.tell()
    assert volumes.said() == (1, 0)


def test_files_that_another_process_brought_are_not_this_containers(volumes: Volumes) -> None:
    start = volumes.start()
    (volumes.hub / "mine").write_bytes(b"x" * 7)
    with start.reloading():
        (volumes.models / "checkpoints/theirs").write_bytes(b"x" * 9000)
    start.tell()
    assert volumes.said() == (1, 7)


def test_what_came_before_a_snapshot_one_container_has_downloaded(volumes: Volumes) -> None:
    start = volumes.start()
    (volumes.hub / "imported").write_bytes(b"x" * 30)
    start.rest()
    (volumes.models / "checkpoints/theirs").write_bytes(b"x" * 9000)
    restored = copy.copy(start)
    start.go_on()
    (volumes.hub / "woken").write_bytes(b"x" * 4)
    start.tell()
    assert volumes.said() == (1, 34)
    restored.go_on()
    (volumes.hub / "own").write_bytes(b"x" * 2)
    restored.tell()
    assert volumes.said() == (2, 2)


def test_the_word_of_an_older_container_does_not_replace_the_newest_ones(volumes: Volumes) -> None:
    older, newer = volumes.start(), volumes.start()
    older.tell()
    (volumes.hub / "first-run").write_bytes(b"x" * 60)
    newer.tell()
    (volumes.hub / "second-run").write_bytes(b"x" * 8)
    older.tell()
    assert volumes.said() == (2, 60)
    newer.tell()
    assert volumes.said() == (2, 68)


def test_only_the_first_runs_of_a_workflow_are_looked_at(volumes: Volumes, monkeypatch: pytest.MonkeyPatch) -> None:
    start = volumes.start()
    start.tell()
    walks = 0
    sizes = starts._sizes

    def walk(*folders: Any) -> Any:
        nonlocal walks
        walks += 1
        return sizes(*folders)

    monkeypatch.setattr(starts, "_sizes", walk)
    for _ in range(20):
        start.after_run("sdxl")
    assert walks == 3
    # The first run of another one may well be the twentieth of its container.
    (volumes.hub / "swapper").write_bytes(b"x" * 50)
    start.after_run("sdxl")
    assert volumes.said() == (1, 0)
    start.after_run("face-swap")
    assert volumes.said() == (1, 50)


def test_nothing_is_said_of_a_class_that_never_started(volumes: Volumes) -> None:
    assert started(volumes.store, ["flux"]) == {}
