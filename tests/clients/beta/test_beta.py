"""replicate 2.0.0b4 against `ryla dev`: what its users do, with nothing changed but the base URL."""

import asyncio
import io
import os
import time
from pathlib import Path
from typing import Any

import pytest
from lossy import lossy
from PIL import Image
from replicate import (
    AsyncReplicate,
    AuthenticationError,
    NotFoundError,
    Replicate,
    UnprocessableEntityError,
    use,
)
from replicate.lib._files import AsyncFileOutput, FileOutput
from replicate.lib._models import ModelVersionIdentifier
from replicate.types.prediction import Prediction

MODEL = "ryla/flux-dev"
OWNER, NAME = MODEL.split("/")
ENDED = {"succeeded", "failed", "canceled"}


def client(system: str) -> Replicate:
    """Makes a client as a user would; this one wants the version in the base URL."""
    return Replicate(bearer_token=os.environ[f"{system}_TOKEN"], base_url=os.environ[f"{system}_URL"] + "/v1")


@pytest.fixture(scope="module")
def tls() -> Replicate:
    return client("TLS")


@pytest.fixture(scope="module")
def plain() -> Replicate:
    return client("PLAIN")


def picture(prompt: str, width: int = 256, height: int = 320) -> dict[str, Any]:
    return {"prompt": prompt, "width": width, "height": height, "seed": 7}


def assert_is_jpeg(data: bytes, width: int = 256, height: int = 320) -> None:
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        assert (image.format, image.size) == ("JPEG", (width, height))


def create(of: Replicate, prompt: str) -> Prediction:
    return of.models.predictions.create(model_owner=OWNER, model_name=NAME, input=picture(prompt))


def test_run_hands_over_a_file(tls: Replicate) -> None:
    output = tls.run(MODEL, input=picture("a lighthouse at dusk"))
    assert isinstance(output, FileOutput)
    data = output.read()
    assert_is_jpeg(data)
    assert b"".join(output) == data


def test_run_takes_a_version(tls: Replicate) -> None:
    version = tls.models.versions.list(model_owner=OWNER, model_name=NAME).results[0].id
    output = tls.run(ModelVersionIdentifier(OWNER, NAME, version), input=picture("a lighthouse at dusk"))
    assert isinstance(output, FileOutput)
    assert_is_jpeg(output.read())


@pytest.mark.parametrize("wait", [1, False])
def test_run_gets_its_picture_also_where_the_wait_runs_out(tls: Replicate, wait: int | bool) -> None:
    # A run takes a second: the held request ends before it with `starting`, and the client polls on.
    output = tls.run(MODEL, input=picture("a slow windmill"), wait=wait)
    assert isinstance(output, FileOutput)
    assert_is_jpeg(output.read())


def test_the_asynchronous_client_runs_and_iterates_over_the_file() -> None:
    async def run() -> tuple[bytes, bytes]:
        asynchronous = AsyncReplicate(bearer_token=os.environ["TLS_TOKEN"], base_url=os.environ["TLS_URL"] + "/v1")
        output = await asynchronous.run(MODEL, input=picture("a boat"))
        assert isinstance(output, AsyncFileOutput)
        return await output.read(), b"".join([chunk async for chunk in output])

    whole, chunks = asyncio.run(run())
    assert_is_jpeg(whole)
    assert whole == chunks


def test_use_downloads_the_output(monkeypatch: pytest.MonkeyPatch) -> None:
    # Only the module's `use` works: the method of a client instance raises a TypeError before any request.
    monkeypatch.setenv("REPLICATE_API_TOKEN", os.environ["TLS_TOKEN"])
    monkeypatch.setenv("REPLICATE_BASE_URL", os.environ["TLS_URL"] + "/v1")
    output: Any = use(MODEL)(**picture("a harbour"))
    assert_is_jpeg(Path(output).read_bytes())


def polled_to_its_end(tls: Replicate) -> tuple[list[str], Prediction]:
    prediction = create(tls, "a fox in the snow")
    assert (prediction.status, prediction.output) == ("starting", None)
    seen: list[str] = [prediction.status]
    while prediction.status not in ENDED:
        time.sleep(0.1)
        prediction = tls.predictions.get(prediction_id=prediction.id)
        if prediction.status != seen[-1]:
            seen.append(prediction.status)
    return seen, prediction


def test_a_prediction_is_created_at_once_and_polled_to_its_end(tls: Replicate) -> None:
    seen, prediction = polled_to_its_end(tls)
    for _ in range(5):
        # On a machine that stands still for a second, nobody sees the run.
        if "processing" in seen:
            break
        seen, prediction = polled_to_its_end(tls)
    assert seen == ["starting", "processing", "succeeded"]
    assert prediction.metrics is not None
    assert isinstance(prediction.metrics.predict_time, int | float)
    assert prediction.metrics.predict_time >= 1
    assert str(prediction.output).startswith("https://")


def test_cancel_ends_a_prediction() -> None:
    slow = client("SLOW")
    prediction = create(slow, "a picture that nobody wants")
    assert slow.predictions.cancel(prediction_id=prediction.id).id == prediction.id
    ended = slow.predictions.wait(prediction.id)
    assert (ended.status, ended.output) == ("canceled", None)


def test_iterating_over_the_list_leads_over_all_its_pages(plain: Replicate) -> None:
    made = [create(plain, f"a bird, number {n}").id for n in range(5)]
    first = plain.predictions.list(extra_query={"page_size": 2})
    assert len(first.results) == 2
    assert first.has_next_page()
    listed = [prediction.id for prediction in first]
    assert listed[:5] == made[::-1]
    assert len(set(listed)) == len(listed)


def test_error_bodies_become_the_clients_own_errors(tls: Replicate) -> None:
    with pytest.raises(UnprocessableEntityError) as refused:
        tls.run(MODEL, input={**picture("a canary"), "width": 17, "colour": "red"})
    assert isinstance(refused.value.body, dict)
    assert {problem["field"] for problem in refused.value.body["invalid_fields"]} == {"input.width", "input.colour"}
    assert "canary" not in str(refused.value.body)
    with pytest.raises(NotFoundError):
        tls.predictions.get(prediction_id="a" * 26)
    with pytest.raises(AuthenticationError):
        Replicate(bearer_token="not-a-key", base_url=os.environ["TLS_URL"] + "/v1").account.get()  # noqa: S106


def test_a_creation_whose_reply_is_lost_is_repeated_and_gives_one_job(tls: Replicate) -> None:
    prompt = "a lost reply, second client"
    with lossy(os.environ["TLS_URL"]) as proxy:
        behind = Replicate(bearer_token=os.environ["TLS_TOKEN"], base_url=proxy.url + "/v1")
        prediction = create(behind, prompt)
        assert proxy.posts == 2
    made = [listed.id for listed in tls.predictions.list() if (listed.input or {}).get("prompt") == prompt]
    assert made == [prediction.id]


def test_two_equal_creations_are_two_jobs(tls: Replicate) -> None:
    assert create(tls, "twins").id != create(tls, "twins").id


def test_a_failed_prediction_raises_with_the_sentence_for_the_user() -> None:
    with pytest.raises(Exception, match="GPU worker failed") as raised:
        client("FAILING").run(MODEL, input=picture("a glitch"), wait=False)
    assert type(raised.value).__name__ == "ModelError"


def test_plain_http_works_too_though_files_stay_urls(plain: Replicate) -> None:
    output = plain.run(MODEL, input=picture("a planet"))
    assert isinstance(output, str)
    assert output.startswith(os.environ["PLAIN_URL"])
