"""template.yaml as CloudFormation sees it: SAM's own transform, run here."""

import pytest
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

from cloudformation import ROOT, Template, Tree


class _NoManagedPolicies:
    """The transform asks for AWS's managed policies; the template uses none."""

    def load(self) -> dict[str, str]:
        return {}


@pytest.fixture(scope="module")
def resources() -> Tree:
    """The resources after the transform, with a placeholder for the uploaded code."""
    document = yaml_parse((ROOT / "template.yaml").read_text())
    for resource in document["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://bucket/code.zip"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
        transformed: Tree = transform(document, {}, _NoManagedPolicies())["Resources"]
    return transformed


def of_type(resources: Tree, kind: str) -> Tree:
    return {name: resource for name, resource in resources.items() if resource["Type"] == kind}


def test_callers_reach_a_published_version_and_never_the_latest_code(resources: Tree) -> None:
    aliases = of_type(resources, "AWS::Lambda::Alias")
    functions = of_type(resources, "AWS::Lambda::Function")
    assert {alias["Properties"]["FunctionName"]["Ref"] for alias in aliases.values()} == set(functions)
    assert {alias["Properties"]["Name"] for alias in aliases.values()} == {"live"}
    called = [
        *(r["Properties"]["IntegrationUri"] for r in of_type(resources, "AWS::ApiGatewayV2::Integration").values()),
        *(r["Properties"]["FunctionName"] for r in of_type(resources, "AWS::Lambda::Permission").values()),
        resources["DispatchMessages"]["Properties"]["FunctionName"],
        resources["SweepSchedule"]["Properties"]["Target"]["Arn"],
        resources["WarmSchedule"]["Properties"]["Target"]["Arn"],
    ]
    assert len(called) == 9
    assert {target["Ref"] for target in called} == set(aliases)


def test_sam_adds_no_role_and_no_policy(template: Template, resources: Tree) -> None:
    assert set(of_type(resources, "AWS::IAM::Role")) == set(template.of_type("AWS::IAM::Role"))
    assert [name for name, role in resources.items() if "ManagedPolicyArns" in role.get("Properties", {})] == []


def test_the_retries_of_what_is_scheduled_are_set_on_its_alias(resources: Tree) -> None:
    configs = of_type(resources, "AWS::Lambda::EventInvokeConfig").values()
    assert len(configs) == 2
    for config in configs:
        assert config["Properties"]["Qualifier"] == "live"
        assert config["Properties"]["MaximumRetryAttempts"] == 0
