"""Faces behind one interface: is there one in the reference, and how alike is the one in the picture.

YuNet finds and SFace compares, both on the CPU through OpenCV. Without their model files, or without OpenCV, nothing is
known and nothing is said: a figure is never invented.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

YUNET = "face_detection_yunet_2023mar.onnx"
SFACE = "face_recognition_sface_2021dec.onnx"

# OpenCV's tutorial on DNN face detection and recognition gives 0.363 as the cosine from which on two photos count as
# one person. infra/modal/README.md says how the other points were set.
CALIBRATION = ((-1.0, 0.0), (0.0, 0.30), (0.363, 0.70), (0.50, 0.80), (0.65, 0.90), (1.0, 1.0))


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


def calibrated(cosine: float) -> float:
    """Likeness of a cosine: straight lines between the points of CALIBRATION."""
    cosine = max(-1.0, min(1.0, cosine))
    for (low, from_), (high, to) in pairwise(CALIBRATION):
        if cosine <= high:
            return round(from_ + (to - from_) * (cosine - low) / (high - low), 3)
    return 1.0


def faces_from(folder: Path) -> Faces:
    """The detector whose files lie in `folder`, else one that knows nothing."""
    if not all((folder / name).is_file() for name in (YUNET, SFACE)):
        return NoFaces()
    try:
        import cv2
        import numpy
    except ImportError:
        return NoFaces()
    return OpenCvFaces(cv2, numpy, folder)


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
        return calibrated(float(self._embedder.match(left, right, self._cv2.FaceRecognizerSF_FR_COSINE)))
