"""Faces behind one interface: is there one in the reference, and how alike is the one in the picture.

YuNet finds and SFace compares, both on the CPU through OpenCV; or InsightFace does both, where a deployment holds its
licence and says so. Without their model files, or without the library, nothing is known and nothing is said: a figure is
never invented.
"""

from __future__ import annotations

import logging
import math
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, Protocol

YUNET = "face_detection_yunet_2023mar.onnx"
SFACE = "face_recognition_sface_2021dec.onnx"
# InsightFace's own name of the models, and the two of them that find and compare; the node packs use the same files.
ANTELOPE = "antelopev2"
ANTELOPE_FILES = ("scrfd_10g_bnkps.onnx", "glintr100.onnx")

Calibration = tuple[tuple[float, float], ...]
# OpenCV's tutorial on DNN face detection and recognition gives 0.363 as the cosine from which on two photos count as
# one person. infra/modal/README.md says how the other points were set.
SFACE_CALIBRATION: Calibration = ((-1.0, 0.0), (0.0, 0.30), (0.363, 0.70), (0.50, 0.80), (0.65, 0.90), (1.0, 1.0))
# DeepFace (deepface/config/threshold.py) uses cosine 0.45 for InsightFace's buffalo_l; antelopev2 is its larger sibling,
# for which no source gives a bound.
INSIGHTFACE_CALIBRATION: Calibration = ((-1.0, 0.0), (0.0, 0.30), (0.45, 0.70), (0.55, 0.80), (0.65, 0.90), (1.0, 1.0))

Kind = Literal["opencv", "insightface", "off"]

log = logging.getLogger("ryla_modal.faces")


class Faces(Protocol):
    """A face detector with an embedding. None everywhere means: cannot tell."""

    def found(self, picture: bytes) -> bool | None:
        """Whether the picture shows a face."""

    def likeness(self, reference: bytes, picture: bytes) -> float | None:
        """How alike the largest faces are, 0 to 1; 0 where the picture shows no face."""


class NoFaces:
    """Stands where no model files are."""

    def found(self, picture: bytes) -> bool | None:  # noqa: ARG002
        return None

    def likeness(self, reference: bytes, picture: bytes) -> float | None:  # noqa: ARG002
        return None


def calibrated(cosine: float, points: Calibration) -> float | None:
    """Likeness of a cosine: straight lines between the points. None where the cosine is no number."""
    if not math.isfinite(cosine):
        return None
    cosine = max(-1.0, min(1.0, cosine))
    for (low, from_), (high, to) in pairwise(points):
        if cosine <= high:
            return round(from_ + (to - from_) * (cosine - low) / (high - low), 3)
    return 1.0


def kind_of(setting: str) -> Kind:
    """The kind that RYLA_FACES names."""
    match setting:
        case "opencv" | "insightface" | "off":
            return setting
        case _:
            raise ValueError("RYLA_FACES must be opencv, insightface or off")


def faces_from(kind: Kind, models: Path) -> Faces:
    """The detector of that kind, if its files lie in the models folder and its library opens them; else one that knows nothing."""
    try:
        if kind == "opencv" and all((models / "faces" / name).is_file() for name in (YUNET, SFACE)):
            import cv2
            import numpy

            return OpenCvFaces(cv2, numpy, models / "faces")
        home = models / "insightface"
        # InsightFace would download its models where the folder is missing: that is for fill_models to do.
        if kind == "insightface" and all((home / "models" / ANTELOPE / name).is_file() for name in ANTELOPE_FILES):
            import cv2
            import numpy
            from insightface.app import FaceAnalysis

            return InsightFaces(cv2, numpy, FaceAnalysis, home)
    except Exception as error:
        # A library that is not there, or a file that is broken: OpenCV and InsightFace raise what they like, and a class
        # that makes pictures without knowing their faces is worth more than none.
        log.warning("faces are unknown", extra={"kind": kind, "error": type(error).__name__})
    return NoFaces()


def shows_none(faces: Faces, picture: bytes) -> bool:
    """Whether the picture certainly shows no face. A detector that fails has seen nothing, and refuses nobody."""
    try:
        return faces.found(picture) is False
    except Exception as error:
        log.warning("the face of a reference is unknown", extra={"error": type(error).__name__})
        return False


class OpenCvFaces:
    """YuNet and SFace. `cv2` and `numpy` are handed over, since only the GPU images have them."""

    SIDE = 1024
    SCORE = 0.7

    def __init__(self, cv2: Any, numpy: Any, folder: Path) -> None:  # noqa: ANN401
        self._cv2, self._numpy = cv2, numpy
        self._detector = cv2.FaceDetectorYN.create(str(folder / YUNET), "", (320, 320), self.SCORE)
        self._embedder = cv2.FaceRecognizerSF.create(str(folder / SFACE), "")

    def _largest(self, picture: bytes) -> tuple[Any, Any] | None:
        image = self._cv2.imdecode(self._numpy.frombuffer(picture, self._numpy.uint8), self._cv2.IMREAD_COLOR)
        if image is None:
            return None
        height, width = image.shape[:2]
        scale = min(1.0, self.SIDE / max(height, width))
        if scale < 1.0:
            image = self._cv2.resize(image, (round(width * scale), round(height * scale)))
        self._detector.setInputSize((image.shape[1], image.shape[0]))
        _, found = self._detector.detect(image)
        if found is None or len(found) == 0:
            return None
        return image, max(found, key=lambda face: float(face[2] * face[3]))

    def found(self, picture: bytes) -> bool | None:
        return self._largest(picture) is not None

    def likeness(self, reference: bytes, picture: bytes) -> float | None:
        one, other = self._largest(reference), self._largest(picture)
        if one is None:
            return None
        if other is None:
            return 0.0
        left, right = (self._embedder.feature(self._embedder.alignCrop(*face)) for face in (one, other))
        return calibrated(float(self._embedder.match(left, right, self._cv2.FaceRecognizerSF_FR_COSINE)), SFACE_CALIBRATION)


class InsightFaces:
    """SCRFD and ArcFace of antelopev2, on the CPU: the GPU's memory is the pictures'. Its models are not for commercial use."""

    SIDE = 640

    def __init__(self, cv2: Any, numpy: Any, analysis: Any, home: Path) -> None:  # noqa: ANN401
        self._cv2, self._numpy = cv2, numpy
        parts = ["detection", "recognition"]
        self._analysis = analysis(name=ANTELOPE, root=str(home), allowed_modules=parts, providers=["CPUExecutionProvider"])
        self._analysis.prepare(ctx_id=-1, det_size=(self.SIDE, self.SIDE))

    def _largest(self, picture: bytes) -> Any:  # noqa: ANN401
        image = self._cv2.imdecode(self._numpy.frombuffer(picture, self._numpy.uint8), self._cv2.IMREAD_COLOR)
        found = [] if image is None else self._analysis.get(image)
        return max(found, key=lambda face: float((face.bbox[2] - face.bbox[0]) * (face.bbox[3] - face.bbox[1])), default=None)

    def found(self, picture: bytes) -> bool | None:
        return self._largest(picture) is not None

    def likeness(self, reference: bytes, picture: bytes) -> float | None:
        one, other = self._largest(reference), self._largest(picture)
        if one is None:
            return None
        if other is None:
            return 0.0
        left, right = one.normed_embedding, other.normed_embedding
        return calibrated(float(sum(a * b for a, b in zip(left, right, strict=True))), INSIGHTFACE_CALIBRATION)
