"""What the roles of template.yaml allow, as plain facts: (function, where, action).

`where` is written as docs/SECURITY.md writes it: "table `JOB#*`", "index by-account `ACCOUNT#*`", "bucket `o/*`",
"queue", "own log group". A resource or condition of another form is an error, so nothing can be granted unseen.
"""

import re
from typing import NamedTuple

from cloudformation import Node, Template, Tree, markdown_table

FUNCTIONS = ("submit", "status", "callback", "dispatch", "sweep", "warm")


class Grant(NamedTuple):
    """One thing that one function may do in one place."""

    function: str
    where: str
    action: str


def statements(template: Template, role: str) -> list[Tree]:
    """All policy statements of a role; a role has inline policies only."""
    properties = template.properties(role)
    assert set(properties) == {"AssumeRolePolicyDocument", "Policies"}, f"{role} carries more than inline policies"
    return [statement for policy in properties["Policies"] for statement in policy["PolicyDocument"]["Statement"]]


def in_template(template: Template) -> set[Grant]:
    """Every grant of every function's role."""
    found: set[Grant] = set()
    for function in FUNCTIONS:
        for statement in statements(template, f"{function.capitalize()}Role"):
            assert statement["Effect"] == "Allow"
            resources = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
            for resource in resources:
                for where in _places(function, resource, statement.get("Condition")):
                    found |= {Grant(function, where, action) for action in statement["Action"]}
    return found


def in_document(text: str) -> set[Grant]:
    """Every grant of the table in docs/SECURITY.md."""
    found: set[Grant] = set()
    for function, where, actions in markdown_table(text, "What each function may do"):
        for action in actions.split(","):
            grant = Grant(function.strip("`"), where, action.strip().strip("`"))
            assert grant not in found, f"{grant} stands twice in the table"
            found.add(grant)
    return found


def _places(function: str, resource: Node, condition: Tree | None) -> list[str]:
    match resource:
        case {"Fn::GetAtt": ["Table", "Arn"]}:
            return [f"table `{key}`" for key in _leading_keys(condition)]
        case {"Fn::Sub": str(text)} if index := re.fullmatch(r"\$\{Table\.Arn\}/index/([a-z-]+)", text):
            return [f"index {index[1]} `{key}`" for key in _leading_keys(condition)]
    assert condition is None, f"{function}: a condition on {resource} is not understood here"
    match resource:
        case {"Fn::Sub": str(text)} if prefix := re.fullmatch(r"\$\{Bucket\.Arn\}/([a-z]+/\*)", text):
            return [f"bucket `{prefix[1]}`"]
        case {"Fn::GetAtt": ["Queue", "Arn"]}:
            return ["queue"]
        case {"Fn::GetAtt": [str(name), "Arn"]} if name == f"{function.capitalize()}Logs":
            return ["own log group"]
    raise AssertionError(f"{function}: what {resource} covers is not understood here")


def _leading_keys(condition: Tree | None) -> list[str]:
    assert condition is not None, "access to the table without dynamodb:LeadingKeys"
    assert set(condition) == {"ForAllValues:StringLike"}
    (name, keys), *more = condition["ForAllValues:StringLike"].items()
    assert name == "dynamodb:LeadingKeys"
    assert not more
    assert all(re.fullmatch(r"[A-Z]+(#\*)?", key) for key in keys), f"{keys} must each name one kind of item"
    return list(keys)
