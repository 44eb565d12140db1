"""What starting a container downloads: the growth of the folders that hold models. Told by `GET /v1/health`.

Model files are fetched once, by `fill_models`, and no start should fetch any. Node packs may fetch files by themselves
nevertheless, when they load or in their first run, so a container looks again after the first runs of each workflow. LoRAs that a job
brought are not counted: they belong to the job.
"""

from __future__ import annotations

import os
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from ryla_modal.claims import Store

# Runs of each workflow after which to look: one may end before the nodes that fetch, and each look walks volumes on GPU time.
LOOKS = 3


class Start:
    """One start of a container. Made before its ComfyUI begins; `aside` are folders that are not counted.

    A memory snapshot may be taken in the middle: `rest` before it, `go_on` after it, in each container that comes from it.
    Two containers that start in the same moment may count as one start: the figures inform and decide nothing.
    """

    def __init__(self, store: Store, family: str, folders: Sequence[Path], aside: Sequence[Path] = ()) -> None:
        self._store, self._family = store, family
        self._folders, self._aside = folders, aside
        self._before = _sizes(folders, aside)
        self._counted = 0
        self._snapshot, self._in_snapshot = "", 0
        self._number: int | None = None
        self._told: int | None = None
        self._runs: Counter[str] = Counter()

    def rest(self) -> None:
        """Closes the part before a snapshot. What it downloaded, one container did for all that come from the snapshot."""
        self._snapshot, self._in_snapshot = uuid.uuid4().hex, self._downloaded()

    def go_on(self) -> None:
        """Begins the part after it. Files that came into sight since are no download of this container."""
        self._before = _sizes(self._folders, self._aside)

    def tell(self) -> None:
        """Says what has come since the start, where that is not what was said last."""
        if self._in_snapshot:
            # The first to say anything did it, as far as anybody can tell: a restored process has all of the other's memory.
            if self._store.put(f"{_key(self._family)}/{self._snapshot}", True, skip_if_exists=True):
                self._counted += self._in_snapshot
            self._in_snapshot = 0
        downloaded = self._downloaded()
        if downloaded == self._told:
            return
        newest = started(self._store, [self._family]).get(self._family, {}).get("starts", 0)
        if self._number is None:
            self._number = newest + 1
        elif newest > self._number:
            # Another container has started since: health tells of the newest, and this word would replace its own.
            self._told = downloaded
            return
        self._store.put(_key(self._family), {"starts": self._number, "downloaded_bytes": downloaded})
        self._told = downloaded

    def after_run(self, workflow: str) -> None:
        """Looks again, as long as the nodes of that workflow may still fetch something for the first time."""
        if self._runs[workflow] < LOOKS:
            self._runs[workflow] += 1
            self.tell()

    @contextmanager
    def reloading(self) -> Iterator[None]:
        """While others' files may come into sight: they are no download of this container."""
        self._counted = self._downloaded()
        try:
            yield
        finally:
            self.go_on()

    def _downloaded(self) -> int:
        now = _sizes(self._folders, self._aside)
        return self._counted + sum(max(0, size - self._before.get(path, 0)) for path, size in now.items())


def started(store: Store, families: Iterable[str]) -> dict[str, dict[str, int]]:
    """How often containers of each class have started, and what the newest one downloaded."""
    said = {family: store.get(_key(family)) for family in families}
    return {family: entry for family, entry in said.items() if isinstance(entry, dict)}


def _key(family: str) -> str:
    return f"started/{family}"


def _sizes(folders: Sequence[Path], aside: Sequence[Path]) -> Mapping[str, int]:
    sizes = {}
    for root in folders:
        for folder, names, files in os.walk(root):
            names[:] = [name for name in names if Path(folder, name) not in aside]
            for name in files:
                path = Path(folder, name)
                # A link has no bytes of its own; a file may go while we look.
                try:
                    sizes[str(path)] = 0 if path.is_symlink() else path.stat().st_size
                except FileNotFoundError:
                    continue
    return sizes
