"""The GPU classes as data: which image, which GPU, how many containers at most. app.py makes a Modal class of each.

One image cannot serve all: PuLID for Flux needs a ComfyUI before 0.3.67, Z-Image one that knows Qwen3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Pack:
    """A node pack: its newest commit before that day, since no hash could be looked up when this was written."""

    source: str
    before: str

    @property
    def name(self) -> str:
        return self.source.rpartition("/")[2]

    def install(self) -> str:
        """The shell command that puts it into ComfyUI."""
        into = f"/root/ComfyUI/custom_nodes/{self.name}"
        commit = f"$(git -C {into} rev-list -1 --before={self.before} HEAD)"
        needs = f"if [ -f {into}/requirements.txt ]; then pip install -r {into}/requirements.txt; fi"
        return f"git clone {self.source} {into} && git -C {into} checkout --detach {commit} && {needs}"


@dataclass(frozen=True)
class Family:
    """One GPU class."""

    name: str
    class_name: str
    comfyui: str
    gpu: str
    packs: tuple[Pack, ...] = ()
    pip: tuple[str, ...] = ()
    max_containers: int = 3
    timeout_s: int = 900


INSTANTID = Pack("https://github.com/cubiq/ComfyUI_InstantID", "2025-06-01")
PULID_FLUX = Pack("https://github.com/lldacing/ComfyUI_PuLID_Flux_ll", "2025-05-01")
PULID_SDXL = Pack("https://github.com/cubiq/PuLID_ComfyUI", "2025-06-01")
RES4LYF = Pack("https://github.com/ClownsharkBatwing/RES4LYF", "2025-12-15")
LIVE_PORTRAIT = Pack("https://github.com/PowerHouseMan/ComfyUI-AdvancedLivePortrait", "2025-06-01")
FACE_ANALYSIS = ("insightface==0.7.3", "onnxruntime-gpu==1.20.1")

FAMILIES: Mapping[str, Family] = {
    family.name: family
    for family in (
        Family("flux", "ComfyUIFlux", "v0.3.75", "L40S", (INSTANTID,), FACE_ANALYSIS),
        Family("sdxl", "ComfyUISdxl", "v0.3.75", "L40S", (INSTANTID,), FACE_ANALYSIS),
        Family("flux_pulid", "ComfyUIFluxPulid", "v0.3.66", "L40S", (PULID_FLUX,), (*FACE_ANALYSIS, "facexlib==0.3.0")),
        Family(
            "z_image",
            "ComfyUIZImage",
            "v0.3.75",
            "L40S",
            (RES4LYF, INSTANTID, PULID_SDXL),
            (*FACE_ANALYSIS, "facexlib==0.3.0"),
        ),
        Family("video", "ComfyUIVideo", "v0.3.75", "L40S", (LIVE_PORTRAIT,), ("ultralytics==8.3.40",), 2, 1800),
    )
}


def ceiling(family: Family, settings: Mapping[str, str]) -> int:
    """The most containers of a class: RYLA_MAX_CONTAINERS_FLUX and its like, else the default.

    Modal enforces it, so that the budget holds even if nobody of ours is alive to ask for less.
    """
    text = settings.get(f"RYLA_MAX_CONTAINERS_{family.name.upper()}", str(family.max_containers))
    if not text.isdigit() or not 1 <= int(text) <= 100:
        raise ValueError(f"RYLA_MAX_CONTAINERS_{family.name.upper()} must be 1 to 100")
    return int(text)
