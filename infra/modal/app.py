"""The Modal app `ryla-comfyui`: wires the functions of src/ryla_modal with Modal's decorators, decides nothing itself.

`modal deploy app.py` from this folder. README.md has the secrets, the volumes and their first fill.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import sys
import uuid
from functools import partial
from pathlib import Path
from typing import Any

import modal

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "src"))

from ryla_modal.calls import Broken, Finished, Gone, Outcome, Pending, TooDeep  # noqa: E402
from ryla_modal.claims import Claims  # noqa: E402
from ryla_modal.clock import SystemClock  # noqa: E402
from ryla_modal.faces import kind_of  # noqa: E402
from ryla_modal.families import FAMILIES, Family, ceiling  # noqa: E402
from ryla_modal.log import configure  # noqa: E402
from ryla_modal.places import BUCKETS, Places, PublicOnly  # noqa: E402
from ryla_modal.ready import forget, publish, published, readiness  # noqa: E402
from ryla_modal.starts import Start, started  # noqa: E402
from ryla_modal.warm import IDLE_WINDOW_S, LATE_S, LOOK_S, Leases  # noqa: E402
from ryla_modal.workflows import Workflows, checkpoints, load_all  # noqa: E402

APP = "ryla-comfyui"
MODELS = "/root/models"
HUB = "/root/hf-hub-cache"
# What node packs keep on a container's own disk, where each start finds it gone. InsightFace has no setting for its folder.
OWN_DISK = ("/root/.cache", "/root/.insightface")
BASE = "/root/ComfyUI"
PORT = 8188
# ComfyUI frees memory between two looks at its queue.
FREED_AFTER_S = 2.0

# Of the deployer's shell only these go into the images: RYLA_API_KEY, which the `ryla` command reads, is in there too.
KNOWN = re.compile(r"RYLA_(BUCKET_HOSTS|SNAPSHOT|ADDRESSES|CHECKPOINTS|FACES|LORA_CACHE_BYTES|MAX_CONTAINERS_[A-Z_]+)")
SETTINGS = {name: value for name, value in os.environ.items() if KNOWN.fullmatch(name)}
HOSTS = Places(tuple(SETTINGS["RYLA_BUCKET_HOSTS"].split(",")) if SETTINGS.get("RYLA_BUCKET_HOSTS") else BUCKETS)
SNAPSHOT = SETTINGS.get("RYLA_SNAPSHOT") or "cpu"
if SNAPSHOT not in {"off", "cpu", "gpu"}:
    raise ValueError("RYLA_SNAPSHOT must be off, cpu or gpu")
FACES = kind_of(SETTINGS.get("RYLA_FACES") or "opencv")
CHECKPOINTS = checkpoints(SETTINGS.get("RYLA_CHECKPOINTS", ""))
# Workflows that also get an address of their own, as existing callers know it; the free plan allows 8 web endpoints.
ADDRESSES = [name for name in SETTINGS.get("RYLA_ADDRESSES", "").split(",") if name]

log = logging.getLogger("ryla_modal.app")
app = modal.App(APP)
state = modal.Dict.from_name("ryla-state", create_if_missing=True)
models = modal.Volume.from_name("ryla-models", create_if_missing=True)
hub_cache = modal.Volume.from_name("hf-hub-cache", create_if_missing=True)
volumes: dict[Any, Any] = {MODELS: models, HUB: hub_cache}

PIP = ("httpx==0.28.1", "pillow==13.0.0", "starlette==1.10.0", "websockets==17.4")
# Packages that fetch files by themselves keep them on the volume: on a container's own disk each start would fetch them again.
CACHES = {"HF_HOME": HUB, "TORCH_HOME": f"{HUB}/torch", "XDG_CACHE_HOME": f"{HUB}/cache"}
ENV = {**SETTINGS, "RYLA_WORKFLOWS": "/root/workflows", **CACHES}


def with_code(image: modal.Image) -> modal.Image:
    """Our own code and graphs last, so that changing them rebuilds nothing else."""
    return (
        image.env(ENV)
        .add_local_dir(str(HERE / "src"), "/root/src", ignore=["**/__pycache__"])
        .add_local_dir(str(HERE.parent / "workflows"), "/root/workflows")
    )


def comfy_image(family: Family) -> modal.Image:
    """ComfyUI at the family's version with its node packs."""
    return with_code(
        modal.Image.debian_slim(python_version="3.11")
        .apt_install("git", "build-essential", "libgl1", "libglib2.0-0", "ffmpeg")
        .run_commands(
            f"git clone --depth 1 --branch {family.comfyui} https://github.com/comfyanonymous/ComfyUI {BASE}",
            f"pip install -r {BASE}/requirements.txt",
            *(pack.install() for pack in family.packs),
        )
        .pip_install(*PIP, *family.pip, "opencv-python-headless==4.10.0.84")
        .pip_install(*family.bare_pip, extra_options="--no-deps")
        # The volume is where ComfyUI looks for every kind of model.
        .run_commands(f"rm -rf {BASE}/models && ln -s {MODELS} {BASE}/models", *family.links(MODELS))
        .add_local_file(str(HERE / "comfyui/ryla_device.py"), f"{BASE}/custom_nodes/ryla_device.py", copy=True)
    )


web_image = with_code(modal.Image.debian_slim(python_version="3.11").pip_install(*PIP))


class DictStore:
    """modal.Dict as a Store."""

    def __init__(self, entries: modal.Dict) -> None:
        self._entries = entries

    def get(self, key: str) -> Any:  # noqa: ANN401
        return self._entries.get(key)

    def put(self, key: str, value: Any, *, skip_if_exists: bool = False) -> bool:  # noqa: ANN401
        return self._entries.put(key, value, skip_if_exists=skip_if_exists)

    def delete(self, key: str) -> None:
        with contextlib.suppress(KeyError):
            self._entries.pop(key)


class ModalCalls:
    """Modal's function calls as Calls."""

    def spawn(self, family: str, job: dict[str, Any], accepted_ms: int) -> str:
        try:
            return str(GPU_CLASSES[family]().job.spawn(job, accepted_ms).object_id)
        except modal.exception.ResourceExhaustedError:
            raise TooDeep from None

    def look(self, call_id: str) -> Outcome:
        try:
            return Finished(modal.FunctionCall.from_id(call_id).get(timeout=0))
        except modal.exception.OutputExpiredError:
            return Gone()
        except modal.exception.FunctionTimeoutError:
            return Broken("timeout")
        except TimeoutError:
            return Pending()
        except modal.exception.NotFoundError:
            return Gone()
        except (modal.exception.ConnectionError, modal.exception.AuthError):
            # Nothing was learned of the call: the request itself fails, and is asked again.
            raise
        except (modal.exception.RemoteError, modal.exception.InternalFailure):
            # A cancelled call ends so too: the claims know who was cancelled.
            return Broken("gpu_error")
        except Exception:
            return Broken("internal")

    def stop(self, call_id: str) -> None:
        modal.FunctionCall.from_id(call_id).cancel()

    def waiting(self, family: str) -> int:
        return int(GPU_CLASSES[family]().job.get_current_stats().backlog)


def set_floor(class_name: str, floor: int, window_s: int | None) -> None:
    """Asks Modal for that many containers of a class; by the name of its family."""
    settings = {"min_containers": floor} | ({} if window_s is None else {"scaledown_window": window_s})
    GPU_CLASSES[class_name]().update_autoscaler(**settings)


def ceilings() -> dict[str, int]:
    """The most containers of each class."""
    return {name: ceiling(family, SETTINGS) for name, family in FAMILIES.items()}


def leases() -> Leases:
    """The warm leases, as they lie in the Dict."""
    return Leases(DictStore(state), SystemClock(), ceilings(), set_floor)


def of_family(family: str) -> Workflows:
    """The workflows that a class runs."""
    return {name: workflow for name, workflow in load_all(CHECKPOINTS).items() if workflow.family == family}


class Gpu:
    """What every GPU class does; each subclass only names its family."""

    family = ""

    @modal.enter(snap=True)
    def load(self) -> None:
        """Everything that needs no GPU, ComfyUI's start too: what the memory snapshot holds."""
        # First of all: ComfyUI imports its node packs below, and some fetch what they need right then.
        counted = [Path(MODELS), Path(HUB), *map(Path, OWN_DISK)]
        self.start = Start(DictStore(state), self.family, counted, aside=[Path(MODELS) / "loras"])
        import httpx

        configure()

        from ryla_modal.server import ComfyServer

        flags = ["--listen", "127.0.0.1", "--port", str(PORT), "--disable-auto-launch", "--disable-metadata"]
        self.http = httpx.Client()
        self.outside = httpx.Client(transport=PublicOnly())
        self.server = ComfyServer([sys.executable, f"{BASE}/main.py", *flags], PORT, Path(BASE), self.http)
        self.workflows = of_family(self.family)
        if SNAPSHOT != "off":
            self.server.boot_asleep()
        self.start.rest()

    @modal.enter(snap=False)
    def boot(self) -> None:
        """Has ComfyUI on the GPU and says which workflows this container can run."""
        from ryla_modal.faces import faces_from
        from ryla_modal.job import Worker
        from ryla_modal.loras import Loras

        models.reload()
        self.start.go_on()
        store, clock = DictStore(state), SystemClock()
        if SNAPSHOT == "off":
            self.server.boot()
        else:
            self.server.wake()
        self.worker = Worker(
            comfy=self.server,
            http=self.http,
            outside=self.outside,
            clock=clock,
            claims=Claims(store),
            places=HOSTS,
            workflows={},
            loras=Loras(Path(MODELS) / "loras", int(SETTINGS.get("RYLA_LORA_CACHE_BYTES", str(40 * 1024**3)))),
            gpu=FAMILIES[self.family].gpu,
            boot_ms=self.server.start_ms,
            faces=faces_from(FACES, Path(MODELS)),
            forget=self.server.forget_run,
            cancellation=(modal.exception.InputCancellation,),
            word=lambda: uuid.uuid4().hex[:8],
        )
        self._look(store)
        self._tell_start()

    @modal.exit()
    def shut(self) -> None:
        self.server.shut()

    @modal.method()
    def job(self, message: dict[str, Any], accepted_ms: int) -> dict[str, Any]:
        """One run of the protocol."""
        from ryla_modal.job import run_job

        self._look_again(message.get("workflow"))
        try:
            return run_job(message, self.worker, modal.current_function_call_id() or "local", accepted_ms)
        finally:
            # Also after a cancel, which goes through here as an exception.
            self._leave_if_sick()
            self._tell_start(message.get("workflow"))

    @modal.method()
    def direct(self, name: str, params: dict[str, Any], given: dict[str, bytes], deadline_at_ms: int) -> dict[str, Any]:
        """One synchronous picture."""
        from ryla_modal.make import make

        self._look_again(name)
        try:
            return make(self.worker, name, params, given, deadline_at_ms)
        finally:
            self._leave_if_sick()
            self._tell_start(name)

    def _look(self, store: Any) -> None:  # noqa: ANN401
        """What this container can run: the rest is refused with model_missing, and the web side is told."""
        lacks = readiness(self.workflows, self.server.object_info(), Path(MODELS))
        self.worker.workflows = {name: workflow for name, workflow in self.workflows.items() if not lacks[name]}
        publish(store, self.family, lacks)

    def _look_again(self, name: object) -> None:
        """Files may have come since this container began: ComfyUI finds them by itself, the volume must be read again."""
        if name in self.workflows and name not in self.worker.workflows:
            try:
                with self.start.reloading():
                    self._reload()
                self._look(DictStore(state))
            except Exception as error:
                # What is refused meanwhile is looked at again by the next run.
                log.warning("readiness is unknown", extra={"workflow": name, "error": type(error).__name__})

    def _reload(self) -> None:
        try:
            models.reload()
        except Exception:
            # Not while files of the volume are open, as those of loaded models are.
            self.server.free()
            SystemClock().sleep(FREED_AFTER_S)
            models.reload()

    def _tell_start(self, ran: object = None) -> None:
        """What has been downloaded since the start: node packs fetch by themselves, some in the first run of a workflow."""
        try:
            if ran is None:
                self.start.tell()
            else:
                self.start.after_run(str(ran))
        except Exception as error:
            # It informs, and costs nobody a picture.
            log.warning("downloads are unknown", extra={"family": self.family, "error": type(error).__name__})

    def _leave_if_sick(self) -> None:
        if not self.server.answers() and not self.server.restart():
            import modal.experimental

            modal.experimental.stop_fetching_inputs()


def gpu_class(family: Family) -> Any:  # noqa: ANN401
    """The decorator of a family's class. One input at a time: ComfyUI runs one prompt at a time."""
    return app.cls(
        image=comfy_image(family),
        gpu=family.gpu,
        volumes=volumes,
        max_containers=ceiling(family, SETTINGS),
        timeout=family.timeout_s,
        startup_timeout=600,
        scaledown_window=IDLE_WINDOW_S,
        enable_memory_snapshot=SNAPSHOT != "off",
        experimental_options={"enable_gpu_snapshot": True} if SNAPSHOT == "gpu" else None,
    )


@gpu_class(FAMILIES["flux"])
class ComfyUIFlux(Gpu):
    """Flux Dev and Schnell, with LoRAs, and with a face pass by SDXL-InstantID."""

    family = "flux"


@gpu_class(FAMILIES["sdxl"])
class ComfyUISdxl(Gpu):
    """SDXL, with InstantID; face swap."""

    family = "sdxl"


@gpu_class(FAMILIES["flux_pulid"])
class ComfyUIFluxPulid(Gpu):
    """Flux Dev with PuLID, on a ComfyUI that this pack still works with."""

    family = "flux_pulid"


@gpu_class(FAMILIES["z_image"])
class ComfyUIZImage(Gpu):
    """Z-Image Turbo, alone and with a face pass."""

    family = "z_image"


@gpu_class(FAMILIES["video"])
class ComfyUIVideo(Gpu):
    """Wan and LivePortrait."""

    family = "video"


GPU_CLASSES: dict[str, Any] = {
    "flux": ComfyUIFlux,
    "sdxl": ComfyUISdxl,
    "flux_pulid": ComfyUIFluxPulid,
    "z_image": ComfyUIZImage,
    "video": ComfyUIVideo,
}


def web_side() -> Any:  # noqa: ANN401
    """The ASGI app with everything of Modal's behind it."""
    import httpx

    configure()

    from ryla_modal.direct import Direct, direct_routes
    from ryla_modal.web import WebSide, build_web, room

    store, workflows, clock = DictStore(state), load_all(CHECKPOINTS), SystemClock()

    async def generate(family: str, *asked: Any) -> dict[str, Any]:  # noqa: ANN401
        made: dict[str, Any] = await GPU_CLASSES[family]().direct.remote.aio(*asked)
        return made

    side = WebSide(
        claims=Claims(store),
        calls=ModalCalls(),
        clock=clock,
        places=HOSTS,
        leases=leases(),
        workflows=workflows,
        missing=lambda: published(store, list(FAMILIES)),
        starts=lambda: started(store, list(FAMILIES)),
    )
    return build_web(side, direct_routes(Direct(workflows, generate, httpx.Client(transport=PublicOnly()), clock, partial(room, side))))


class Web:
    """The web class's own routes, at the app's host."""

    @modal.asgi_app(requires_proxy_auth=True)
    def fastapi_app(self) -> Any:  # noqa: ANN401
        """Everything of docs/BACKENDS.md section 2, and the synchronous endpoints."""
        return web_side()


def with_addresses(names: list[str]) -> type:
    """The web class, with one more method for each name: `https://{workspace}--ryla-comfyui-comfyui-{name}.modal.run`."""

    def address(name: str) -> Any:  # noqa: ANN401
        def endpoint(self: Any) -> Any:  # noqa: ANN401, ARG001
            from ryla_modal.direct import at_root

            return at_root(web_side(), f"/{name}")

        endpoint.__name__ = name.replace("-", "_")
        endpoint.__qualname__ = f"ComfyUI.{endpoint.__name__}"
        return modal.asgi_app(requires_proxy_auth=True)(endpoint)

    members = {name.replace("-", "_"): address(name) for name in names}
    return type("ComfyUI", (Web,), {"__module__": __name__, "__doc__": Web.__doc__, **members})


ComfyUI: Any = app.cls(image=web_image, max_containers=10, scaledown_window=300, timeout=150)(
    modal.concurrent(max_inputs=100)(with_addresses(ADDRESSES))
)


# By the clock: a period would begin anew with each deployment. It may wait for the end of a lease until the next look has
# begun; the rest of its time is for the looks themselves.
@app.function(image=web_image, schedule=modal.Cron("* * * * *"), max_containers=1, timeout=LOOK_S + LATE_S + 45)
def lower_floors() -> list[str]:
    """Ends every floor at the end of its lease, whoever took it."""
    configure()
    return leases().watch()


@app.function(
    image=web_image,
    volumes=volumes,
    max_containers=1,
    timeout=6 * 3600,
    secrets=[modal.Secret.from_name("huggingface", required_keys=["HF_TOKEN"])],
)
def fill_models(workflows: str = "") -> list[str]:
    """Fills the volume: `modal run app.py::fill_models --workflows flux-dev,sdxl` (all, if none is named)."""
    import httpx

    configure()
    from ryla_modal.models import Hub, Shelf, ensure_all

    names = [name for name in workflows.split(",") if name]
    wanted = [model for name, workflow in load_all(CHECKPOINTS).items() if not names or name in names for model in workflow.models]
    shelf = Shelf(Path(MODELS), models.commit)
    stored = ensure_all(wanted, shelf, Hub(httpx.Client(), SystemClock(), os.environ["HF_TOKEN"]))
    models.commit()
    forget(DictStore(state), FAMILIES)
    return [f"{item.path}: {item.fetched} bytes fetched" for item in stored]


@app.function(image=web_image, max_containers=1)
def drain(on: bool = True) -> None:
    """`modal run app.py::drain` before a deploy that must lose nothing; `--no-on` takes new runs again."""
    Claims(DictStore(state)).drain(on)
