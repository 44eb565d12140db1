"""Who may do what: template.yaml grants exactly what docs/SECURITY.md says, and some things nobody gets."""

import re
from collections.abc import Iterator

import pytest

import grants
from cloudformation import ROOT, Node, Template, Tree

WRITES = re.compile(r"dynamodb:(Put|Update|Delete|BatchWrite|Transact)|s3:(Put|Delete)|sqs:|lambda:")


@pytest.fixture(scope="module")
def granted(template: Template) -> set[grants.Grant]:
    return grants.in_template(template)


@pytest.fixture(scope="module")
def documented() -> set[grants.Grant]:
    return grants.in_document((ROOT / "docs/SECURITY.md").read_text())


def texts(node: Node) -> Iterator[str]:
    """All strings of a tree."""
    if isinstance(node, dict):
        for value in node.values():
            yield from texts(value)
    elif isinstance(node, list):
        for value in node:
            yield from texts(value)
    elif isinstance(node, str):
        yield node


def test_the_document_hides_no_grant(granted: set[grants.Grant], documented: set[grants.Grant]) -> None:
    assert granted - documented == set()


def test_the_document_claims_no_grant_that_is_not_there(
    granted: set[grants.Grant], documented: set[grants.Grant]
) -> None:
    assert documented - granted == set()


SCHEDULED = {"sweep", "warm"}
SCHEDULE_ROLES = {f"{function.capitalize()}ScheduleRole" for function in SCHEDULED}


def test_no_role_exists_besides_those_of_the_functions_and_the_schedules(template: Template) -> None:
    expected = {f"{function.capitalize()}Role" for function in grants.FUNCTIONS} | SCHEDULE_ROLES
    assert set(template.of_type("AWS::IAM::Role")) == expected
    for kind in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy"):
        assert template.of_type(kind) == {}


def test_no_role_can_be_taken_by_anybody_but_its_service(template: Template) -> None:
    for name in template.of_type("AWS::IAM::Role"):
        (trust,) = template.properties(name)["AssumeRolePolicyDocument"]["Statement"]
        service = "scheduler.amazonaws.com" if name in SCHEDULE_ROLES else "lambda.amazonaws.com"
        assert trust["Principal"] == {"Service": service}
        assert trust["Action"] == "sts:AssumeRole"


def every_statement(template: Template) -> Iterator[tuple[str, Tree]]:
    for role in template.of_type("AWS::IAM::Role"):
        for statement in grants.statements(template, role):
            yield role, statement


def test_no_action_has_a_wildcard(template: Template) -> None:
    for role, statement in every_statement(template):
        assert isinstance(statement["Action"], list), role
        assert not {"NotAction", "NotResource"} & set(statement), role
        assert [action for action in statement["Action"] if "*" in action] == [], role


def test_no_resource_has_a_wildcard_but_for_a_prefix_of_the_bucket(template: Template) -> None:
    for role, statement in every_statement(template):
        for text in texts(statement["Resource"]):
            assert "*" not in text or re.fullmatch(r"\$\{Bucket\.Arn\}/[a-z]+/\*", text), f"{role}: {text}"


def test_nobody_can_scan_or_delete_the_table_or_its_items(granted: set[grants.Grant]) -> None:
    forbidden = re.compile(r"Scan|DeleteTable|DeleteItem|UpdateTable|PartiQL|BatchWrite|s3:ListBucket|iam:|kms:")
    assert [grant for grant in granted if forbidden.search(grant.action)] == []


def test_status_cannot_write_anything(granted: set[grants.Grant]) -> None:
    own = [grant for grant in granted if grant.function == "status" and grant.where != "own log group"]
    assert own != []
    assert [grant for grant in own if WRITES.search(grant.action)] == []


def test_callback_cannot_touch_the_queue(granted: set[grants.Grant]) -> None:
    assert [grant for grant in granted if grant.function == "callback" and grant.where == "queue"] == []


def test_only_submit_creates_jobs_and_only_dispatch_takes_messages(granted: set[grants.Grant]) -> None:
    assert {grant.function for grant in granted if grant.action == "dynamodb:PutItem"} == {"submit"}
    takers = {grant.function for grant in granted if re.search(r"sqs:(Receive|Delete|Change)", grant.action)}
    assert takers == {"dispatch"}


def test_accounts_and_keys_are_read_only_for_all(granted: set[grants.Grant]) -> None:
    actions = {grant.action for grant in granted if "`ACCOUNT#*`" in grant.where or "`KEY#*`" in grant.where}
    assert actions <= {"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"}


def test_each_function_has_the_role_of_its_name(template: Template) -> None:
    for function in grants.FUNCTIONS:
        name = function.capitalize()
        assert template.properties(f"{name}Function")["Role"] == {"Fn::GetAtt": [f"{name}Role", "Arn"]}
        assert "Policies" not in template.properties(f"{name}Function")


@pytest.mark.parametrize("function", sorted(SCHEDULED))
def test_a_schedule_can_only_invoke_the_alias_of_its_function(template: Template, function: str) -> None:
    (statement,) = grants.statements(template, f"{function.capitalize()}ScheduleRole")
    assert statement["Action"] == ["lambda:InvokeFunction"]
    assert statement["Resource"] == {"Ref": f"{function.capitalize()}Function.Alias"}


def test_warm_reads_and_writes_no_job_and_only_adds_up_what_others_count(granted: set[grants.Grant]) -> None:
    def on(where: str) -> set[tuple[str, str]]:
        return {(grant.function, grant.action) for grant in granted if grant.where == where}

    own = {grant.where for grant in granted if grant.function == "warm"}
    assert own == {"table `TICK#*`", "table `ENDPOINTS`", "own log group"}
    assert on("table `TICK#*`") == {
        ("callback", "dynamodb:UpdateItem"),
        ("dispatch", "dynamodb:UpdateItem"),
        ("sweep", "dynamodb:UpdateItem"),
        ("warm", "dynamodb:Query"),
    }
    assert on("table `ENDPOINTS`") == {
        ("status", "dynamodb:Query"),
        ("warm", "dynamodb:Query"),
        ("warm", "dynamodb:UpdateItem"),
    }


def test_the_backend_secrets_go_only_to_the_functions_that_speak_to_backends(template: Template) -> None:
    for function in grants.FUNCTIONS:
        has = {"MODAL_KEY", "MODAL_SECRET"} & set(template.environment(f"{function.capitalize()}Function"))
        assert len(has) == (2 if function in {"dispatch", "sweep", "warm"} else 0), function
