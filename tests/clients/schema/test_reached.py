"""Whether schemathesis came further than to refusals: what hooks.py has counted. Run by tests/clients/run."""

import json
import os
from pathlib import Path

import pytest

REACHED: dict[str, dict[str, int]] = json.loads(Path(os.environ["SCHEMA_REACHED"]).read_text())
DOCUMENT = json.loads((Path(__file__).parents[3] / "docs" / "openapi.json").read_text())
# The document itself is what schemathesis begins with.
OPERATIONS = [o for path in DOCUMENT["paths"].values() for o in path.values() if o["operationId"] != "OpenApi"]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: str(operation["operationId"]))
def test_the_operation_was_carried_out_and_refused(operation: dict[str, object]) -> None:
    reached = REACHED.get(str(operation["operationId"]), {})
    done = sum(times for status, times in reached.items() if status.startswith("2"))
    print(operation["operationId"], reached)
    # Without parameters there is little to be drawn, and nothing for which the holder of a good key is refused.
    assert done >= (2 if operation["parameters"] else 1), reached
    documented = operation["responses"]
    assert isinstance(documented, dict)
    if operation["parameters"] and ("404" in documented or "422" in documented):
        assert any(status.startswith("4") for status in reached), reached
