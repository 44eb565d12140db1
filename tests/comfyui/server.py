"""Starts the ComfyUI that `install` made, on the CPU, with the tiny models and the stand-in packs, and ends it by its pid.

Tests use `running(folder)`. By hand: `python server.py "$(./install)"` prints the URL and serves until it is interrupted.
It listens on 127.0.0.1 only, on a free port, and keeps nothing: its folders are temporary.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

START_LIMIT_S = 120
HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class ComfyUi:
    """A running server."""

    url: str
    pid: int
    base: Path

    def get(self, path: str) -> Any:
        """JSON of a GET."""
        with urllib.request.urlopen(self.url + path, timeout=30) as answer:  # noqa: S310  # our own loopback server
            return json.load(answer)

    def get_bytes(self, path: str) -> tuple[str, bytes]:
        """Content type and body of a GET."""
        with urllib.request.urlopen(self.url + path, timeout=30) as answer:  # noqa: S310
            return answer.headers.get_content_type(), answer.read()

    def post(self, path: str, body: object) -> Any:
        """JSON of a POST; a refusal is an exception that repeats what the server said."""
        request = urllib.request.Request(  # noqa: S310
            self.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
                return json.load(answer)
        except urllib.error.HTTPError as refusal:
            raise AssertionError(f"{path}: {refusal.code} {refusal.read().decode()[:2000]}") from None


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def prepare(install: Path, base: Path) -> None:
    """ComfyUI's folders: the tiny models by link, our stand-ins as custom nodes, an empty front end."""
    for name in ("custom_nodes", "input", "output", "temp", "user", "models", "front"):
        (base / name).mkdir()
    (base / "front/index.html").write_text("<html></html>")
    for folder in (install / "models").iterdir():
        # A real folder with links in it, so that a test can put a file of its own beside them.
        (base / "models" / folder.name).mkdir()
        for file in folder.iterdir():
            (base / "models" / folder.name / file.name).symlink_to(file)
    ours = HERE.parents[1] / "infra/modal/comfyui/ryla_device.py"
    for file in (*(HERE / "stand_ins").glob("*.py"), ours):
        shutil.copy(file, base / "custom_nodes" / file.name)


def command(install: Path, base: Path, port: int, *flags: str) -> list[str]:
    """The whole command line of a server on the CPU, whose folders lie in `base`; nothing of the caller's environment gets in."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(base),
        "LD_LIBRARY_PATH": str(install / "stubs"),
        "OMP_NUM_THREADS": "2",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    program = [str(install / "venv/bin/python"), str(install / "comfy/main.py")]
    options = ["--cpu", "--listen", "127.0.0.1", "--port", str(port), "--base-directory", str(base)]
    options += ["--front-end-root", str(base / "front"), "--disable-api-nodes", "--disable-auto-launch"]
    options += ["--database-url", "sqlite:///:memory:", "--log-stdout", *flags]
    return ["env", "-i", *(f"{name}={value}" for name, value in environment.items()), *program, *options]


@contextmanager
def running(install: Path, *flags: str, base: Path | None = None) -> Iterator[ComfyUi]:
    """A server that answers, for as long as the block runs."""
    own = Path(tempfile.mkdtemp(prefix="comfyui-")) if base is None else base
    prepare(install, own)
    port = free_port()
    with (own / "log").open("wb") as log:
        line = command(install, own, port, *flags)
        process = subprocess.Popen(line, cwd=own, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
    try:
        server = ComfyUi(f"http://127.0.0.1:{port}", process.pid, own)
        await_start(server, process)
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if base is None:
            shutil.rmtree(own)


def await_start(server: ComfyUi, process: subprocess.Popen[bytes]) -> None:
    """Waits for the first answer; a server that dies or stays silent is an error with the end of its log."""
    until = time.monotonic() + START_LIMIT_S
    while time.monotonic() < until and process.poll() is None:
        try:
            server.get("/system_stats")
        except OSError:
            time.sleep(0.1)
        else:
            return
    end = (server.base / "log").read_text(errors="replace")[-3000:]
    raise RuntimeError(f"ComfyUI did not start (exit status {process.poll()}):\n{end}")


def main() -> None:
    """Serves until it is interrupted."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with running(Path(sys.argv[1]), *sys.argv[2:]) as server:
        print(server.url, flush=True)
        while True:
            signal.pause()


if __name__ == "__main__":
    main()
