"""Faces, before libraries that see in a picture what the picture says: a line of faces, each a width and an angle.

The libraries have the names and signatures of opencv-python 4.10 and insightface 0.7.3, and take nothing else.
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from ryla_modal.faces import (
    ANTELOPE_FILES,
    INSIGHTFACE_CALIBRATION,
    SFACE,
    SFACE_CALIBRATION,
    YUNET,
    Faces,
    Kind,
    NoFaces,
    calibrated,
    faces_from,
    kind_of,
    shows_none,
)


def picture(*faces: tuple[float, float]) -> bytes:
    return json.dumps(faces).encode()


class Image:
    """A decoded picture; `scale` is what was done to it since."""

    def __init__(self, faces: list[list[float]], size: tuple[int, int] = (2048, 1024), scale: float = 1.0) -> None:
        self.faces, self.scale = faces, scale
        self.shape = (*size, 3)


def decode(data: bytes, flag: str) -> Image | None:
    assert flag == "color"
    return Image(json.loads(data)) if data.startswith(b"[") else None


def resize(image: Image, size: tuple[int, int]) -> Image:
    assert max(size) == 1024
    return Image(image.faces, (size[1], size[0]), size[0] / image.shape[1])


class Detector:
    def setInputSize(self, size: tuple[int, int]) -> None:  # noqa: N802
        self.size = size

    def detect(self, image: Image) -> tuple[int, list[tuple[float, ...]] | None]:
        assert self.size == (image.shape[1], image.shape[0])
        found: list[tuple[float, ...]] = [(0.0, 0.0, width, width, angle) for width, angle in image.faces]
        return 1, found or None


class Embedder:
    def alignCrop(self, image: Image, face: tuple[float, ...]) -> float:  # noqa: N802
        return face[4]

    def feature(self, crop: float) -> float:
        return crop

    def match(self, left: float, right: float, kind: str) -> float:
        assert kind == "cosine"
        return math.cos(left - right)


def opencv(folder: Path) -> SimpleNamespace:
    def detector(path: str, config: str, size: tuple[int, int], score: float) -> Detector:
        assert (path, config, size) == (str(folder / "faces" / YUNET), "", (320, 320))
        assert 0.5 <= score < 1
        return Detector()

    def embedder(path: str, config: str) -> Embedder:
        assert (path, config) == (str(folder / "faces" / SFACE), "")
        return Embedder()

    return SimpleNamespace(
        FaceDetectorYN=SimpleNamespace(create=detector),
        FaceRecognizerSF=SimpleNamespace(create=embedder),
        FaceRecognizerSF_FR_COSINE="cosine",
        IMREAD_COLOR="color",
        imdecode=decode,
        resize=resize,
    )


def analysis(home: Path) -> type:
    class FaceAnalysis:
        def __init__(self, name: str, root: str, allowed_modules: list[str], providers: list[str]) -> None:
            assert (name, root, providers) == ("antelopev2", str(home), ["CPUExecutionProvider"])
            assert allowed_modules == ["detection", "recognition"]
            self.ready = False

        def prepare(self, ctx_id: int, det_size: tuple[int, int]) -> None:
            self.ready = (ctx_id, det_size) == (-1, (640, 640))

        def get(self, image: Image) -> list[SimpleNamespace]:
            assert self.ready
            return [
                SimpleNamespace(bbox=(0.0, 0.0, width, width), normed_embedding=[math.cos(angle), math.sin(angle)])
                for width, angle in image.faces
            ]

    return FaceAnalysis


def files(models: Path) -> None:
    for folder, names in {"faces": (YUNET, SFACE), "insightface/models/antelopev2": ANTELOPE_FILES}.items():
        (models / folder).mkdir(parents=True)
        for name in names:
            (models / folder / name).write_bytes(b"")


@pytest.fixture
def libraries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files(tmp_path)
    app = ModuleType("insightface.app")
    app.FaceAnalysis = analysis(tmp_path / "insightface")  # type: ignore[attr-defined]
    modules: dict[str, Any] = {"cv2": opencv(tmp_path), "insightface": ModuleType("insightface"), "insightface.app": app}
    modules["numpy"] = SimpleNamespace(uint8="u1", frombuffer=lambda data, kind: data)
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)


@pytest.fixture(params=["opencv", "insightface"])
def faces(request: pytest.FixtureRequest, tmp_path: Path, libraries: None) -> Faces:
    made = faces_from(request.param, tmp_path)
    assert not isinstance(made, NoFaces)
    return made


def test_the_largest_faces_are_found_and_compared(faces: Faces) -> None:
    reference = picture((10, 3.0), (200, 0.0))
    assert (faces.found(reference), faces.found(picture()), faces.found(b"no picture")) == (True, False, False)
    same = faces.likeness(reference, picture((150, 0.0), (20, 2.0)))
    near = faces.likeness(reference, picture((150, 0.9)))
    far = faces.likeness(reference, picture((150, math.pi)))
    assert same is not None
    assert near is not None
    assert (same, far) == (1.0, 0.0)
    assert 0.7 < near < 0.95


def test_a_picture_without_a_face_is_not_alike_and_a_reference_without_one_says_nothing(faces: Faces) -> None:
    assert faces.likeness(picture((10, 0.0)), picture()) == 0.0
    assert faces.likeness(picture(), picture((10, 0.0))) is None


def test_a_comparison_that_gives_no_number_says_nothing(faces: Faces) -> None:
    broken = json.dumps([[10, float("nan")]]).encode()
    assert faces.likeness(picture((10, 0.0)), broken) is None


@pytest.mark.parametrize("kind", ["opencv", "insightface", "off"])
def test_without_model_files_nothing_is_said_of_faces(kind: Kind, tmp_path: Path) -> None:
    made = faces_from(kind, tmp_path)
    assert isinstance(made, NoFaces)
    assert (made.found(picture((10, 0.0))), made.likeness(picture((10, 0.0)), picture((10, 0.0)))) == (None, None)


def test_a_setting_that_names_no_kind_is_refused_at_the_deploy() -> None:
    assert kind_of("insightface") == "insightface"
    for other in ("", "yunet", "InsightFace"):
        with pytest.raises(ValueError, match="RYLA_FACES"):
            kind_of(other)


def test_without_its_library_nothing_is_said_of_faces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files(tmp_path)
    monkeypatch.setitem(sys.modules, "insightface", None)
    assert isinstance(faces_from("insightface", tmp_path), NoFaces)


@pytest.mark.parametrize("error", [AssertionError, OSError, type("error", (Exception,), {})])
def test_a_model_file_that_does_not_open_costs_the_faces_and_not_the_class(
    libraries: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: type[Exception]
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise error("Can't read ONNX file")

    monkeypatch.setattr(sys.modules["cv2"].FaceRecognizerSF, "create", broken)
    monkeypatch.setattr(sys.modules["insightface.app"], "FaceAnalysis", broken)
    for kind in ("opencv", "insightface"):
        assert isinstance(faces_from(kind_of(kind), tmp_path), NoFaces)
    said = [(record.getMessage(), vars(record)["kind"], vars(record)["error"]) for record in caplog.records]
    assert said == [("faces are unknown", kind, error.__name__) for kind in ("opencv", "insightface")]


def test_a_detector_that_fails_has_not_seen_that_there_is_no_face(faces: Faces, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (shows_none(faces, picture()), shows_none(faces, picture((10, 0.0))), shows_none(NoFaces(), picture())) == (True, False, False)

    def broken(_: bytes) -> None:
        raise RuntimeError

    monkeypatch.setattr(faces, "found", broken)
    assert shows_none(faces, picture()) is False


@pytest.mark.parametrize(("points", "bound"), [(SFACE_CALIBRATION, 0.363), (INSIGHTFACE_CALIBRATION, 0.45)])
def test_calibration_rises_and_meets_its_points(points: Any, bound: float) -> None:
    figures = [calibrated(cosine / 100, points) or 0.0 for cosine in range(-110, 111)]
    assert figures == sorted(figures)
    assert [calibrated(cosine, points) for cosine in (bound, -2, 1, 2)] == [0.7, 0.0, 1.0, 1.0]
    assert [calibrated(cosine, points) for cosine in (float("nan"), float("inf"), float("-inf"))] == [None] * 3
