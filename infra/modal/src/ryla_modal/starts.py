"""What starting a container downloads: the growth of the folders that hold models. Told by `GET /v1/health`.

Model files are fetched once, by `fill_models`, and no start should fetch any. Node packs may fetch files by themselves
nevertheless, when they load or in their first run, so a container goes on looking after its runs. LoRAs that a job
brought are not counted: they belong to the job.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from ryla_modal.claims import Store


class Start:
    """One start of a container. Made before its ComfyUI begins; `aside` are folders that are not counted.

    Two containers that start in the same moment may count as one start: the figures inform and decide nothing.
    """

    def __init__(self, store: Store, family: str, folders: Sequence[Path], aside: Sequence[Path] = ()) -> None:
        self._store, self._family = store, family
        self._folders, self._aside = folders, aside
        self._before = _sizes(folders, aside)
        self._counted = 0
        self._number: int | None = None
        self._told: int | None = None

    def tell(self) -> None:
        """Says what has come since the start, where that is not what was said last."""
        downloaded = self._downloaded()
        if downloaded == self._told:
            return
        if self._number is None:
            self._number = started(self._store, [self._family]).get(self._family, {}).get("starts", 0) + 1
        self._store.put(_key(self._family), {"starts": self._number, "downloaded_bytes": downloaded})
        self._told = downloaded

    @contextmanager
    def reloading(self) -> Iterator[None]:
        """While others' files may come into sight: they are no download of this container."""
        self._counted = self._downloaded()
        try:
            yield
        finally:
            self._before = _sizes(self._folders, self._aside)

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
