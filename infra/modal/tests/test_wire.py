"""The messages, by the fixtures that the Rust side reads too."""

from __future__ import annotations

import json

import httpx
import pytest

from fakes import FIXTURES, fixture, places
from ryla_modal import wire
from ryla_modal.places import BUCKETS, Places, PublicOnly, is_public
from ryla_modal.wire import Refused, Run


@pytest.mark.parametrize("name", ["submit", "submit-input-url", "submit-files"])
def test_submit_fixtures_are_read_and_pass_the_host_check(name: str) -> None:
    job = wire.read_submit(json.dumps(fixture(name)).encode())
    assert str(job.run) == "acme.7kq2m4xv5r6tzwbc3nayjhd4pf.1"
    assert job.outputs[0].headers == {"Content-Type": "image/jpeg", "If-None-Match": "*"}
    places().check(job)


def test_signature_is_the_rust_sides_letter_by_letter() -> None:
    example = fixture("signature")
    assert wire.sign(example["key"], example["body"].encode(), example["t"]) == example["header"]


def test_encoding_is_what_the_signature_fixture_signs() -> None:
    body = fixture("signature")["body"]
    assert wire.encode(json.loads(body)).decode() == body


def test_no_secret_is_printed() -> None:
    job = wire.job_of(fixture("submit"))
    assert "9f86d081" not in repr(job)
    assert "X-Amz-Signature" not in repr(job)
    assert "lighthouse" not in repr(job)


BAD = [
    ({"run": "acme.7kq2.0"}, "run"),
    ({"run": "acme.7kq2"}, "run"),
    ({"run": "acme.7kq2.256"}, "run"),
    ({"run": "acme.7kq2.1\n"}, "run"),
    ({"run": 7}, "run"),
    ({"workflow": "../etc"}, "workflow"),
    ({"params": ["x"]}, "params"),
    ({"params": {"prompt": "x" * 9000}}, "params"),
    ({"input_url": "https://b.s3.amazonaws.com/x"}, "params"),
    ({"outputs": []}, "outputs"),
    ({"outputs": fixture("submit")["outputs"] * 11}, "outputs"),
    ({"outputs": fixture("submit")["outputs"] * 2}, "outputs"),
    ({"outputs": [fixture("submit")["outputs"][0] | {"content_type": "text/html"}]}, "outputs.0.content_type"),
    ({"outputs": [fixture("submit")["outputs"][0] | {"slot": True}]}, "outputs.0.slot"),
    ({"outputs": [fixture("submit")["outputs"][0] | {"headers": {"A b": "x"}}]}, "outputs.0.headers"),
    ({"outputs": [fixture("submit")["outputs"][0] | {"headers": {"A": "x\r\ny"}}]}, "outputs.0.headers"),
    ({"outputs": [fixture("submit")["outputs"][0] | {"headers": {"Host": "evil.example"}}]}, "outputs.0.headers"),
    ({"outputs": [fixture("submit")["outputs"][0] | {"headers": {"transfer-encoding": "chunked"}}]}, "outputs.0.headers"),
    ({"outputs": [fixture("submit")["outputs"][0] | {"put_url": "file:///etc"}]}, "outputs.0.put_url"),
    ({"inputs": [{"name": "face", "get_url": "https://x/y", "sha256": "AB"}]}, "inputs.0.sha256"),
    ({"callback": None}, "callback"),
    ({"callback": {"url": "https://u:p@x/", "key": "k"}}, "callback.url"),
    ({"callback": {"url": "https://x.com/", "kid": "k"}}, "callback.key"),
    ({"deadline_at": "soon"}, "deadline_at"),
    ({"run_limit_ms": 0}, "run_limit_ms"),
    ({"traceparent": ""}, "traceparent"),
    ({"v": "1"}, "v"),
]


@pytest.mark.parametrize(("change", "named"), BAD)
def test_a_field_that_does_not_fit_is_named(change: dict[str, object], named: str) -> None:
    with pytest.raises(Refused) as refused:
        wire.read_submit(json.dumps(fixture("submit") | change).encode())
    assert (refused.value.status, refused.value.code) == (422, "invalid_input")
    assert refused.value.message.startswith(f"{named}: ")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"v":NaN}', b"\xff", b"[" * 100_000])
def test_what_is_no_json_object_is_400(body: bytes) -> None:
    with pytest.raises(Refused) as refused:
        wire.read_submit(body)
    assert (refused.value.status, refused.value.code) == (400, "invalid_input")


def test_a_newer_version_is_400_before_anything_else_is_looked_at() -> None:
    with pytest.raises(Refused) as refused:
        wire.read_submit(b'{"v":2,"run":7}')
    assert (refused.value.status, refused.value.code) == (400, "unsupported_version")


def test_refusals_look_like_the_fixture() -> None:
    assert set(wire.invalid("x", "y").body()) == set(fixture("refusal"))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"outputs": [fixture("submit")["outputs"][0] | {"put_url": "https://evil.example/x"}]}, "outputs.0.put_url"),
        *(
            ({"outputs": [fixture("submit")["outputs"][0] | {"put_url": f"https://{host}/x"}]}, "outputs.0.put_url")
            for host in (
                "b.s3.amazonaws.com.evil.example",
                "amazonaws.com",
                "s3.amazonaws.com",
                "theirs.us-east-1.elb.amazonaws.com",
                "theirs.execute-api.us-east-1.amazonaws.com",
                "s3.x.theirs.us-east-1.elb.amazonaws.com",
                "a.s3.x.us-east-1.elb.amazonaws.com",
                "ec2-3-3-3-3.compute-1.amazonaws.com",
            )
        ),
        (
            {"outputs": [fixture("submit")["outputs"][0] | {"put_url": "http://b.s3.amazonaws.com/x"}]},
            "outputs.0.put_url",
        ),
        ({"callback": fixture("submit")["callback"] | {"url": "https://127.0.0.1/x"}}, "callback.url"),
        ({"callback": fixture("submit")["callback"] | {"url": "https://169.254.169.254/x"}}, "callback.url"),
        ({"callback": fixture("submit")["callback"] | {"url": "https://[::ffff:10.0.0.1]/x"}}, "callback.url"),
        *(
            ({"callback": fixture("submit")["callback"] | {"url": f"https://[{address}]/x"}}, "callback.url")
            for address in (
                "64:ff9b::10.0.0.1",
                "64:ff9b::a9fe:a9fe",
                "64:ff9b:1::1",
                "2002:0a00:0001::1",
                "2001:0:53aa:64c:0:0:f5ff:fffe",
                "::10.0.0.1",
                "::1",
                "::",
                "fe80::1",
                "fd00::1",
                "ff02::1",
                "100::1",
                "2001:db8::1",
            )
        ),
        ({"callback": fixture("submit")["callback"] | {"url": "https://localhost/x"}}, "callback.url"),
        ({"callback": fixture("submit")["callback"] | {"url": "http://api.example.com/x"}}, "callback.url"),
    ],
)
def test_urls_at_other_places_are_refused(change: dict[str, object], named: str) -> None:
    with pytest.raises(Refused) as refused:
        places().check(wire.job_of(fixture("submit") | change))
    assert refused.value.message.startswith(f"{named}: ")


def test_a_private_callback_is_for_local_mode_alone() -> None:
    message = fixture("submit") | {"callback": fixture("submit")["callback"] | {"url": "http://127.0.0.1:8787/x"}}
    Places(BUCKETS, local=True).check(wire.job_of(message))
    with pytest.raises(Refused, match=r"callback\.url"):
        Places(BUCKETS).check(wire.job_of(message))


def test_a_name_that_leads_inside_is_not_public() -> None:
    assert not is_public("api.example.com", lambda host: ["93.184.216.34", "10.0.0.7"])
    assert is_public("api.example.com", lambda host: ["93.184.216.34"])


def test_public_addresses_of_both_kinds_are_spoken_to() -> None:
    for address in ("93.184.216.34", "2606:4700::1111", "64:ff9b::93.184.216.34", "::ffff:93.184.216.34", "2002:5db8:d822::1"):
        assert is_public(address), address


def test_a_bucket_of_ones_own_is_one_host() -> None:
    own = Places(("ours.s3.eu-central-1.amazonaws.com",), resolve=lambda host: ["93.184.216.34"])
    own.check_put("https://ours.s3.eu-central-1.amazonaws.com/x")
    for other in ("theirs.s3.eu-central-1.amazonaws.com", "oursXs3.eu-central-1.amazonaws.com"):
        with pytest.raises(Refused):
            own.check_put(f"https://{other}/x")


def test_a_name_that_leads_inside_by_the_time_it_is_used_is_not_spoken_to() -> None:
    answers = iter([["93.184.216.34"], ["10.0.0.7"]])
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200)

    client = httpx.Client(transport=PublicOnly(httpx.MockTransport(handle), lambda _: next(answers)))
    assert client.post("https://api.example.com/cb?x=1", content=b"body").status_code == 200
    # The address that was checked, under the name that the certificate and the server know.
    assert (seen[0].url.host, seen[0].url.path, seen[0].headers["host"]) == ("93.184.216.34", "/cb", "api.example.com")
    assert (seen[0].extensions["sni_hostname"], seen[0].content) == ("api.example.com", b"body")
    with pytest.raises(httpx.ConnectError):
        client.post("https://api.example.com/cb")
    assert len(seen) == 1


def test_every_fixture_is_json_of_this_version() -> None:
    names = sorted(path.stem for path in FIXTURES.glob("*.json"))
    assert len(names) >= 27
    assert all(fixture(name)["v"] == 1 for name in names if name not in {"signature", "callback-refusal"})


def test_a_run_prints_as_it_was_read() -> None:
    assert str(Run.parse("a.b-2.12")) == "a.b-2.12"
