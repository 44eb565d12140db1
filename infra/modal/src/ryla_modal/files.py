"""Picture and video files by their bytes: what they are, how large, and what must not travel with them.

Decodes nothing that a header does not allow: sizes are read first.
"""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

from PIL import Image, UnidentifiedImageError

MAX_PIXELS = 50_000_000
_FORMATS = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
_PILLOW = {kind: name for name, kind in _FORMATS.items()}
_PNG_TEXT = (b"tEXt", b"iTXt", b"zTXt", b"eXIf")


class BadFile(Exception):
    """Not a file that is understood; the text says why."""


@dataclass(frozen=True)
class Facts:
    """What the bytes are."""

    content_type: str
    width: int
    height: int


def facts(data: bytes) -> Facts:
    """What a picture or video is, from its header."""
    if data[4:8] == b"ftyp":
        width, height = _mp4_size(data)
        return Facts("video/mp4", width, height)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=list(_FORMATS)) as image:
                width, height = image.size
                kind = _FORMATS[str(image.format)]
                if width * height > MAX_PIXELS:
                    raise BadFile(f"{width}x{height} are too many pixels")
                image.verify()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise BadFile("not a JPEG, PNG or WebP file") from None
    return Facts(kind, width, height)


def as_type(data: bytes, content_type: str) -> bytes:
    """The same picture as another type; without what cameras and ComfyUI write into files."""
    try:
        with Image.open(io.BytesIO(data), formats=list(_FORMATS)) as image:
            out = io.BytesIO()
            mode = "RGB" if content_type == "image/jpeg" else image.mode
            image.convert(mode).save(out, _PILLOW[content_type], quality=92)
            return out.getvalue()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, KeyError):
        raise BadFile("cannot be read as a picture") from None


def without_text(data: bytes) -> bytes:
    """A PNG without its text: SaveImage writes the whole graph there, prompts included."""
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        return data
    kept, at = [data[:8]], 8
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        end = at + 12 + length
        if data[at + 4 : at + 8] not in _PNG_TEXT:
            kept.append(data[at:end])
        at = end
    return b"".join(kept)


def _boxes(data: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    while at + 8 <= end:
        (size,) = struct.unpack_from(">I", data, at)
        head = 8
        if size == 1 and at + 16 <= end:
            (size,) = struct.unpack_from(">Q", data, at + 8)
            head = 16
        stop = end if size == 0 else at + size
        if (size != 0 and size < head) or stop > end:
            raise BadFile("an MP4 that is cut off")
        yield data[at + 4 : at + 8], at + head, stop
        at = stop


def _mp4_size(data: bytes) -> tuple[int, int]:
    """Width and height of the largest track: 16.16 numbers at the end of its header."""
    sizes = [(0, 0)]
    complete = False
    for kind, start, stop in _boxes(data, 0, len(data)):
        complete = complete or kind == b"moov"
        for track, inner, inner_stop in _boxes(data, start, stop) if kind == b"moov" else ():
            for head, at, head_stop in _boxes(data, inner, inner_stop) if track == b"trak" else ():
                if head == b"tkhd" and head_stop - at >= 84:
                    width, height = struct.unpack_from(">II", data, head_stop - 8)
                    sizes.append((width >> 16, height >> 16))
    if not complete:
        raise BadFile("an MP4 without its index")
    return max(sizes)
