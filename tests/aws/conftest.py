"""The deployed system, started once for all tests, and its callers."""

import signal
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from processes import eventually
from stack import Stack, deployed

MODEL = "ryla/flux-dev"
ENDED = {"succeeded", "failed", "canceled"}
# Prompts and keys that were sent: no log may hold one of them.
SENT: set[str] = set()


def pytest_configure() -> None:
    """A request to end still ends every process that was started: the fixtures are taken down as after ^C."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The logs are searched when everything else has written to them."""
    items.sort(key=lambda item: item.path.name == "test_logs.py")


@dataclass
class Tenant:
    """An account, with its key and an HTTP client that uses it."""

    account: str
    key: str
    http: httpx.Client

    def submit(self, prompt: str, **headers: str) -> httpx.Response:
        """Creates a prediction without waiting for it."""
        body = {"input": {"prompt": prompt, "width": 256, "height": 256, "seed": 7}}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        SENT.update([prompt, self.key, *headers.values()])
        return self.http.post(f"/v1/models/{MODEL}/predictions", json=body, headers=named)

    def create(self, prompt: str) -> str:
        """Creates a prediction and returns its id."""
        reply = self.submit(prompt)
        assert reply.status_code == 201, reply.text
        return str(reply.json()["id"])

    def prediction(self, job: str) -> dict[str, Any]:
        """How it stands."""
        reply = self.http.get(f"/v1/predictions/{job}")
        assert reply.status_code == 200, reply.text
        return dict(reply.json())

    def ended(self, job: str, limit_s: float = 120) -> dict[str, Any]:
        """The prediction once it has ended."""

        def ask() -> dict[str, Any] | None:
            prediction = self.prediction(job)
            return prediction if prediction["status"] in ENDED else None

        return eventually(f"{job} ends", ask, limit_s, 0.25)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The deployed system; its logs lie in the folder of the run and are shown by tests/aws/run on failure."""
    with deployed(Path(tmp_path_factory.mktemp("aws"))) as stack:
        yield stack


@pytest.fixture(autouse=True)
def healthy(request: pytest.FixtureRequest) -> Iterator[None]:
    """Takes away what a test has ordered, so that the next one starts on a healthy system."""
    yield
    if "stack" not in request.fixturenames:
        return
    stack: Stack = request.getfixturevalue("stack")
    stack.edge.lose_callbacks(lose=False)
    stack.faults()


def tenant(stack: Stack, account: str) -> Iterator[Tenant]:
    key = stack.new_key(account)
    trust = ssl.create_default_context(cafile=str(stack.edge.ca_file))
    headers = {"authorization": f"Bearer {key}"}
    with httpx.Client(base_url=stack.url, headers=headers, verify=trust, timeout=60, trust_env=False) as http:
        yield Tenant(account, key, http)


@pytest.fixture(scope="session")
def acme(stack: Stack) -> Iterator[Tenant]:
    """An account."""
    yield from tenant(stack, "acme")


@pytest.fixture(scope="session")
def globex(stack: Stack) -> Iterator[Tenant]:
    """Another account."""
    yield from tenant(stack, "globex")
