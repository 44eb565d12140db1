"""The client of ComfyUI and its process, over real sockets; then a whole GPU class through `.local()`."""

from __future__ import annotations

import json
import logging
import shutil
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import app
import httpx
import modal
import pytest
from websockets.sync.server import ServerConnection, serve

from fakes import fixture
from gpu import BUCKET, Model, Network, picture
from ryla_modal import graph as graph_module
from ryla_modal.claims import MemoryStore
from ryla_modal.clock import SystemClock
from ryla_modal.comfy import ComfyDown, GraphRefused, HttpComfy, OutputFile
from ryla_modal.failures import Failed
from ryla_modal.graph import Graph, Stop
from ryla_modal.ready import forget
from ryla_modal.server import ComfyServer


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def install(folder: Path) -> None:
    shutil.copy(Path(__file__).parent / "comfy_process.py", folder / "main.py")
    (folder / "picture.jpeg").write_bytes(picture())


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ComfyServer]:
    install(tmp_path)
    port = free_port()
    with httpx.Client() as http:
        made = ComfyServer([sys.executable, str(tmp_path / "main.py"), "--port", str(port)], port, tmp_path, http)
        made.boot()
        yield made
        made.shut()


def run(server: ComfyServer, text: str = "x", tick: Any = lambda: None) -> Any:
    graph = {"9": {"class_type": "SaveImage", "inputs": {"text": text}}}
    return Graph(server, SystemClock(), tick, lambda _: None).run(graph, "a.b.1", ["9"])


def test_a_graph_runs_and_its_files_can_be_seen_and_removed(server: ComfyServer, tmp_path: Path) -> None:
    made = run(server)
    # The preview of type temp is none of the outputs.
    assert made.files == (OutputFile("9", "a.b.1_00001_.png", "ryla"),)
    assert server.view(made.files[0], "jpeg;92") == picture()
    assert server.view(OutputFile("9", "gone.png", ""), None) is None
    for name in ("a.b.1-w1_00001_.png", "a.b.12_00001_.png"):
        (tmp_path / "output" / "ryla" / name).write_bytes(b"x")
    server.forget_run("a.b.1")
    assert [path.name for path in (tmp_path / "output" / "ryla").iterdir()] == ["a.b.12_00001_.png"]
    assert server.start_ms > 0


def test_the_name_that_the_server_chose_is_the_one_that_counts(server: ComfyServer) -> None:
    assert server.upload("face.jpeg", picture(), "run") == "run/face (1).jpeg"


def test_graphs_that_are_refused(server: ComfyServer) -> None:
    with pytest.raises(GraphRefused):
        server.start({"1": {"class_type": "NoSuchNode"}}, "p", "c")
    # Half of it would run: it is stopped.
    with pytest.raises(GraphRefused):
        server.start({"1": {"class_type": "partial"}}, "p", "c")
    with pytest.raises(Failed, match="unknown class NoSuchNode"):
        run(server, "NoSuchNode")


def test_a_stop_interrupts_by_id(server: ComfyServer) -> None:
    graphs: list[Graph] = []
    ticks: list[int] = []

    def tick() -> None:
        ticks.append(1)
        if len(ticks) == 2:
            graphs[0].stop()
            raise Stop

    graphs.append(Graph(server, SystemClock(), tick, lambda _: None))
    with pytest.raises(Stop):
        graphs[0].run({"9": {"class_type": "hang"}}, "a.b.1", ["9"])
    ended = server.ended("a.b.1")
    assert ended is not None
    assert ended.status == "interrupted"


def test_a_prompt_that_heeds_no_interrupt_costs_the_process_and_not_the_next_run(
    server: ComfyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graph_module, "FREE_WITHIN_S", 1.0)

    def stop() -> None:
        raise Stop

    stubborn = Graph(server, SystemClock(), stop, lambda _: None)
    with pytest.raises(Stop):
        stubborn.run({"9": {"class_type": "stubborn"}}, "a.b.1", ["9"])
    assert not server.idle()
    assert stubborn.leave()
    assert server.idle()
    assert run(server).files


def test_a_process_that_dies_is_started_once_more(server: ComfyServer) -> None:
    with pytest.raises(Failed) as failed:
        run(server, "die")
    assert failed.value.code == "gpu_error"
    # It died a second time; the container starts it again, or takes no more work.
    assert server.restart()
    assert run(server).files


def test_a_program_that_does_not_start_says_so(tmp_path: Path) -> None:
    with httpx.Client() as http:
        broken = ComfyServer([sys.executable, "-c", "raise SystemExit(4)"], free_port(), tmp_path, http)
        with pytest.raises(ComfyDown, match="ended with 4"):
            broken.boot()
        assert not broken.restart()


def test_progress_of_all_nodes_is_folded_into_one_figure() -> None:
    def handler(connection: ServerConnection) -> None:
        for nodes in ({"1": {"state": "finished"}}, {"1": {"state": "finished"}, "2": {"value": 5, "max": 10}}):
            connection.send(json.dumps({"type": "progress_state", "data": {"prompt_id": "p", "nodes": nodes}}))
        connection.send(b"\x00 a preview")
        connection.send(json.dumps({"type": "status", "data": {}}))
        time.sleep(0.3)

    with serve(handler, "127.0.0.1", 0) as sockets, httpx.Client() as http:
        threading.Thread(target=sockets.serve_forever, daemon=True).start()
        port = sockets.socket.getsockname()[1]
        watch = HttpComfy(f"http://127.0.0.1:{port}", http).watch("c", 3)
        deadline = time.monotonic() + 5
        while watch.fraction() != 0.5 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert watch.fraction() == 0.5
        watch.close()
        sockets.shutdown()


def test_without_a_socket_nothing_is_known_of_progress() -> None:
    with httpx.Client() as http:
        watch = HttpComfy(f"http://127.0.0.1:{free_port()}", http).watch("c", 3)
        assert watch.fraction() is None
        watch.close()


class Container:
    """A GPU class on this machine: its ComfyUI is real as far as comfy_process.py goes, everything outside is the test's."""

    def __init__(self, gpu: Any, store: MemoryStore, net: Network, folder: Path) -> None:
        self.gpu, self.store, self.net, self.folder = gpu, store, net, folder
        self.runs = 0

    def message(self, workflow: str = "flux-dev") -> dict[str, Any]:
        self.runs += 1
        message = fixture("submit") | {"deadline_at": SystemClock().now_ms() + 60_000}
        message["outputs"][0]["put_url"] = f"https://{BUCKET}/o/1-0.jpg"
        return message | {"workflow": workflow, "run": f"acme.job-{self.runs}.1"}

    def run(self, workflow: str = "flux-dev") -> dict[str, Any]:
        result: dict[str, Any] = self.gpu.job.local(self.message(workflow), SystemClock().now_ms())
        return result


@pytest.fixture
def container(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Container]:
    install(tmp_path)
    store = MemoryStore()
    monkeypatch.setattr(app, "BASE", str(tmp_path))
    monkeypatch.setattr(app, "PORT", free_port())
    monkeypatch.setattr(app, "MODELS", str(tmp_path / "models"))
    monkeypatch.setattr(app, "HUB", str(tmp_path / "hub"))
    monkeypatch.setattr(app, "OWN_DISK", (str(tmp_path / "home/.cache"), str(tmp_path / "home/.insightface")))
    monkeypatch.setattr(app, "DictStore", lambda entries: store)
    monkeypatch.setattr(app, "models", type("Volume", (), {"reload": staticmethod(lambda: None)}))
    file = type("File", (), {"folder": "checkpoints", "name": "late.safetensors"})
    served = {
        "flux-dev": Model(),
        "flux-instantid": Model(nodes=["SaveImage", "ApplyInstantID"]),
        "flux": Model(models=[file]),
    }
    monkeypatch.setattr(app, "of_family", lambda family: served)
    net = Network(SystemClock())  # type: ignore[arg-type]
    gpu = app.ComfyUIFlux()

    class Routed(httpx.Client):
        """The server on this machine is real, everything else is the test's."""

        def send(self, request: httpx.Request, **rest: Any) -> httpx.Response:
            if request.url.host == "127.0.0.1":
                return super().send(request, **rest)
            response = net.handle(request)
            response.request = request
            return response

    monkeypatch.setattr(httpx, "Client", Routed)
    root = logging.getLogger()
    before = (root.handlers, root.level)
    try:
        yield Container(gpu, store, net, tmp_path)
    finally:
        gpu.server.shut()
        root.handlers, root.level = before


def test_a_gpu_class_runs_a_job_locally(container: Container) -> None:
    assert container.run()["event"] == "succeeded"
    assert container.net.events == ["started", "succeeded"]
    assert container.net.puts[0][2] == picture()
    # What the container cannot run is known to the web side, and refused here.
    assert container.store.get("ready/flux")["flux-instantid"] == ["node ApplyInstantID"]
    assert container.run("flux-instantid")["error"]["code"] == "model_missing"
    # Nothing was downloaded for that, and everybody is told.
    assert container.store.get("started/flux") == {"starts": 1, "downloaded_bytes": 0}
    direct = container.gpu.direct.local("flux-dev", {"prompt": "x", "seed": 1}, {}, SystemClock().now_ms() + 60_000)
    assert (direct["data"], direct["content_type"]) == (picture(), "image/jpeg")


@pytest.mark.parametrize(
    ("device", "starts"), [("cuda:0", ["--cpu --use-pytorch-cross-attention"]), ("cpu", None), (None, None)], ids=["wakes", "cpu", "old"]
)
def test_a_snapshot_holds_a_running_comfyui_that_wakes_on_the_gpu_or_is_started_anew(
    container: Container, device: str | None, starts: list[str] | None
) -> None:
    if device is not None:
        (container.folder / "device").write_text(device)
    assert container.run()["event"] == "succeeded"
    said = [line.partition("--disable-metadata")[2].strip() for line in (container.folder / "starts").read_text().splitlines()]
    assert said == (starts or ["--cpu --use-pytorch-cross-attention", ""])
    # A server that has died on the GPU is started there, and not asleep.
    assert container.gpu.server.restart()
    assert (container.folder / "starts").read_text().splitlines()[-1].endswith("--disable-metadata")


@pytest.mark.parametrize("snapshot", ["cpu", "off"])
def test_what_a_node_pack_fetches_when_it_is_imported_is_a_download(
    container: Container, monkeypatch: pytest.MonkeyPatch, snapshot: str
) -> None:
    monkeypatch.setattr(app, "SNAPSHOT", snapshot)
    asleep = {"cpu": "boot_asleep", "off": "boot"}[snapshot]
    starts = getattr(ComfyServer, asleep)

    def fetching(server: ComfyServer) -> None:
        starts(server)
        for folder, size in {app.HUB: 70, app.MODELS: 5, **dict.fromkeys(app.OWN_DISK, 100)}.items():
            Path(folder).mkdir(parents=True, exist_ok=True)
            (Path(folder) / "weights").write_bytes(b"x" * size)

    def reload() -> None:
        Path(app.MODELS).mkdir(exist_ok=True)
        (Path(app.MODELS) / "theirs").write_bytes(b"x" * 9000)

    monkeypatch.setattr(ComfyServer, asleep, fetching)
    monkeypatch.setattr(app.models, "reload", staticmethod(reload))
    assert container.run()["event"] == "succeeded"
    assert container.store.get("started/flux") == {"starts": 1, "downloaded_bytes": 275}


def test_without_snapshots_comfyui_is_started_once(container: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "SNAPSHOT", "off")
    assert container.run()["event"] == "succeeded"
    assert len((container.folder / "starts").read_text().splitlines()) == 1


def test_a_warm_container_finds_files_that_came_after_its_start(container: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    lacks = ["checkpoints/late.safetensors"]
    assert container.run("flux")["error"]["code"] == "model_missing"
    assert container.store.get("ready/flux")["flux"] == lacks

    def reload() -> None:
        (container.folder / "models" / "checkpoints").mkdir(parents=True)
        (container.folder / "models" / lacks[0]).write_bytes(b"x")

    monkeypatch.setattr(app.models, "reload", staticmethod(reload))
    # fill_models makes the web side take such runs again; this container is the one that gets them.
    forget(container.store, ["flux"])
    assert container.run("flux")["event"] == "succeeded"
    assert container.store.get("ready/flux")["flux"] == []
    # It did not download the file: it came into sight.
    assert container.store.get("started/flux") == {"starts": 1, "downloaded_bytes": 0}


def test_loaded_models_are_freed_where_they_keep_the_volume_busy(container: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    assert container.run("flux")["error"]["code"] == "model_missing"
    (container.folder / "models" / "checkpoints").mkdir(parents=True)
    (container.folder / "models" / "checkpoints" / "late.safetensors").write_bytes(b"x")

    def busy() -> None:
        seen = httpx.get(f"http://127.0.0.1:{app.PORT}/seen").json()
        if "/free" not in seen:
            raise RuntimeError("there are open files preventing the operation")

    monkeypatch.setattr(app, "FREED_AFTER_S", 0.01)
    monkeypatch.setattr(app.models, "reload", staticmethod(busy))
    assert container.run("flux")["event"] == "succeeded"


def test_a_cancelled_call_too_leaves_a_server_that_answers(container: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    assert container.run()["event"] == "succeeded"
    gpu = container.gpu

    def cancelled(*_: Any) -> None:
        gpu.server.shut()
        raise modal.exception.InputCancellation

    monkeypatch.setattr("ryla_modal.job.run_job", cancelled)
    with pytest.raises(modal.exception.InputCancellation):
        gpu.job.local(container.message(), 0)
    assert gpu.server.answers()
