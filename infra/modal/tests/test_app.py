"""The file that wires Modal: imported and called without an account, as far as that goes."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import app
import modal
import pytest
from starlette.testclient import TestClient

from fakes import Floors, ManualClock
from ryla_modal.calls import Broken, Finished, Gone, Outcome, Pending, TooDeep
from ryla_modal.claims import MemoryStore
from ryla_modal.direct import at_root
from ryla_modal.families import FAMILIES, ceiling
from ryla_modal.workflows import load_all


def test_names_are_the_ones_that_deployments_know() -> None:
    assert app.app.name == "ryla-comfyui"
    classes = {family.class_name for family in FAMILIES.values()}
    assert classes == {"ComfyUIFlux", "ComfyUISdxl", "ComfyUIFluxPulid", "ComfyUIZImage", "ComfyUIVideo"}
    for name in classes | {"ComfyUI"}:
        assert isinstance(getattr(app, name), modal.Cls)
    for function in (app.lower_floors, app.fill_models, app.drain):
        assert isinstance(function, modal.Function)
    assert set(app.GPU_CLASSES) == set(FAMILIES)
    assert (app.models.name, app.hub_cache.name) == ("ryla-models", "hf-hub-cache")


def test_a_gpu_class_has_its_ceiling_and_takes_one_input_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(**settings: Any) -> dict[str, Any]:
        return settings

    monkeypatch.setattr(app.app, "cls", asked)
    monkeypatch.setitem(app.SETTINGS, "RYLA_MAX_CONTAINERS_SDXL", "7")
    for name, most in {"flux": 3, "sdxl": 7, "video": 2}.items():
        settings = app.gpu_class(FAMILIES[name])
        assert (settings["max_containers"], settings["gpu"], settings["volumes"]) == (most, "L40S", app.volumes)
        assert (settings["enable_memory_snapshot"], settings["experimental_options"]) == (True, None)
        # Without modal.concurrent Modal hands one input at a time to a container.
        assert not any("concurrent" in setting for setting in settings)
    monkeypatch.setattr(app, "SNAPSHOT", "gpu")
    assert app.gpu_class(FAMILIES["flux"])["experimental_options"] == {"enable_gpu_snapshot": True}


def test_only_app_py_knows_modal() -> None:
    for path in (Path(app.__file__).parent / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [item.name for item in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not any(name.split(".")[0] == "modal" for name in names), path


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> MemoryStore:
    store = MemoryStore()
    monkeypatch.setattr(app, "DictStore", lambda entries: store)
    return store


def test_the_web_class_serves_the_protocol_locally(memory: MemoryStore) -> None:
    client = TestClient(app.ComfyUI().fastapi_app.local())
    assert client.get("/v1/health").json()["app"] == "ryla-modal"
    unknown = client.get("/v1/jobs/acme.7kq2m4xv5r6tzwbc3nayjhd4pf.1")
    assert unknown.json()["status"] == "unknown"


def test_the_scheduled_function_lowers_what_nobody_holds(memory: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    floors = Floors()
    monkeypatch.setattr(app, "set_floor", floors.set)
    floors.floor["flux"] = 3
    assert set(app.lower_floors.local()) == set(FAMILIES)
    assert floors.floor["flux"] == 0


def test_the_scheduled_function_waits_for_the_end_of_a_lease(memory: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    floors, clock = Floors(), ManualClock()
    monkeypatch.setattr(app, "set_floor", floors.set)
    monkeypatch.setattr(app, "SystemClock", lambda: clock)
    app.leases().take({"classes": {"flux": {"floor": 1}}, "lease_until": clock.now_ms() + 40_000})
    assert "flux" in app.lower_floors.local()
    assert (clock.slept, floors.floor["flux"]) == ([40], 0)


def test_draining_reaches_the_store(memory: MemoryStore) -> None:
    app.drain.local()
    assert memory.get("draining") is True


class Call:
    def __init__(self, end: BaseException | dict[str, Any]) -> None:
        self.end = end

    def get(self, timeout: float) -> Any:
        if isinstance(self.end, BaseException):
            raise self.end
        return self.end


@pytest.mark.parametrize(
    ("end", "outcome"),
    [
        ({"event": "left"}, Finished({"event": "left"})),
        (TimeoutError(), Pending()),
        (modal.exception.OutputExpiredError(), Gone()),
        (modal.exception.NotFoundError("x"), Gone()),
        (modal.exception.FunctionTimeoutError(), Broken("timeout")),
        (modal.exception.RemoteError("x"), Broken("gpu_error")),
        (ValueError("the worker's own"), Broken("internal")),
    ],
)
def test_what_modal_raises_is_what_became_of_the_call(monkeypatch: pytest.MonkeyPatch, end: Any, outcome: Outcome) -> None:
    monkeypatch.setattr(modal.FunctionCall, "from_id", lambda call_id: Call(end))
    assert app.ModalCalls().look("fc-1") == outcome


def test_a_call_of_which_nothing_was_learned_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(modal.FunctionCall, "from_id", lambda call_id: Call(modal.exception.ConnectionError("x")))
    with pytest.raises(modal.exception.ConnectionError):
        app.ModalCalls().look("fc-1")


def test_a_full_queue_is_too_deep(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        class job:  # noqa: N801
            @staticmethod
            def spawn(message: dict[str, Any], accepted_ms: int) -> None:
                raise modal.exception.ResourceExhaustedError("full")

    monkeypatch.setitem(app.GPU_CLASSES, "flux", Full)
    with pytest.raises(TooDeep):
        app.ModalCalls().spawn("flux", {}, 0)


def test_ceilings_come_from_settings_and_never_from_nonsense() -> None:
    flux = FAMILIES["flux"]
    assert (ceiling(flux, {}), ceiling(flux, {"RYLA_MAX_CONTAINERS_FLUX": "7"})) == (3, 7)
    for bad in ("0", "-1", "many", "1000"):
        with pytest.raises(ValueError, match="RYLA_MAX_CONTAINERS_FLUX"):
            ceiling(flux, {"RYLA_MAX_CONTAINERS_FLUX": bad})


def test_addresses_of_their_own_serve_one_model_at_the_root() -> None:
    made = app.with_addresses(["flux-dev", "z-image-simple"])
    assert {"flux_dev", "z_image_simple", "fastapi_app"} <= set(dir(made))

    async def seen(scope: Any, receive: Any, send: Any) -> None:
        from starlette.responses import PlainTextResponse

        await PlainTextResponse(scope["path"])(scope, receive, send)

    client = TestClient(at_root(seen, "/flux-dev"))
    assert (client.get("/").text, client.get("/v1/jobs").text) == ("/flux-dev", "/not-here")


def test_every_image_has_the_packs_of_its_workflows_at_their_commits_and_comfyui_at_a_tag() -> None:
    stored = [json.loads(path.read_text()) for path in sorted((Path(__file__).parents[2] / "workflows").glob("*.json"))]
    for family in FAMILIES.values():
        assert family.comfyui.startswith("v0.3.")
        wanted = {(pack["source"], pack["commit"]) for one in stored if one["family"] == family.name for pack in one["packs"]}
        assert {(pack.source, pack.commit) for pack in family.packs} == wanted, family.name
        assert all(f"checkout --detach {pack.commit} " in pack.install() for pack in family.packs)
    # The pack breaks from 0.3.67 on.
    assert FAMILIES["flux_pulid"].comfyui == "v0.3.66"


def test_a_package_that_keeps_models_in_its_own_folder_gets_those_of_the_volume(tmp_path: Path) -> None:
    weights, package = tmp_path / "models/facexlib", tmp_path / "packages/facexlib"
    (package / "weights").mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    weights.mkdir(parents=True)
    (weights / "parsing_bisenet.pth").write_bytes(b"x")
    (tmp_path / "python").symlink_to(sys.executable)
    [link] = FAMILIES["z_image"].links(str(tmp_path / "models"))
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "PYTHONPATH": str(package.parent)}
    subprocess.run(["/bin/sh", "-c", link], env=environment, check=True)  # noqa: S603
    assert (package / "weights/parsing_bisenet.pth").read_bytes() == b"x"
    assert FAMILIES["sdxl"].links("/root/models") == ()
    wanted = {one.folder for name in ("z-image-pulid", "flux-ipadapter-faceid") for one in load_all()[name].models}
    assert "facexlib" in wanted


def test_no_secret_of_the_deployers_shell_gets_into_an_image() -> None:
    names = ["RYLA_API_KEY", "RYLA_API_URL", "RYLA_BUCKET_HOSTS", "RYLA_MAX_CONTAINERS_FLUX_PULID", "RYLA_CHECKPOINTS", "RYLA_FACES"]
    assert [name for name in names if app.KNOWN.fullmatch(name)] == names[2:]
    assert set(app.ENV) == {*app.SETTINGS, "RYLA_WORKFLOWS", *app.CACHES}


def test_what_packages_fetch_by_themselves_lies_on_a_volume() -> None:
    assert set(app.CACHES) == {"HF_HOME", "TORCH_HOME", "XDG_CACHE_HOME"}
    for folder in app.CACHES.values():
        assert Path(app.HUB) in (Path(folder), *Path(folder).parents)
    assert app.volumes[app.HUB] is app.hub_cache


def test_every_graph_of_the_repository_is_served_by_a_family() -> None:
    stored = Path(__file__).parents[2] / "workflows"
    workflows = load_all()
    assert sorted(workflows) == sorted(path.stem for path in stored.glob("*.json"))
    assert {workflow.family for workflow in workflows.values()} == set(FAMILIES)
