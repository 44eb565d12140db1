"""One run on a GPU container, against a ComfyUI, a bucket and a callback server that do as they are told."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from fakes import fixture
from gpu import Bench, ok, oom, picture
from ryla_modal.wire import Run

RUN = "acme.7kq2m4xv5r6tzwbc3nayjhd4pf.1"


def test_a_run_puts_its_picture_and_says_so(bench: Bench) -> None:
    result = bench.run()
    assert bench.net.events == ["started", "succeeded"]
    last = bench.net.callbacks[-1]
    data = bench.net.puts[0][2]
    assert last["outputs"] == [
        {
            "slot": 0,
            "etag": "abc123",
            "bytes": len(data),
            "width": 64,
            "height": 48,
            "content_type": "image/jpeg",
        }
    ]
    assert last["timings"] == {"queue": 180, "boot": 1500, "load": 300, "run": 600, "upload": 0}
    assert set(last) <= set(fixture("callback-succeeded"))
    assert set(bench.net.callbacks[0]) == set(fixture("callback-started"))
    # What is returned repeats the last callback, so that a lost one loses nothing.
    assert {name: last[name] for name in ("outputs", "timings", "gpu", "event")} == result
    assert bench.comfy.previews == ["jpeg;92"]
    prompt_id, client_id, graph = bench.comfy.started[0]
    assert (prompt_id, client_id) == (RUN, RUN)
    assert graph["9"]["inputs"]["filename_prefix"] == f"ryla/{RUN}-w"
    assert graph["9"]["inputs"]["seed"] == 8675309
    assert bench.forgotten == [RUN]
    assert bench.comfy.watches == 0


def test_the_put_carries_the_signed_headers_and_no_other_of_amazons(bench: Bench) -> None:
    bench.run()
    headers = bench.net.puts[0][1]
    assert (headers["content-type"], headers["if-none-match"]) == ("image/jpeg", "*")
    assert not [name for name in headers if name.startswith("x-amz")]


def test_boot_is_charged_to_the_first_run_of_a_container_only(bench: Bench) -> None:
    assert bench.run()["timings"]["boot"] == 1500
    bench.message["run"] = RUN[:-1] + "2"
    assert bench.run()["timings"]["boot"] == 0


def test_past_its_deadline_nothing_is_done(bench: Bench) -> None:
    bench.message["deadline_at"] = bench.clock.now_ms()
    assert bench.run() == {"event": "expired"}
    assert bench.net.events == ["expired"]
    assert set(bench.net.callbacks[0]) == set(fixture("callback-expired"))
    assert (bench.comfy.started, bench.net.puts) == ([], [])


def test_another_calls_run_is_left_alone(bench: Bench) -> None:
    bench.claims.begin(Run.parse(RUN), "fc-other")
    assert bench.run() == {"event": "left"}
    assert (bench.net.callbacks, bench.comfy.started) == ([], [])


def test_a_preempted_input_that_runs_again_makes_no_second_picture(bench: Bench) -> None:
    def preempted() -> None:
        raise KeyboardInterrupt

    bench.comfy.on_poll = preempted
    with pytest.raises(KeyboardInterrupt):
        bench.run()
    # The container went down: it says nothing, least of all that the run was cancelled.
    assert bench.net.events == ["started"]
    bench.comfy.on_poll = lambda: None
    assert bench.run()["event"] == "succeeded"
    # A third time, the bucket has the picture.
    bench.net.put_answers = [412]
    assert bench.run()["outputs"] == [{"slot": 0, "existed": True}]
    assert bench.net.callbacks[-1]["outputs"] == fixture("callback-succeeded-existed")["outputs"]


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [
        ([409, 200], "succeeded"),
        ([500, 503, 200], "succeeded"),
        (["lost", 412], "succeeded"),
        ([400], "internal"),
        ([501, 200], "succeeded"),
        (["lost"] * 40, "internal"),
    ],
)
def test_what_the_bucket_answers(bench: Bench, answers: list[Any], outcome: str) -> None:
    bench.message["run_limit_ms"] = 900_000
    bench.net.put_answers = answers
    result = bench.run()
    assert result.get("error", {}).get("code", result["event"]) == outcome
    if answers == ["lost"] * 40:
        # Five minutes, with a sign of life all the while.
        upload_s = sum(pause for pause in bench.clock.slept if pause >= 0.35)
        assert 270 < upload_s <= 300
        assert bench.net.events.count("progress") >= 8


def renewed() -> dict[str, Any]:
    return fixture("callback-reply-renewed")


def test_an_expired_url_is_renewed_by_callback(bench: Bench) -> None:
    bench.net.put_answers = [403, 200]
    fresh = renewed()
    fresh["put_urls"][0]["put_url"] = "https://bucket.s3.amazonaws.com/new?X-Amz-Signature=2"
    bench.net.callback_answers = [fixture("callback-reply"), fresh]
    assert bench.run()["event"] == "succeeded"
    assert bench.net.events == ["started", "progress", "succeeded"]
    asked = bench.net.callbacks[1]
    assert set(asked) == set(fixture("callback-renew"))
    assert (asked["renew"], asked["phase"], asked["progress"]) == (True, "upload", 100)
    assert bench.net.puts[1][0] == "https://bucket.s3.amazonaws.com/new?X-Amz-Signature=2"


@pytest.mark.parametrize("case", ["again 403", "none came", "foreign host", "foreign header", "no headers"])
def test_an_expired_url_that_is_not_renewed_fails_the_run(bench: Bench, case: str) -> None:
    bench.net.put_answers = [403, 403] if case == "again 403" else [403, 200]
    fresh = renewed()
    if case == "foreign host":
        fresh["put_urls"][0]["put_url"] = "https://evil.example/x"
    if case == "foreign header":
        fresh["put_urls"][0]["headers"]["Host"] = "evil.example"
    if case == "no headers":
        fresh["put_urls"][0]["headers"] = {"A": "x\r\ny"}
    answer = fixture("callback-reply") if case == "none came" else fresh
    bench.net.callback_answers = [fixture("callback-reply"), answer]
    assert bench.run()["error"]["code"] == "internal"
    assert all("evil" not in url + str(headers) for url, headers, _ in bench.net.puts)
    # One new URL is asked for: one that is refused at once has not run out.
    assert bench.net.events.count("progress") == 1


def test_signs_of_life_every_seven_seconds_with_growing_progress(bench: Bench) -> None:
    bench.comfy.takes = 100
    bench.run()
    beats = [callback for callback in bench.net.callbacks if callback["event"] == "progress"]
    assert len(beats) == 4
    figures = [beat["progress"] for beat in beats]
    assert figures == sorted(figures)
    assert 0 < figures[0] < figures[-1] < 100
    assert set(beats[0]) == set(fixture("callback-progress"))
    assert [callback["seq"] for callback in bench.net.callbacks] == list(range(1, 7))
    assert len({callback["event_id"] for callback in bench.net.callbacks}) == 6


@pytest.mark.parametrize("reply", [{"v": 1, "continue": False}, fixture("callback-reply-ignored")])
def test_a_heartbeats_answer_stops_the_run(bench: Bench, reply: dict[str, Any]) -> None:
    bench.comfy.takes = 1000
    bench.net.callback_answers = [fixture("callback-reply"), reply]
    assert bench.run()["event"] == "cancelled"
    assert bench.comfy.cancelled == [RUN]
    assert bench.net.events == ["started", "progress", "cancelled"]
    assert set(bench.net.callbacks[-1]) == set(fixture("callback-cancelled"))
    assert bench.net.puts == []


def test_a_cancel_at_the_web_side_stops_the_run(bench: Bench) -> None:
    bench.comfy.takes = 1000

    def close() -> None:
        bench.claims.close(Run.parse(RUN))

    bench.comfy.on_poll = close
    assert bench.run()["event"] == "cancelled"
    assert bench.comfy.cancelled == [RUN]


def test_a_store_that_is_away_does_not_end_a_run_that_is_paid(bench: Bench) -> None:
    asked: list[int] = []

    def away(run: Run) -> bool:
        asked.append(1)
        raise ConnectionError("the store")

    bench.comfy.takes = 100
    bench.claims.stopped = away  # type: ignore[method-assign]
    assert bench.run()["event"] == "succeeded"
    assert len(asked) == 4


def test_the_platforms_cancellation_is_reported_and_passed_on(bench: Bench) -> None:
    class InputCancellation(BaseException):
        pass

    bench.worker.cancellation = (InputCancellation,)

    def cancel() -> None:
        raise InputCancellation

    bench.comfy.on_poll = cancel
    with pytest.raises(InputCancellation):
        bench.run()
    assert bench.net.events == ["started", "cancelled"]
    assert bench.comfy.cancelled == [RUN]


def test_over_the_run_limit_the_graph_is_stopped(bench: Bench) -> None:
    bench.comfy.takes = 10_000
    bench.message["run_limit_ms"] = 20_000
    assert bench.run()["error"]["code"] == "timeout"
    assert bench.comfy.cancelled == [RUN]


def test_out_of_memory_is_tried_once_more_after_free(bench: Bench) -> None:
    bench.comfy.answers = [oom(), ok()]
    assert bench.run()["event"] == "succeeded"
    assert bench.comfy.freed == 1
    assert [prompt_id for prompt_id, _, _ in bench.comfy.started] == [RUN, f"{RUN}-2"]


def test_out_of_memory_twice_is_gpu_oom(bench: Bench) -> None:
    bench.comfy.answers = [oom(), oom(), ok()]
    result = bench.run()
    assert result["error"] == {"code": "gpu_oom", "message": "torch.OutOfMemoryError at KSampler", "retryable": False}
    assert result["error"] == fixture("callback-failed")["error"]
    assert set(bench.net.callbacks[-1]) == set(fixture("callback-failed"))
    assert bench.comfy.freed == 1


def test_a_server_that_forgot_the_prompt_is_restarted_once(bench: Bench) -> None:
    bench.comfy.lost = 1
    assert bench.run()["event"] == "succeeded"
    assert (bench.comfy.restarted, len(bench.comfy.started)) == (1, 2)


def test_a_server_that_cannot_be_restarted_is_gpu_error(bench: Bench) -> None:
    bench.comfy.lost, bench.comfy.restarts = 1, False
    assert bench.run()["error"]["code"] == "gpu_error"


def test_a_lost_answer_to_post_prompt_does_not_queue_the_graph_twice(bench: Bench) -> None:
    bench.comfy.down_after_start = 1
    assert bench.run()["event"] == "succeeded"
    assert len(bench.comfy.started) == 1


def test_success_without_a_file_is_no_output(bench: Bench) -> None:
    bench.comfy.answers = [ok()]
    bench.comfy.answers = [type(ok())("success", (), ())]
    assert bench.run()["error"]["code"] == "no_output"


def test_fewer_files_than_outputs_is_no_output_and_puts_nothing(bench: Bench) -> None:
    bench.message["outputs"] = [fixture("submit")["outputs"][0] | {"slot": slot} for slot in (0, 1)]
    assert bench.run()["error"]["code"] == "no_output"
    assert bench.net.puts == []


def test_several_pictures_go_to_their_slots_in_order(bench: Bench) -> None:
    one, two = picture(size=(16, 16)), picture(size=(32, 32))
    bench.comfy.views = {"a.png": one, "b.png": two}
    bench.comfy.answers = [ok("a.png", "b.png")]
    bench.message["outputs"] = [
        fixture("submit")["outputs"][0] | {"slot": slot, "put_url": f"https://b.s3.amazonaws.com/{slot}"} for slot in (1, 0)
    ]
    outputs = bench.run()["outputs"]
    assert [(item["slot"], item["width"]) for item in outputs] == [(0, 16), (1, 32)]
    assert [url for url, _, _ in bench.net.puts] == ["https://b.s3.amazonaws.com/0", "https://b.s3.amazonaws.com/1"]


@pytest.mark.parametrize("content_type", ["image/png", "image/webp"])
def test_other_types_on_request(bench: Bench, content_type: str) -> None:
    bench.message["outputs"][0] |= {"content_type": content_type, "headers": {"Content-Type": content_type}}
    bench.comfy.views = {"o.png": picture("PNG" if content_type == "image/png" else "WEBP")}
    assert bench.run()["outputs"][0]["content_type"] == content_type
    assert bench.comfy.previews == [None if content_type == "image/png" else "webp;92"]


def test_bytes_of_another_type_are_encoded_again(bench: Bench) -> None:
    bench.comfy.views = {"o.png": picture("PNG")}
    assert bench.run()["outputs"][0]["content_type"] == "image/jpeg"
    assert bench.net.puts[0][2][:3] == b"\xff\xd8\xff"


def test_bytes_that_are_no_picture_are_no_output(bench: Bench) -> None:
    bench.comfy.views = {"o.png": b"<html>502</html>"}
    assert bench.run()["error"]["code"] == "no_output"
    assert bench.net.puts == []


# Callbacks


def test_a_clock_that_is_off_is_corrected_by_the_servers(bench: Bench) -> None:
    bench.net.skew_s = 4000
    assert bench.run()["event"] == "succeeded"
    assert bench.net.events == ["started", "succeeded"]
    # Only the first one had to be signed twice.
    assert len(bench.net.bodies) == 3
    assert bench.net.bodies[0] == bench.net.bodies[1]


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_the_last_callback_is_tried_again(bench: Bench, status: int) -> None:
    bench.net.callback_answers = [fixture("callback-reply"), status, status]
    assert bench.run()["event"] == "succeeded"
    assert bench.net.events == ["started", "succeeded"]
    assert bench.net.bodies[-1] == bench.net.bodies[-2] == bench.net.bodies[-3]


@pytest.mark.parametrize(("said", "least", "most"), [("7", 7, 7), ("600", 30, 30), ("0", 0, 1), ("soon", 0, 1), ("-5", 0, 1)])
def test_a_callback_comes_back_when_the_answer_says_and_not_before(bench: Bench, said: str, least: float, most: float) -> None:
    busy = httpx.Response(503, headers={"Retry-After": said})
    bench.net.callback_answers = [fixture("callback-reply"), busy]
    assert bench.run()["event"] == "succeeded"
    assert least <= bench.clock.slept[-1] <= most


def test_the_last_callback_is_given_up_after_five_minutes_and_the_result_stays(bench: Bench) -> None:
    bench.net.down_until = bench.clock.monotonic() + 10_000
    begun = bench.clock.monotonic()
    assert bench.run()["event"] == "succeeded"
    assert 260 < bench.clock.monotonic() - begun <= 302


def test_a_callback_endpoint_that_is_down_for_a_minute_loses_nothing(bench: Bench) -> None:
    bench.net.down_until = bench.clock.monotonic() + 60
    assert bench.run()["event"] == "succeeded"
    assert bench.net.events == ["succeeded"]


@pytest.mark.parametrize("status", [400, 401, 404, 410])
def test_a_refused_callback_is_not_tried_again(bench: Bench, status: int) -> None:
    bench.net.callback_answers = [fixture("callback-reply"), status]
    bench.run()
    assert len(bench.net.bodies) == 2


def test_a_heartbeat_is_tried_once(bench: Bench) -> None:
    bench.comfy.takes = 30
    bench.net.callback_answers = [fixture("callback-reply"), 503]
    assert bench.run()["event"] == "succeeded"
    assert bench.net.events == ["started", "succeeded"]
    assert [json.loads(body)["seq"] for body in bench.net.bodies] == [1, 2, 3]


class Face:
    """A detector that sees what it is told."""

    def __init__(self, found: bool | None, likeness: float | None) -> None:
        self.answer, self.figure = found, likeness

    def found(self, picture: bytes) -> bool | None:
        return self.answer

    def likeness(self, reference: bytes, picture: bytes) -> float | None:
        return self.figure


def test_a_reference_without_a_face_costs_no_gpu(bench: Bench) -> None:
    bench.give("reference_image", picture())
    bench.worker.faces = Face(False, None)
    assert bench.run()["error"]["code"] == "face_not_found"
    assert (bench.comfy.started, bench.comfy.uploads) == ([], [])


def test_a_detector_that_fails_refuses_no_reference(bench: Bench) -> None:
    class Broken(Face):
        def found(self, picture: bytes) -> bool | None:
            raise RuntimeError("the detector")

    bench.give("reference_image", picture())
    bench.worker.faces = Broken(None, 0.5)
    assert bench.run()["event"] == "succeeded"


@pytest.mark.parametrize("figure", [0.87, None])
def test_likeness_is_reported_where_it_is_known_and_absent_otherwise(bench: Bench, figure: float | None) -> None:
    bench.give("reference_image", picture())
    bench.worker.faces = Face(True, figure)
    assert bench.run()["outputs"][0].get("likeness") == figure


@pytest.mark.parametrize("figure", [float("nan"), float("inf"), -0.1, 1.1, "broken"])
def test_a_comparison_that_goes_wrong_costs_nobody_the_picture(bench: Bench, figure: Any) -> None:
    class Broken(Face):
        def likeness(self, reference: bytes, picture: bytes) -> float | None:
            if figure == "broken":
                raise RuntimeError("the detector")
            return float(figure)

    bench.give("reference_image", picture())
    bench.worker.faces = Broken(True, None)
    result = bench.run()
    assert (result["event"], "likeness" in result["outputs"][0]) == ("succeeded", False)
    assert bench.net.events == ["started", "succeeded"]


def test_likeness_is_measured_against_the_reference_and_not_the_base(bench: Bench) -> None:
    seen: list[bytes] = []

    class Watching(Face):
        def likeness(self, reference: bytes, picture: bytes) -> float | None:
            seen.append(reference)
            return 0.5

    face = picture(size=(20, 20))
    bench.give("base_image", picture())
    bench.give("reference_image", face)
    bench.worker.faces = Watching(True, None)
    bench.run()
    assert seen == [face]


@pytest.mark.parametrize("verdict", ["ok", "nsfw", "refuse"])
def test_the_safety_verdict(bench: Bench, verdict: Any) -> None:
    bench.worker.safety = lambda data, content_type: verdict
    result = bench.run()
    if verdict == "refuse":
        assert result["error"]["code"] == "unsafe"
        assert bench.net.puts == []
    else:
        assert result["outputs"][0]["safety"] == verdict


def test_an_unexpected_error_is_internal_and_names_only_its_type(bench: Bench) -> None:
    def broken(name: str, data: bytes, folder: str) -> str:
        raise RuntimeError("a secret")

    bench.give("reference_image", picture())
    bench.comfy.upload = broken  # type: ignore[method-assign]
    assert bench.run()["error"] == {"code": "internal", "message": "RuntimeError", "retryable": True}


# What a run leaves behind


def test_after_a_stop_the_server_is_waited_for_and_not_restarted(bench: Bench) -> None:
    bench.comfy.takes = 1000
    bench.net.callback_answers = [fixture("callback-reply"), {"v": 1, "continue": False}]
    assert bench.run()["event"] == "cancelled"
    assert (bench.comfy.idle(), bench.comfy.restarted) == (True, 0)


@pytest.mark.parametrize("end", ["cancelled", "timeout", "internal", "cancellation"])
def test_a_prompt_that_heeds_no_interrupt_is_ended_with_its_process(bench: Bench, end: str) -> None:
    class InputCancellation(BaseException):
        pass

    def at_once() -> None:
        if end == "cancellation":
            raise InputCancellation
        if end == "internal":
            raise RuntimeError
        if end == "cancelled":
            bench.claims.close(Run.parse(RUN))

    bench.comfy.takes, bench.comfy.heeds, bench.comfy.on_poll = 10_000, False, at_once
    bench.worker.cancellation = (InputCancellation,)
    bench.message["run_limit_ms"] = 30_000
    if end == "cancellation":
        with pytest.raises(InputCancellation):
            bench.run()
    else:
        result = bench.run()
        assert result.get("error", {}).get("code", result["event"]) == end
    assert (bench.comfy.idle(), bench.comfy.restarted) == (True, 1)
    # The last event did not wait for it.
    assert bench.net.events[-1] in {"cancelled", "failed"}
    bench.comfy.takes, bench.comfy.on_poll = 1, lambda: None
    bench.message["run"] = RUN[:-1] + "2"
    assert bench.run()["event"] == "succeeded"
