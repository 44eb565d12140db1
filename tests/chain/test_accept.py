"""`ryla accept` on the real ComfyUI: its report says what the chain measured, and nothing that a CPU cannot tell."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from PIL import Image, ImageStat

from ryla_modal.faces import NoFaces
from system import System

# InstantID beside PuLID, and a LoRA that lies on the volume.
MODELS = ("flux-lora", "sdxl-instantid", "flux-ipadapter-faceid")
# What holds the face, and the mean that is asked for.
METHODS = {"sdxl-instantid": ("InstantID", 0.85), "flux-ipadapter-faceid": ("PuLID", 0.80)}
SAMPLES, AT_ONCE = 7, 5


@dataclass(frozen=True)
class Report:
    """What the command wrote, and its exit status."""

    status: int
    text: str

    def point(self, model: str, what: str) -> tuple[str, str]:
        """Verdict and figure of a point."""
        section = self.text.split(f"## {model}\n")[1].split("\n## ")[0]
        found = re.search(rf"^\| {re.escape(what)} \| \**(\w+)\** \| (.*) \|$", section, re.MULTILINE)
        assert found, f"{what} in {section}"
        return found[1], found[2]


class Colours:
    """Stands where face models would: how near the mean colours of two pictures are. A measurement, though not of faces."""

    def found(self, picture: bytes) -> bool | None:
        return len(picture) > 0

    def likeness(self, reference: bytes, picture: bytes) -> float | None:
        one, other = (ImageStat.Stat(Image.open(io.BytesIO(data)).convert("RGB")).mean for data in (reference, picture))
        return round(1 - sum(abs(a - b) for a, b in zip(one, other, strict=True)) / (3 * 255), 3)


@pytest.fixture
def small(ryla: System) -> Iterator[System]:
    """The system with pictures that a CPU draws in a second, and a reference beside the command."""
    Image.new("RGB", (320, 320), (128, 128, 128)).save(ryla.folder / "me.png")
    ryla.gpu.pace.most = {"width": 256, "height": 256, "steps": 2}
    yield ryla
    ryla.gpu.pace.most = {}
    ryla.gpu.worker.faces = NoFaces()


def accept(ryla: System, models: tuple[str, ...], samples: int, **variables: str) -> Report:
    words = ["accept", "--models", ",".join(models), "--samples", str(samples), "--reference", "me.png", "--lora", "test-lora"]
    process = ryla.command([*words, "--out", "report.md"], **variables)
    process.communicate(timeout=600)
    return Report(process.returncode, (ryla.folder / "report.md").read_text())


def likeness_told(ryla: System, begun: int) -> list[float]:
    """What the worker said of each picture that it compared after `begun` callbacks, in the order in which they ended."""
    ends: dict[str, dict[str, Any]] = {}
    for message, _, status, _ in ryla.gpu.notes.said[begun:]:
        if (message["event"], status) == ("succeeded", 200):
            ends.setdefault(message["call_id"], message)
    return [output["likeness"] for message in ends.values() for output in message["outputs"] if "likeness" in output]


def test_what_nobody_measures_here_is_open_and_the_rest_passes(small: System) -> None:
    report = accept(small, ("sdxl-instantid",), 1)
    assert report.status == 0, report.text
    point = report.point
    assert point("sdxl-instantid", "likeness to the reference") == ("open", "no face models here")
    assert point("sdxl-instantid", "a second start downloads nothing")[0] == "open"
    assert "MODAL_JOBS_URL" in point("sdxl-instantid", "a second start downloads nothing")[1]
    assert point("sdxl-instantid", "every sample succeeds") == ("pass", "1 of 1")
    assert point("sdxl-instantid", "five at once all finish") == ("pass", "5 of 5")


def test_the_list_is_decided_by_what_the_chain_measured(small: System) -> None:
    gpu = small.gpu
    # A picture of this chain's own: the next ones come near its colours.
    assert small.ryla("generate", "flux-dev", "a person", "--width", "256", "--height", "256", "--seed", "99", "--out", "me.png")[0] == 0
    gpu.start_again()
    gpu.worker.faces = Colours()
    begun = len(gpu.notes.said)
    report = accept(small, MODELS, SAMPLES, MODAL_JOBS_URL=small.app_url)
    for model in MODELS:
        for what, figure in {
            "the endpoint answers": f"{SAMPLES} of {SAMPLES}",
            "every sample succeeds": f"{SAMPLES} of {SAMPLES}",
            "five at once all finish": f"{AT_ONCE} of {AT_ONCE}",
            "nodes and model files are there": "0 runs ended for want of one",
        }.items():
            assert report.point(model, what) == ("pass", figure)
        verdict, figure = report.point(model, "a second start downloads nothing")
        assert verdict == "pass", figure
        assert re.fullmatch(r"0 bytes by start [2-9] of class \w+", figure)
        # Time and money of a CPU are told, and judged by nobody.
        for what in ("mean run under 30 s", "reply under 35 s"):
            verdict, figure = report.point(model, what)
            assert (verdict, figure.endswith(" s; on a CPU, only a real GPU decides")) == ("open", True), figure
        assert report.point(model, "a picture under $0.50") == ("open", "not known")
    assert report.point("flux-lora", "the LoRA loads") == ("pass", f"{SAMPLES} of {SAMPLES}")
    # The first run after the start waited for ComfyUI, and says how long.
    order = sorted(MODELS, key=lambda model: report.text.index(f"## {model}\n"))
    verdict, figure = report.point(order[0], "cold start under 60 s")
    assert (verdict, bool(re.match(r"\d+\.\d{3} s, the longest of 1; on a CPU", figure))) == ("open", True), figure
    assert report.point(order[1], "cold start under 60 s") == ("open", "no container was cold")
    # One model after the other, and a model's samples before its five at once.
    told = likeness_told(small, begun)
    assert len(told) == 2 * (SAMPLES + AT_ONCE)
    alike = sorted(METHODS, key=lambda model: report.text.index(f"## {model}\n"))
    failed = 0
    for place, model in enumerate(alike):
        method, least = METHODS[model]
        first = place * (SAMPLES + AT_ONCE)
        figures = told[first : first + SAMPLES]
        mean, lowest = f"{sum(figures) / SAMPLES:.3f}", f"{min(figures):.3f}"
        verdict, figure = report.point(model, "likeness to the reference")
        assert figure == f"mean {mean}, lowest {lowest}, of {SAMPLES} pictures; asked: {least:.2f}"
        assert verdict == ("pass" if float(mean) >= least else "fail")
        failed += verdict == "fail"
        assert f"| {model} | {method} | {mean} | {lowest} | {SAMPLES} |" in report.text
    assert report.status == (1 if failed else 0)
