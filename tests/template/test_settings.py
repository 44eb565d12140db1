"""The settings of the functions: template.yaml, .env.example, docs/DEPLOY.md and .cargo/config.toml say the same."""

import re
import tomllib

import pytest

from cloudformation import ROOT, Template, markdown_table, setting_to_parameter
from grants import FUNCTIONS

FROM_RESOURCES = {
    "TABLE_NAME",
    "BUCKET_NAME",
    "QUEUE_URL",
    "PUBLIC_URL",
    "OUTPUT_BASE_URL",
    "MASTER_SECRETS",
    "METRICS_NAMESPACE",
}

# Parameters of the stack itself, which no function reads under this name.
OF_THE_STACK = {
    "AlarmTopicArn",
    "Architecture",
    "CallbackConcurrency",
    "Cdn",
    "DispatchConcurrency",
    "PublicUrl",
    "Release",
    "ReserveConcurrency",
    "SigningKeys",
    "ThrottleBurst",
    "ThrottleRate",
}


@pytest.fixture(scope="module")
def variables(template: Template) -> dict[str, object]:
    """All variables that some function receives."""
    return {
        name: value
        for function in FUNCTIONS
        for name, value in template.environment(f"{function.capitalize()}Function").items()
    }


@pytest.fixture(scope="module")
def example() -> dict[str, str]:
    """The variables of .env.example with their defaults; a default may stand behind a comment sign."""
    lines = (ROOT / ".env.example").read_text().splitlines()
    found = [re.fullmatch(r"(?:#\s?)?([A-Z][A-Z0-9_]*)=(.*)", line.strip()) for line in lines]
    return {match[1]: match[2].strip().strip("\"'") for match in found if match}


def test_a_setting_is_a_parameter_of_its_name_unless_a_resource_gives_it(variables: dict[str, object]) -> None:
    for name, value in variables.items():
        if name not in FROM_RESOURCES:
            assert value == {"Ref": setting_to_parameter(name)}
    assert set(variables) >= FROM_RESOURCES


def test_every_parameter_reaches_a_function_or_the_stack(template: Template, variables: dict[str, object]) -> None:
    settings = {setting_to_parameter(name) for name in set(variables) - FROM_RESOURCES}
    assert settings & OF_THE_STACK == set()
    assert set(template.parameters) == settings | OF_THE_STACK


def test_every_parameter_has_a_default_so_that_a_first_deployment_asks_nothing(template: Template) -> None:
    assert [name for name, parameter in template.parameters.items() if "Default" not in parameter] == []


def test_the_parameters_have_the_defaults_of_env_example(
    template: Template, variables: dict[str, object], example: dict[str, str]
) -> None:
    here = {
        name: str(template.parameters[setting_to_parameter(name)]["Default"])
        for name in set(variables) - FROM_RESOURCES
    }
    assert {name: example.get(name) for name in here} == here


def test_env_example_names_what_the_resources_give(example: dict[str, str]) -> None:
    assert set(example) >= FROM_RESOURCES


def test_the_deployment_guide_explains_every_parameter(template: Template) -> None:
    rows = markdown_table((ROOT / "docs/DEPLOY.md").read_text(), "Parameters")
    documented = {row[0].strip("`"): row[1].strip("`") for row in rows}
    declared = {name: str(parameter["Default"]) or "empty" for name, parameter in template.parameters.items()}
    assert documented == declared


def test_aws_lc_is_built_without_its_slow_entropy_source() -> None:
    config = tomllib.loads((ROOT / ".cargo/config.toml").read_text())
    assert config["env"]["AWS_LC_SYS_NO_JITTER_ENTROPY"] == "1"
