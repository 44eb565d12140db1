"""The routes of template.yaml against docs/openapi.json: every operation reaches the function that implements it."""

import json
from urllib.parse import urlsplit

import pytest

import routes
from cloudformation import ROOT, Template

METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}


@pytest.fixture(scope="module")
def gateway(template: Template) -> list[routes.Route]:
    return routes.of_template(template)


@pytest.fixture(scope="module")
def operations() -> dict[tuple[str, str], str]:
    """(method, path with its parameters filled in) -> the function that the document names."""
    document = json.loads((ROOT / "docs/openapi.json").read_text())
    servers = document.get("servers") or [{"url": ""}]
    base = urlsplit(servers[0]["url"]).path.rstrip("/")
    found = {}
    for path, item in document["paths"].items():
        concrete = base + "/".join("x" if part.startswith("{") else part for part in path.split("/"))
        for method in METHODS & set(item):
            assert "x-ryla-function" in item[method], f"{method} {path} does not name its function"
            found[method.upper(), concrete] = item[method]["x-ryla-function"]
    return found


def test_every_operation_reaches_its_function(
    gateway: list[routes.Route], operations: dict[tuple[str, str], str]
) -> None:
    reached = {(method, path): routes.serving(gateway, method, path).function for method, path in operations}
    assert reached == operations


def test_the_document_has_operations_of_all_three_functions(operations: dict[tuple[str, str], str]) -> None:
    assert set(operations.values()) == {"submit", "status", "callback"}


@pytest.mark.parametrize(
    ("method", "path", "function"),
    [
        ("GET", "/v1/predictions/x", "status"),
        ("GET", "/v1/v1/predictions/x", "status"),
        ("GET", "/predictions/x", "status"),
        ("GET", "/o/r30/token/1-0.jpg", "status"),
        ("GET", "/", "status"),
        ("HEAD", "/v1/health", "status"),
        ("OPTIONS", "/v1/predictions", "status"),
        ("PATCH", "/v1/predictions/x", "status"),
        ("POST", "/v1/models/ryla/flux-dev/predictions", "submit"),
        ("POST", "/v1/v1/predictions", "submit"),
        ("POST", "/predictions", "submit"),
        ("PUT", "/v1/predictions/x", "submit"),
        ("DELETE", "/v1/predictions/x", "submit"),
        ("POST", "/v1/callbacks/modal/acme/job/1", "callback"),
        ("POST", "/v1/callbacks", "submit"),
        ("GET", "/v1/callbacks/modal/acme/job/1", "status"),
    ],
)
def test_a_request_reaches(gateway: list[routes.Route], method: str, path: str, function: str) -> None:
    assert routes.serving(gateway, method, path).function == function


def test_every_route_is_one_that_was_meant(gateway: list[routes.Route]) -> None:
    assert {(route.method, route.path) for route in gateway} == {
        ("GET", "/{proxy+}"),
        ("POST", "/{proxy+}"),
        ("PUT", "/{proxy+}"),
        ("DELETE", "/{proxy+}"),
        ("POST", "/v1/callbacks/{proxy+}"),
        ("$default", ""),
    }
