"""The GPU classes as data: which image, which GPU, how many containers at most. app.py makes a Modal class of each.

One image cannot serve all: PuLID for Flux needs a ComfyUI before 0.3.67, Z-Image one that knows Qwen3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Pack:
    """A node pack at one commit: the one that the workflows name (docs/models/sources.md says where it comes from)."""

    source: str
    commit: str

    @property
    def name(self) -> str:
        return self.source.rpartition("/")[2]

    def install(self) -> str:
        """The shell command that puts it into ComfyUI."""
        into = f"/root/ComfyUI/custom_nodes/{self.name}"
        needs = f"if [ -f {into}/requirements.txt ]; then pip install -r {into}/requirements.txt; fi"
        return f"git clone {self.source} {into} && git -C {into} checkout --detach {self.commit} && {needs}"


@dataclass(frozen=True)
class Family:
    """One GPU class."""

    name: str
    class_name: str
    comfyui: str
    gpu: str
    packs: tuple[Pack, ...] = ()
    pip: tuple[str, ...] = ()
    # Installed without what they ask for, which would bring a torch of their own.
    bare_pip: tuple[str, ...] = ()
    max_containers: int = 3
    timeout_s: int = 900

    def links(self, models: str) -> tuple[str, ...]:
        """Shell commands that put packages' own model folders onto the volume: else every container would fill them anew."""
        if FACEXLIB not in self.pip:
            return ()
        # Found without importing it: it would import torch.
        find = "import importlib.util as util; print(util.find_spec('facexlib').submodule_search_locations[0])"
        return (f'package=$(python -c "{find}") && rm -rf "$package/weights" && ln -s {models}/facexlib "$package/weights"',)


INSTANTID = Pack("https://github.com/cubiq/ComfyUI_InstantID", "72495e806bc2ab9c41581e15ccaa1bcf83c477e8")
PULID_FLUX = Pack("https://github.com/lldacing/ComfyUI_PuLID_Flux_ll", "7c7362b806c2c0f4bde8742ada9e7cb05b44d249")
PULID_SDXL = Pack("https://github.com/cubiq/PuLID_ComfyUI", "93e0c4c226b87b23c0009d671978bad0e77289ff")
RES4LYF = Pack("https://github.com/ClownsharkBatwing/RES4LYF", "46de917234f9fef3f2ab411c41e07aa3c633f4f7")
LIVE_PORTRAIT = Pack("https://github.com/PowerHouseMan/ComfyUI-AdvancedLivePortrait", "3bba732915e22f18af0d221b9c5c282990181f1b")
FACEXLIB = "facexlib==0.3.0"
FACE_ANALYSIS = ("insightface==0.7.3", "onnxruntime-gpu==1.20.1")

FAMILIES: Mapping[str, Family] = {
    family.name: family
    for family in (
        Family("flux", "ComfyUIFlux", "v0.3.75", "L40S", (INSTANTID,), FACE_ANALYSIS),
        Family("sdxl", "ComfyUISdxl", "v0.3.75", "L40S", (INSTANTID,), FACE_ANALYSIS),
        Family(
            "flux_pulid",
            "ComfyUIFluxPulid",
            "v0.3.66",
            "L40S",
            (PULID_FLUX,),
            (*FACE_ANALYSIS, FACEXLIB),
            # The pack imports it and does not ask for it.
            ("facenet-pytorch==2.6.0",),
        ),
        Family(
            "z_image",
            "ComfyUIZImage",
            "v0.3.75",
            "L40S",
            (RES4LYF, INSTANTID, PULID_SDXL),
            (*FACE_ANALYSIS, FACEXLIB),
        ),
        Family("video", "ComfyUIVideo", "v0.3.75", "L40S", (LIVE_PORTRAIT,), ("ultralytics==8.3.40",), max_containers=2, timeout_s=1800),
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
