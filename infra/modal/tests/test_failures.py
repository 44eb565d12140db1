"""ComfyUI's words become codes of the closed table, by fixtures; the table is the Rust side's."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from ryla_modal.failures import RETRYABLE, of_execution, of_refusal

HERE = Path(__file__).parent
EXECUTIONS = json.loads((HERE / "fixtures/comfyui/execution.json").read_text())
REFUSALS = json.loads((HERE / "fixtures/comfyui/refusals.json").read_text())


@pytest.mark.parametrize("case", EXECUTIONS, ids=lambda case: case["said"])
def test_failed_prompts(case: dict[str, Any]) -> None:
    failed = of_execution(case["messages"])
    assert (failed.code, failed.message) == (case["code"], case["said"])


@pytest.mark.parametrize("case", REFUSALS, ids=lambda case: case["said"])
def test_refused_graphs(case: dict[str, Any]) -> None:
    failed = of_refusal(case["body"])
    assert (failed.code, failed.message) == (case["code"], case["said"])


def test_nothing_of_a_prompt_or_a_path_is_reported() -> None:
    for case in EXECUTIONS:
        report = json.dumps(of_execution(case["messages"]).report())
        assert "secret" not in report
        assert "/root" not in report


def test_the_table_is_the_rust_sides() -> None:
    source = (HERE.parents[2] / "shared/domain/src/failure.rs").read_text()
    rows = dict(re.findall(r'row\(\s*"(\w+)",\s*(true|false)', source))
    known = {code: retry == "true" for code, retry in rows.items() if code in RETRYABLE}
    assert known == RETRYABLE
    assert set(rows) - set(RETRYABLE) == {"backend_unreachable", "no_backend"}
