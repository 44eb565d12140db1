"""replicate 1.0.7 against `ryla dev`: what its users do, with nothing changed but the base URL."""

import asyncio
import io
import os
import re
import time
from typing import Any

import httpx
import pytest
from PIL import Image
from replicate.client import Client
from replicate.exceptions import ModelError, ReplicateError
from replicate.helpers import FileOutput
from replicate.prediction import Prediction

from conftest import client
from lossy import lossy

MODEL = "ryla/flux-dev"
ENDED = {"succeeded", "failed", "canceled"}


def picture(prompt: str, width: int = 256, height: int = 320) -> dict[str, Any]:
    return {"prompt": prompt, "width": width, "height": height, "seed": 7}


def assert_is_jpeg(data: bytes, width: int = 256, height: int = 320) -> None:
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        assert (image.format, image.size) == ("JPEG", (width, height))


def version_of(client: Client) -> str:
    version = client.models.get(MODEL).latest_version
    assert version is not None
    return version.id


def create(client: Client, prompt: str) -> Prediction:
    return client.predictions.create(version=version_of(client), input=picture(prompt))


def test_run_without_a_version_hands_over_a_file(tls: Client) -> None:
    output = tls.run(MODEL, input=picture("a lighthouse at dusk"))
    assert isinstance(output, FileOutput)
    assert output.url.startswith(os.environ["TLS_URL"])
    assert_is_jpeg(output.read())


def test_a_picture_is_handed_over_inside_the_input(tls: Client) -> None:
    face = io.BytesIO()
    Image.new("RGB", (64, 64), "orange").save(face, "PNG")
    whole = {**picture("a person"), "reference_image": face}
    face.seek(0)
    output = tls.run("ryla/sdxl-instantid", input=whole, file_encoding_strategy="base64")
    assert isinstance(output, FileOutput)
    assert_is_jpeg(output.read())
    with pytest.raises(ReplicateError) as refused:
        tls.run("ryla/sdxl-instantid", input={**picture("a person"), "reference_image": "me.png"})
    assert refused.value.status == 422


def test_a_video_is_handed_over_as_a_file(tls: Client) -> None:
    output = tls.run("ryla/wan2", input=picture("waves"), wait=30)
    assert isinstance(output, FileOutput)
    assert output.read()[4:8] == b"ftyp"


def test_run_with_a_version_hands_over_the_same_file(tls: Client) -> None:
    versioned = tls.run(f"{MODEL}:{version_of(tls)}", input=picture("a lighthouse at dusk"))
    unversioned = tls.run(MODEL, input=picture("a lighthouse at dusk"))
    assert isinstance(versioned, FileOutput)
    assert isinstance(unversioned, FileOutput)
    data = versioned.read()
    assert_is_jpeg(data)
    assert data == unversioned.read()
    assert b"".join(versioned) == data


def test_run_polls_where_it_is_told_not_to_wait(tls: Client) -> None:
    output = tls.run(MODEL, input=picture("a windmill"), wait=False)
    assert isinstance(output, FileOutput)
    assert_is_jpeg(output.read())


def test_run_gets_its_picture_also_where_the_wait_runs_out(tls: Client) -> None:
    # A run takes a second: the held request ends before it with `starting`, and the client polls on.
    output = tls.run(MODEL, input=picture("a slow windmill"), wait=1)
    assert isinstance(output, FileOutput)
    assert_is_jpeg(output.read())


def test_run_works_in_an_event_loop() -> None:
    async def run() -> bytes:
        output = await client("TLS").async_run(MODEL, input=picture("a boat"))
        assert isinstance(output, FileOutput)
        return await output.aread()

    assert_is_jpeg(asyncio.run(run()))


def polled_to_its_end(tls: Client) -> tuple[list[str], Prediction]:
    prediction = create(tls, "a fox in the snow")
    assert (prediction.status, prediction.output) == ("starting", None)
    seen = [str(prediction.status)]
    while prediction.status not in ENDED:
        time.sleep(0.1)
        prediction.reload()
        if prediction.status != seen[-1]:
            seen.append(prediction.status)
    return seen, prediction


def test_a_prediction_is_created_at_once_and_polled_to_its_end(tls: Client) -> None:
    seen, prediction = polled_to_its_end(tls)
    for _ in range(5):
        # On a machine that stands still for a second, nobody sees the run.
        if "processing" in seen:
            break
        seen, prediction = polled_to_its_end(tls)
    assert seen == ["starting", "processing", "succeeded"]
    assert prediction.model == MODEL
    assert prediction.version == version_of(tls)
    assert prediction.error is None
    assert prediction.input is not None
    assert prediction.input["prompt"] == "a fox in the snow"
    assert prediction.progress is not None
    assert prediction.progress.percentage == 1.0
    assert prediction.metrics is not None
    assert prediction.metrics["predict_time"] >= 1
    assert prediction.metrics["provider"] == "preview"
    assert prediction.metrics["cost_usd"] is None
    assert prediction.started_at is not None
    assert prediction.completed_at is not None
    assert prediction.output is not None
    # A prediction keeps the URL; only `run` makes a file of it.
    assert_is_jpeg(tls._client.get(prediction.output).content)


def test_wait_returns_when_the_prediction_has_ended(tls: Client) -> None:
    prediction = create(tls, "a castle")
    prediction.wait()
    assert prediction.status == "succeeded"
    again = tls.predictions.get(prediction.id)
    assert (again.status, again.output) == ("succeeded", prediction.output)


def test_a_creation_that_waits_answers_with_the_output(tls: Client) -> None:
    prediction = tls.models.predictions.create(model=MODEL, input=picture("a bridge"), wait=20)
    assert prediction.status == "succeeded"
    assert prediction.output is not None
    assert prediction.output.startswith("https://")


def test_a_deployment_of_the_models_name_takes_predictions(tls: Client) -> None:
    prediction = tls.deployments.predictions.create(MODEL, input=picture("an island"))
    prediction.wait()
    assert prediction.status == "succeeded"


def test_cancel_ends_a_prediction(slow: Client) -> None:
    prediction = create(slow, "a picture that nobody wants")
    prediction.cancel()
    prediction.wait()
    assert prediction.status == "canceled"
    assert prediction.output is None
    other = create(slow, "another one")
    canceled = slow.predictions.cancel(other.id)
    assert canceled.id == other.id
    canceled.wait()
    assert canceled.status == "canceled"


def test_the_list_leads_over_its_pages_from_the_newest_to_the_oldest(plain: Client) -> None:
    made = [create(plain, f"a bird, number {n}").id for n in range(5)]
    pages = []
    link: str | None = f"{os.environ['PLAIN_URL']}/v1/predictions?page_size=2"
    while link is not None:
        page = plain.predictions.list(link)
        pages.append([prediction.id for prediction in page.results])
        link = page.next
    assert len(pages) >= 3
    assert all(len(page) == 2 for page in pages[:-1])
    listed = [identifier for page in pages for identifier in page]
    assert listed[:5] == made[::-1]
    assert len(set(listed)) == len(listed)
    whole = plain.predictions.list()
    assert [prediction.id for prediction in whole.results] == listed
    assert (whole.next, whole.previous) == (None, None)


def test_a_refused_input_says_what_is_wrong_and_with_which_field(tls: Client) -> None:
    with pytest.raises(ReplicateError) as raised:
        tls.run(MODEL, input={**picture("a canary"), "width": 17, "colour": "red"})
    error = raised.value
    assert error.status == 422
    assert error.title
    assert error.detail
    assert error.type == "about:blank"
    assert "canary" not in str(error)


@pytest.mark.parametrize("call", ["get", "cancel"])
def test_an_unknown_prediction_is_not_found(tls: Client, call: str) -> None:
    with pytest.raises(ReplicateError) as raised:
        getattr(tls.predictions, call)("a" * 26)
    assert raised.value.status == 404
    assert raised.value.title


def test_an_unknown_model_is_not_found(tls: Client) -> None:
    with pytest.raises(ReplicateError) as raised:
        tls.run("ryla/no-such-model", input={"prompt": "x"})
    assert raised.value.status == 404


def test_a_wrong_key_is_refused() -> None:
    stranger = Client(api_token="not-a-key", base_url=os.environ["TLS_URL"])  # noqa: S106
    with pytest.raises(ReplicateError) as raised:
        stranger.predictions.list()
    assert raised.value.status == 401
    assert "not-a-key" not in str(raised.value)


def test_a_base_url_with_the_version_in_it_works_as_well(tls: Client) -> None:
    doubled = Client(api_token=os.environ["TLS_TOKEN"], base_url=f"{os.environ['TLS_URL']}/v1")
    assert doubled.models.get(MODEL).name == tls.models.get(MODEL).name


def test_models_and_versions_read_as_the_client_expects_them(tls: Client) -> None:
    model = tls.models.get(MODEL)
    assert (model.owner, model.name, model.visibility) == ("ryla", "flux-dev", "public")
    assert MODEL in [f"{listed.owner}/{listed.name}" for listed in tls.models.list().results]
    versions = model.versions.list().results
    assert [version.id for version in versions] == [version_of(tls)]
    version = model.versions.get(versions[0].id)
    assert re.fullmatch(r"[0-9a-f]{64}", version.id)
    schemas = version.openapi_schema["components"]["schemas"]
    assert schemas["Input"]["required"] == ["prompt"]
    assert schemas["Output"] == {"type": "string", "format": "uri", "title": "Output"}
    with pytest.raises(ReplicateError) as raised:
        model.versions.get("0" * 64)
    assert raised.value.status == 404


def test_the_account_is_the_keys(tls: Client) -> None:
    account = tls.accounts.current()
    assert (account.type, account.username) == ("organization", "local")


def test_a_failed_prediction_raises_with_the_sentence_for_the_user(failing: Client) -> None:
    with pytest.raises(ModelError) as raised:
        failing.run(MODEL, input=picture("a glitch"), wait=False)
    prediction = raised.value.prediction
    assert prediction.status == "failed"
    assert isinstance(prediction.error, str)
    assert prediction.error
    assert prediction.metrics is not None
    assert prediction.metrics["error_code"] == "gpu_error"
    assert prediction.metrics["attempts"] == 3


def test_plain_http_works_too_though_files_stay_urls(plain: Client) -> None:
    output = plain.run(MODEL, input=picture("a planet"))
    assert isinstance(output, str)
    assert output.startswith(os.environ["PLAIN_URL"])
    assert_is_jpeg(plain._client.get(output).content)


def test_a_creation_whose_reply_is_lost_is_not_repeated_and_raises(tls: Client) -> None:
    prompt = "a lost reply, first client"
    with lossy(os.environ["TLS_URL"]) as proxy:
        behind = Client(api_token=os.environ["TLS_TOKEN"], base_url=proxy.url)
        with pytest.raises(httpx.RemoteProtocolError):
            behind.models.predictions.create(model=MODEL, input=picture(prompt))
        assert proxy.posts == 1
    made = [listed for listed in tls.predictions.list().results if (listed.input or {}).get("prompt") == prompt]
    assert len(made) == 1


def test_iterating_over_the_file_yields_its_bytes(tls: Client) -> None:
    output = tls.run(MODEL, input=picture("a row of trees"))
    assert isinstance(output, FileOutput)
    assert_is_jpeg(b"".join(output))

    async def chunks() -> bytes:
        # A client's asynchronous half belongs to one event loop.
        output = await client("TLS").async_run(MODEL, input=picture("a row of trees"))
        assert isinstance(output, FileOutput)
        return b"".join([chunk async for chunk in output])

    assert_is_jpeg(asyncio.run(chunks()))


def test_a_stream_is_refused_by_the_client_itself(tls: Client) -> None:
    with pytest.raises(ReplicateError, match="does not support streaming"):
        list(tls.stream(MODEL, input=picture("a stream")))


def test_the_asynchronous_paginator_leads_over_all_pages(plain: Client) -> None:
    made = {create(plain, f"a fish, number {n}").id for n in range(3)}

    async def listed() -> list[str]:
        fresh = client("PLAIN")
        first = await fresh.predictions.async_list(f"{os.environ['PLAIN_URL']}/v1/predictions?page_size=2")
        pages = [first]
        while pages[-1].next is not None:
            pages.append(await fresh.predictions.async_list(pages[-1].next))
        return [prediction.id for page in pages for prediction in page.results]

    assert made <= set(asyncio.run(listed()))
