"""Child processes of the tests: each ends with its context, whatever happens, and keeps its output in a file."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(what: str, ask: Callable[[], T | None], limit_s: float = 120, every_s: float = 0.1) -> T:
    """Asks until the answer is something; an error that names `what` once the limit is over."""
    until = time.monotonic() + limit_s
    while True:
        answer = ask()
        if answer is not None and answer is not False:
            return answer
        if time.monotonic() > until:
            message = f"not within {limit_s} s: {what}"
            raise TimeoutError(message)
        time.sleep(every_s)


@contextmanager
def running(command: list[str], log: Path, env: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """The command in a process group of its own, which is ended with all that it has started."""
    with log.open("wb") as out:
        process = subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.PIPE, stdout=out, stderr=subprocess.STDOUT, env=env, start_new_session=True
        )
        try:
            yield process
        finally:
            end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Asks the group to end, and kills what is left of it after five seconds."""
    for number, limit_s in ((signal.SIGTERM, 5), (signal.SIGKILL, 5)):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(limit_s)
        except subprocess.TimeoutExpired:
            continue
    if process.stdin:
        process.stdin.close()
    process.wait(5)


def answers(port: int, process: subprocess.Popen[bytes]) -> bool | None:
    """Whether somebody listens there; an error if the process that should has ended."""
    if process.poll() is not None:
        message = f"{process.args!r} ended with status {process.returncode}"
        raise RuntimeError(message)
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0 or None


def children(root: int) -> Iterator[int]:
    """Every living descendant of that process."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The second field is a name in brackets, which may contain anything.
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(stat.parent.name)] = int(fields[1])
    found = {root}
    while new := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= new
        yield from new


def environment(pid: int) -> dict[str, str]:
    """What that process was started with; nothing if it is gone."""
    try:
        pairs = Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return {}
    return dict(pair.split("=", 1) for pair in pairs if "=" in pair)
