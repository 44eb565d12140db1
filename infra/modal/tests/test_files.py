"""Files by their bytes."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from fakes import ManualClock
from gpu import Network, picture
from ryla_modal import files
from ryla_modal.loras import Loras


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", 8 + len(body)) + kind + body


def mp4(width: int, height: int) -> bytes:
    header = b"\0" * 76 + struct.pack(">II", width << 16, height << 16)
    return box(b"ftyp", b"isom\0\0\0\0") + box(b"moov", box(b"trak", box(b"tkhd", header))) + box(b"mdat", b"x" * 20)


@pytest.mark.parametrize(("kind", "content_type"), [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp")])
def test_pictures(kind: str, content_type: str) -> None:
    assert files.facts(picture(kind)) == files.Facts(content_type, 64, 48)


def test_a_video() -> None:
    assert files.facts(mp4(512, 768)) == files.Facts("video/mp4", 512, 768)


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"\xff\xd8\xff", mp4(8, 8)[:60], box(b"ftyp", b"isom"), b"<svg/>"])
def test_what_is_neither_is_refused(data: bytes) -> None:
    with pytest.raises(files.BadFile):
        files.facts(data)


def test_a_small_file_of_many_pixels_is_refused() -> None:
    data = picture("PNG", (8000, 7000))
    with pytest.raises(files.BadFile, match="too many pixels"):
        files.facts(data)


def test_a_png_loses_the_graph_that_save_image_writes_into_it() -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("prompt", "a secret prompt")
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "PNG", pnginfo=text)
    assert b"secret" in out.getvalue()
    clean = files.without_text(out.getvalue())
    assert b"secret" not in clean
    assert files.facts(clean).width == 8


def test_fetched_loras_are_bounded_and_the_least_used_goes_first(tmp_path: Path) -> None:
    import hashlib

    clock = ManualClock()
    net = Network(clock)
    loras = Loras(tmp_path, 250)
    (tmp_path / "mine.safetensors").write_bytes(b"m" * 200)

    def fetch(letter: bytes) -> int:
        data = letter * 100
        net.gets["/l"] = data
        clock.advance(1)
        digest = hashlib.sha256(data).hexdigest()
        return loras.fetched(net.client(), clock, "https://b.s3.amazonaws.com/l", digest, lambda: None)[1]

    assert [fetch(letter) for letter in (b"a", b"b", b"a", b"c")] == [100, 100, 0, 100]
    # b was used least recently; what a person put there stays whatever its size.
    assert [fetch(b"a"), fetch(b"b")] == [0, 100]
    assert (tmp_path / "mine.safetensors").exists()
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 200 + 250
