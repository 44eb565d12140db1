"""Function calls as the web side sees them: spawn, look, stop. app.py implements it with modal, tests with a list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol


class TooDeep(Exception):
    """The call was certainly not accepted: too many wait."""


@dataclass(frozen=True)
class Pending:
    """No result yet."""


@dataclass(frozen=True)
class Finished:
    """What the worker returned."""

    result: dict[str, Any]


@dataclass(frozen=True)
class Gone:
    """The result is no longer kept."""


@dataclass(frozen=True)
class Broken:
    """The call ended without a result, also by a cancel: a code of the closed table."""

    code: str


Outcome = Pending | Finished | Gone | Broken


class Calls(Protocol):
    """The functions of the GPU side."""

    def spawn(self, family: str, job: dict[str, Any], accepted_ms: int) -> str:
        """Starts the job on a family's class and returns the call id. Raises TooDeep."""

    def look(self, call_id: str) -> Outcome: ...

    def stop(self, call_id: str) -> None: ...

    def waiting(self, family: str) -> int:
        """How many jobs wait for a container of the family."""
