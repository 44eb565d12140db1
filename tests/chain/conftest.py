"""The one container and the one system of a test session."""

from collections.abc import Iterator

import pytest

from container import Container, container
from ryla_modal import graph, job
from system import System, system


@pytest.fixture(scope="session")
def gpu() -> Iterator[Container]:
    """A container whose heartbeats come every second, and whose ComfyUI is given three seconds to become free."""
    job.HEARTBEAT_S, graph.FREE_WITHIN_S = 1.0, 3.0
    with container() as made:
        yield made


@pytest.fixture(scope="session")
def running(gpu: Container, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The system, with that container as its only GPU."""
    with system(gpu, tmp_path_factory.mktemp("system")) as made:
        yield made


@pytest.fixture
def ryla(running: System) -> Iterator[System]:
    """The system with a container that is free, and free again after the test."""
    running.gpu.pace.seconds, running.gpu.pace.node = 0.0, "TestSleep"
    running.gpu.puts.clear()
    yield running
    running.gpu.settle()
