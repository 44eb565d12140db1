"""A ComfyUI server over HTTP: the only place that knows its routes. Says what happened; decides nothing about runs."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpx
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect


class ComfyDown(Exception):
    """The server does not answer."""


class GraphRefused(Exception):
    """`POST /prompt` did not take the graph; `body` is its answer."""

    def __init__(self, body: object) -> None:
        super().__init__("the graph was refused")
        self.body = body


@dataclass(frozen=True)
class OutputFile:
    """A file that a node made."""

    node: str
    filename: str
    subfolder: str


@dataclass(frozen=True)
class Ended:
    """What /history says of a prompt that is over."""

    status: str
    files: tuple[OutputFile, ...]
    messages: tuple[Any, ...]


class Watch(Protocol):
    """A prompt's progress while it runs. A hint: /history is the truth."""

    def fraction(self) -> float | None:
        """0 to 1, or None while nothing is known."""

    def close(self) -> None: ...


class Comfy(Protocol):
    """The server, as a worker uses it. Every method may raise ComfyDown."""

    def upload(self, name: str, data: bytes, folder: str) -> str:
        """Stores an input file and returns how a graph refers to it."""

    def start(self, graph: dict[str, Any], prompt_id: str, client_id: str) -> None:
        """Queues a graph. Raises GraphRefused."""

    def ended(self, prompt_id: str) -> Ended | None: ...

    def queued(self, prompt_id: str) -> bool:
        """Whether it waits or runs."""

    def idle(self) -> bool:
        """Whether nothing waits or runs."""

    def view(self, file: OutputFile, preview: str | None) -> bytes | None:
        """The file's bytes, re-encoded as `preview` says; None if it is not there."""

    def cancel(self, prompt_id: str) -> None: ...

    def free(self) -> None:
        """Unloads models and frees memory."""

    def forget(self, prompt_id: str) -> None:
        """Removes the prompt from the history."""

    def watch(self, client_id: str, nodes: int) -> Watch: ...

    def restart(self) -> bool:
        """Starts a dead server again; False where that is not possible."""


class HttpComfy:
    """A running server at `base`. `restart` is set by whoever owns the process."""

    def __init__(self, base: str, http: httpx.Client) -> None:
        self._base = base.rstrip("/")
        self._http = http

    def _call(self, method: str, path: str, **rest: Any) -> httpx.Response:  # noqa: ANN401
        try:
            return self._http.request(method, self._base + path, timeout=30, **rest)
        except httpx.TransportError as error:
            raise ComfyDown(type(error).__name__) from None

    def _json(self, method: str, path: str, **rest: Any) -> Any:  # noqa: ANN401
        response = self._call(method, path, **rest)
        if response.status_code != 200:
            raise ComfyDown(f"{path.split('/')[1]}: {response.status_code}")
        try:
            return response.json()
        except ValueError:
            raise ComfyDown("not JSON") from None

    def upload(self, name: str, data: bytes, folder: str) -> str:
        form = {"subfolder": folder, "type": "input", "overwrite": "true"}
        # The server may choose another name: what it returns is what the graph says.
        stored = self._json("POST", "/upload/image", data=form, files={"image": (name, data)})
        return f"{stored['subfolder']}/{stored['name']}" if stored.get("subfolder") else str(stored["name"])

    def start(self, graph: dict[str, Any], prompt_id: str, client_id: str) -> None:
        # With client_id: without it ComfyUI 0.3.75 ends a repeated graph as success with no outputs.
        body = {"prompt": graph, "prompt_id": prompt_id, "client_id": client_id}
        response = self._call("POST", "/prompt", json=body)
        try:
            answer = response.json()
        except ValueError:
            answer = None
        if response.status_code == 400:
            raise GraphRefused(answer)
        if response.status_code != 200 or not isinstance(answer, dict):
            raise ComfyDown(f"prompt: {response.status_code}")
        if answer.get("node_errors"):
            # One good output node is enough for 200, and the good part would run.
            self.cancel(prompt_id)
            raise GraphRefused(answer)

    def ended(self, prompt_id: str) -> Ended | None:
        entry = self._json("GET", f"/history/{prompt_id}").get(prompt_id)
        if not isinstance(entry, dict):
            return None
        status = entry.get("status") or {}
        messages = tuple(status.get("messages") or ())
        said = str(status.get("status_str", ""))
        if any(item[0] == "execution_interrupted" for item in messages if item):
            said = "interrupted"
        return Ended(said, _files(entry.get("outputs") or {}), messages)

    def queued(self, prompt_id: str) -> bool:
        return prompt_id in self._queue()

    def idle(self) -> bool:
        return not self._queue()

    def _queue(self) -> list[str]:
        queue = self._json("GET", "/queue")
        return [str(item[1]) for part in ("queue_running", "queue_pending") for item in queue.get(part) or ()]

    def view(self, file: OutputFile, preview: str | None) -> bytes | None:
        query = {"filename": file.filename, "subfolder": file.subfolder, "type": "output"}
        response = self._call("GET", "/view", params=query | ({"preview": preview} if preview else {}))
        return response.content if response.status_code == 200 else None

    def cancel(self, prompt_id: str) -> None:
        self._call("POST", "/queue", json={"delete": [prompt_id]})
        # By id: without one, whatever runs would be stopped.
        self._call("POST", "/interrupt", json={"prompt_id": prompt_id})

    def free(self) -> None:
        self._call("POST", "/free", json={"unload_models": True, "free_memory": True})

    def forget(self, prompt_id: str) -> None:
        self._call("POST", "/history", json={"delete": [prompt_id]})

    def watch(self, client_id: str, nodes: int) -> Watch:
        parts = urlsplit(self._base)
        return _SocketWatch(f"ws://{parts.netloc}{parts.path}/ws?clientId={client_id}", nodes)

    def restart(self) -> bool:
        return False

    def object_info(self) -> dict[str, Any]:
        """Every node class with its inputs."""
        info: dict[str, Any] = self._json("GET", "/object_info")
        return info

    def answers(self) -> bool:
        try:
            return self._call("GET", "/system_stats").status_code == 200
        except ComfyDown:
            return False


def _files(outputs: dict[str, Any]) -> tuple[OutputFile, ...]:
    # Video nodes put their files under `images` too, VideoHelperSuite under `gifs`. type temp is a preview.
    return tuple(
        OutputFile(node, str(item["filename"]), str(item.get("subfolder", "")))
        for node, made in outputs.items()
        for kind in ("images", "gifs")
        for item in made.get(kind) or ()
        if isinstance(item, dict) and item.get("type", "output") == "output"
    )


class _SocketWatch:
    """Reads a client's events on a thread of its own, until closed. A lost socket only means: nothing is known."""

    def __init__(self, url: str, nodes: int) -> None:
        self._url = url
        self._nodes = max(nodes, 1)
        self._fraction: float | None = None
        self._closed = threading.Event()
        self._ready = threading.Event()
        threading.Thread(target=self._read, daemon=True).start()
        self._ready.wait(2)

    def fraction(self) -> float | None:
        return self._fraction

    def close(self) -> None:
        self._closed.set()

    def _read(self) -> None:
        try:
            with connect(self._url, open_timeout=2, max_size=16 * 1024 * 1024) as socket:
                self._ready.set()
                while not self._closed.is_set():
                    try:
                        frame = socket.recv(timeout=0.5)
                    except TimeoutError:
                        continue
                    if isinstance(frame, str):
                        self._take(json.loads(frame))
        except (OSError, ValueError, WebSocketException):
            pass
        finally:
            self._ready.set()

    def _take(self, message: Any) -> None:  # noqa: ANN401
        match message:
            case {"type": "progress_state", "data": {"nodes": dict(nodes)}}:
                done = sum(_part(node) for node in nodes.values() if isinstance(node, dict))
                self._fraction = max(self._fraction or 0.0, min(done / self._nodes, 1.0))
            case {"type": "progress", "data": {"value": int(value), "max": int(most)}} if self._fraction is None:
                self._fraction = min(value / max(most, 1), 1.0) / self._nodes


def _part(node: dict[str, Any]) -> float:
    if node.get("state") == "finished":
        return 1.0
    value, most = node.get("value", 0), node.get("max", 1)
    return float(value) / float(most) if most else 0.0
