"""Jobs through the deployed API, on functions and rights as template.yaml has them."""

import io
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image
from replicate.client import Client
from replicate.helpers import FileOutput

from conftest import MODEL, Tenant
from processes import eventually
from stack import Stack


def test_replicates_client_gets_the_picture(stack: Stack, acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(stack.edge.ca_file))
    client = Client(api_token=acme.key, base_url=stack.url)
    output = client.run(MODEL, input={"prompt": "a lighthouse at dusk", "width": 256, "height": 320})
    assert isinstance(output, FileOutput)
    assert output.url.startswith(f"{stack.url}/o/r30/")
    with Image.open(io.BytesIO(output.read())) as image:
        image.load()
        assert (image.format, image.size) == ("JPEG", (256, 320))


def test_a_job_ends_on_its_first_attempt_and_leaves_the_due_index(stack: Stack, acme: Tenant) -> None:
    job = acme.create("a fox in the snow")
    prediction = acme.ended(job)
    assert prediction["status"] == "succeeded", prediction
    assert prediction["metrics"]["attempts"] == 1
    row = stack.row("acme", job)
    assert row
    assert "due" not in row


def test_a_duplicate_submit_is_the_same_job(acme: Tenant) -> None:
    first = acme.submit("a windmill", idempotency_key="windmill-1")
    again = acme.submit("a windmill", idempotency_key="windmill-1")
    other = acme.submit("another windmill", idempotency_key="windmill-1")
    assert (first.status_code, again.status_code, other.status_code) == (201, 201, 422)
    assert first.json()["id"] == again.json()["id"]
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"


def test_eight_duplicates_at_once_are_one_job(acme: Tenant) -> None:
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: acme.submit("a race", idempotency_key="race-1"), range(8)))
    assert [reply.status_code for reply in replies] == [201] * 8
    (job,) = {reply.json()["id"] for reply in replies}
    assert [("idempotent-replayed" in reply.headers) for reply in replies].count(False) == 1
    assert acme.ended(job)["metrics"]["attempts"] == 1


def test_another_tenants_job_is_an_unknown_one(acme: Tenant, globex: Tenant) -> None:
    job = acme.create("a secret")
    unknown = "a" * len(job)
    for method, path in (("GET", ""), ("POST", "/cancel"), ("DELETE", "")):
        foreign = globex.http.request(method, f"/v1/predictions/{job}{path}")
        missing = globex.http.request(method, f"/v1/predictions/{unknown}{path}")
        assert foreign.status_code == missing.status_code == 404
        # The one thing that is new in every answer.
        foreign_text = foreign.text.replace(foreign.json()["trace_id"], "TRACE")
        assert foreign_text == missing.text.replace(missing.json()["trace_id"], "TRACE")
    assert job not in [listed["id"] for listed in globex.http.get("/v1/predictions").json()["results"]]
    assert job in [listed["id"] for listed in acme.http.get("/v1/predictions").json()["results"]]
    assert acme.ended(job)["status"] == "succeeded"


def test_a_stranger_gets_nothing(acme: Tenant) -> None:
    reply = acme.http.get("/v1/predictions", headers={"authorization": "Bearer ryla_nobody"})
    assert reply.status_code == 401


def test_the_schedule_recovers_a_job_whose_callbacks_were_all_lost(stack: Stack, acme: Tenant) -> None:
    stack.edge.lose_callbacks(lose=True)
    job = acme.create("a letter that never arrives")
    # `started` and `succeeded`, at least.
    eventually("the GPU has reported", lambda: stack.edge.lost(job) >= 2 or None)
    assert acme.prediction(job)["status"] in {"starting", "processing"}
    prediction = acme.ended(job, limit_s=150)
    assert prediction["status"] == "succeeded", prediction
    assert prediction["metrics"]["attempts"] == 1
    stack.edge.lose_callbacks(lose=False)
    assert acme.http.get(prediction["output"]).status_code == 200
