"""A job from the command line to the picture, through everything that is between them; and what may go wrong there."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from system import PRESIGN_S, System, until


def report(process: subprocess.Popen[str]) -> dict[str, Any]:
    """What the command says of its job when it ends."""
    out, _ = process.communicate(timeout=600)
    told: dict[str, Any] = json.loads(out)
    return told


def is_jpeg(path: Path) -> bool:
    with Image.open(path) as image:
        return (image.format, image.size) == ("JPEG", (256, 256))


def in_comfyui(ryla: System) -> bool:
    """Whether a prompt runs there."""
    return not ryla.gpu.comfy.idle()


def test_the_command_gets_its_picture_and_every_callback_is_signed_and_taken(ryla: System) -> None:
    told = report(ryla.generate(1))
    assert (told["status"], told["seed"], told["provider"]) == ("succeeded", 1, "modal")
    assert (told["width"], told["height"]) == (256, 256)
    saved = ryla.folder / "1.jpg"
    assert is_jpeg(saved)
    assert saved.stat().st_size == told["bytes"]
    # The picture lies in the bucket: whoever has its URL gets the same bytes.
    assert httpx.get(told["output"]).content == saved.read_bytes()
    callbacks = ryla.gpu.notes.told(told["id"])
    assert ryla.gpu.notes.of(told["id"])[0] == "started"
    assert ryla.gpu.notes.of(told["id"])[-1] == "succeeded"
    for message, headers, status, reply in callbacks:
        assert headers["x-ryla-signature"].startswith("t=")
        assert (status, reply["continue"] or message["event"] == "succeeded") == (200, True)
        assert "ignored" not in reply
    [output] = callbacks[-1][0]["outputs"]
    assert output["etag"] == hashlib.md5(saved.read_bytes(), usedforsecurity=False).hexdigest()


def test_a_callback_with_another_signature_is_refused(ryla: System) -> None:
    job = str(report(ryla.generate(2))["id"])
    message, headers, _, _ = ryla.gpu.notes.told(job)[0]
    account = str(message["call_id"]).removeprefix("fc-").partition(".")[0]
    url = f"{ryla.link.url}/v1/callbacks/modal/{account}/{job}/1"
    forged = headers["x-ryla-signature"][:-1] + ("0" if headers["x-ryla-signature"][-1] != "0" else "1")
    body = json.dumps(message | {"event": "failed"})
    for signature in (headers["x-ryla-signature"], forged, ""):
        assert httpx.post(url, content=body, headers={"X-Ryla-Signature": signature}).status_code == 401
    assert ryla.end_of(job)["status"] == "succeeded"


def test_the_same_seed_is_the_same_picture(ryla: System) -> None:
    pictures = []
    for _ in range(2):
        report(ryla.generate(3))
        pictures.append((ryla.folder / "3.jpg").read_bytes())
    report(ryla.generate(4))
    assert pictures[0] == pictures[1] != (ryla.folder / "4.jpg").read_bytes()


def test_five_requests_at_once_all_get_their_picture(ryla: System) -> None:
    processes = [ryla.generate(seed) for seed in range(10, 15)]
    assert [report(process)["status"] for process in processes] == ["succeeded"] * 5
    assert len({(ryla.folder / f"{seed}.jpg").read_bytes() for seed in range(10, 15)}) == 5


def test_a_cancel_in_the_middle_stops_the_gpu(ryla: System) -> None:
    ryla.gpu.pace.seconds = 600
    process = ryla.generate(20)
    job = ryla.job_of(20)
    until(lambda: in_comfyui(ryla))
    begun = time.monotonic()
    ryla.ryla("jobs", "cancel", job)
    assert ryla.end_of(job)["status"] == "canceled"
    assert report(process)["status"] == "canceled"
    ryla.gpu.settle()
    assert not in_comfyui(ryla)
    assert time.monotonic() - begun < 400
    assert ryla.gpu.notes.of(job)[-1] == "cancelled"
    assert ryla.gpu.puts == []
    assert not (ryla.folder / "20.jpg").exists()


def test_a_prompt_that_heeds_no_interrupt_does_not_hold_up_the_next_job(ryla: System) -> None:
    ryla.gpu.pace.seconds, ryla.gpu.pace.node = 600, "TestDeaf"
    process = ryla.generate(21)
    job = ryla.job_of(21)
    until(lambda: in_comfyui(ryla))
    ryla.gpu.pace.seconds = 0
    begun = time.monotonic()
    ryla.ryla("jobs", "cancel", job)
    assert report(process)["status"] == "canceled"
    assert report(ryla.generate(22))["status"] == "succeeded"
    assert time.monotonic() - begun < 400


def test_a_job_that_is_cancelled_while_it_waits_costs_no_gpu(ryla: System) -> None:
    ryla.gpu.pace.seconds = 600
    first = ryla.generate(23)
    until(lambda: in_comfyui(ryla))
    second = ryla.generate(24)
    job = ryla.job_of(24)
    until(lambda: ryla.gpu.waiting("flux"))
    ryla.ryla("jobs", "cancel", job)
    assert report(second)["status"] == "canceled"
    assert in_comfyui(ryla), "the one before it goes on"
    ryla.ryla("jobs", "cancel", ryla.job_of(23))
    assert report(first)["status"] == "canceled"
    assert ryla.gpu.notes.told(job) == []


def test_a_comfyui_that_is_killed_in_the_middle_is_started_again_and_makes_the_picture(ryla: System) -> None:
    ryla.gpu.pace.seconds = 15
    process = ryla.generate(30)
    until(lambda: in_comfyui(ryla))
    killed = ryla.gpu.comfy.pid
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    told = report(process)
    assert told["status"] == "succeeded"
    assert is_jpeg(ryla.folder / "30.jpg")
    assert ryla.gpu.comfy.pid != killed
    # The same attempt, as the user sees it: nothing was started twice at the backend.
    assert ryla.gpu.notes.of(told["id"]).count("started") == 1


def test_a_callback_endpoint_that_is_away_at_the_end_hears_it_when_it_is_back(ryla: System) -> None:
    ryla.gpu.pace.seconds = 10
    process = ryla.generate(40)
    job = ryla.job_of(40)
    until(lambda: "started" in ryla.gpu.notes.of(job))
    with ryla.link.cut():
        until(lambda: 200 in ryla.gpu.puts)
        before = ryla.link.cuts
        until(lambda: ryla.link.cuts >= before + 3)
        assert "succeeded" not in ryla.gpu.notes.of(job)
    told = report(process)
    assert (told["id"], told["status"]) == (job, "succeeded")
    assert ryla.gpu.notes.of(job)[-1] == "succeeded"
    assert ryla.gpu.puts == [200]


def test_a_minute_without_callbacks_and_an_url_that_ran_out_meanwhile_lose_nothing(ryla: System) -> None:
    ryla.gpu.pace.seconds = PRESIGN_S + 5
    begun = time.monotonic()
    process = ryla.generate(50)
    job = ryla.job_of(50)
    until(lambda: "started" in ryla.gpu.notes.of(job))
    with ryla.link.cut():
        time.sleep(PRESIGN_S - 2)
        assert ryla.link.cuts > 5
    told = report(process)
    assert told["status"] == "succeeded"
    assert time.monotonic() - begun > PRESIGN_S
    # Refused, since it had run out; then put under a URL that a heartbeat brought.
    assert ryla.gpu.puts == [403, 200]
    assert any(message.get("renew") for message, *_ in ryla.gpu.notes.told(job))
    assert is_jpeg(ryla.folder / "50.jpg")


@pytest.mark.parametrize(("field", "value"), [("--width", "257"), ("--cfg", "99")])
def test_what_the_model_does_not_take_never_reaches_the_gpu(ryla: System, field: str, value: str) -> None:
    before = len(ryla.gpu.notes.said)
    status, told = ryla.ryla("generate", "flux-dev", "x", field, value)
    assert (status, told["id"]) == (2, None)
    assert len(ryla.gpu.notes.said) == before
