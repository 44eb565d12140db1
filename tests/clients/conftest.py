"""The systems that tests/clients/run has started, each behind the official client."""

import os

import pytest
from replicate.client import Client


def client(name: str) -> Client:
    """Makes a client as a user would: address and key, and nothing else."""
    return Client(api_token=os.environ[f"{name}_TOKEN"], base_url=os.environ[f"{name}_URL"])


@pytest.fixture(scope="session")
def tls() -> Client:
    """A system behind https, whose runs take a second."""
    return client("TLS")


@pytest.fixture(scope="session")
def slow() -> Client:
    """A system behind https, whose runs take longer than any test."""
    return client("SLOW")


@pytest.fixture(scope="session")
def plain() -> Client:
    """A system behind plain http."""
    return client("PLAIN")


@pytest.fixture(scope="session")
def failing() -> Client:
    """A system whose GPUs always fail."""
    return client("FAILING")
