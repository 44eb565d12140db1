"""Reads template.yaml: the short tags of CloudFormation become their long forms, and conditions can be evaluated.

Nothing here knows what RYLA's template should contain; the tests do.
"""

import re
from pathlib import Path
from typing import Any, TypeAlias, cast

import yaml

ROOT = Path(__file__).resolve().parents[2]

Node: TypeAlias = Any
Tree: TypeAlias = dict[str, Node]


class _Loader(yaml.SafeLoader):
    """YAML with `!Ref` and its kin."""


def _short_tag(loader: _Loader, suffix: str, node: yaml.Node) -> Tree:
    value: Node
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(cast(yaml.MappingNode, node), deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short_tag)


class Template:
    """A parsed template with its parameters at their defaults or at values of the test's choice."""

    def __init__(self, text: str) -> None:
        """Parse the text of a template."""
        self.tree: Tree = yaml.load(text, Loader=_Loader)  # noqa: S506  (a SafeLoader with more tags)
        self.parameters: Tree = self.tree["Parameters"]
        self.resources: Tree = self.tree["Resources"]

    @classmethod
    def read(cls) -> "Template":
        """Parse template.yaml of this repository."""
        return cls((ROOT / "template.yaml").read_text())

    def of_type(self, kind: str) -> Tree:
        """All resources of a type, by their logical id."""
        return {name: resource for name, resource in self.resources.items() if resource["Type"] == kind}

    def properties(self, name: str) -> Tree:
        return cast(Tree, self.resources[name]["Properties"])

    def environment(self, function: str) -> Tree:
        """The environment of a function: what Globals give and what it adds."""
        shared = self.tree["Globals"]["Function"]["Environment"]["Variables"]
        own = self.properties(function).get("Environment", {}).get("Variables", {})
        return {**shared, **own}

    def condition(self, name: str, **chosen: str) -> bool:
        """Whether a named condition holds for these parameters, all others at their defaults."""
        return self._holds(self.tree["Conditions"][name], chosen)

    def evaluate(self, node: Node, **chosen: str) -> Node:
        """The node with every `Fn::If` decided and every parameter filled in; references to resources stay.

        A property or list entry that comes out as `AWS::NoValue` is left out.
        """
        if isinstance(node, list):
            items = [self.evaluate(item, **chosen) for item in node]
            return [item for item in items if item != {"Ref": "AWS::NoValue"}]
        if not isinstance(node, dict):
            return node
        if set(node) == {"Fn::If"}:
            name, yes, no = node["Fn::If"]
            return self.evaluate(yes if self.condition(name, **chosen) else no, **chosen)
        if set(node) == {"Ref"} and node["Ref"] in self.parameters:
            return self._value(node["Ref"], chosen)
        pairs = {key: self.evaluate(value, **chosen) for key, value in node.items()}
        return {key: value for key, value in pairs.items() if value != {"Ref": "AWS::NoValue"}}

    def _value(self, parameter: str, chosen: dict[str, str]) -> Node:
        return chosen.get(parameter, self.parameters[parameter]["Default"])

    def _holds(self, node: Tree, chosen: dict[str, str]) -> bool:
        ((operator, argument),) = node.items()
        match operator:
            case "Fn::Equals":
                left, right = (self._value(x["Ref"], chosen) if isinstance(x, dict) else x for x in argument)
                return bool(left == right)
            case "Fn::Not":
                return not self._holds(argument[0], chosen)
            case "Condition":
                return self.condition(argument, **chosen)
        raise AssertionError(f"a condition with {operator} is not understood here")


def setting_to_parameter(setting: str) -> str:
    """`WAIT_MAX_MS` -> `WaitMaxMs`."""
    return "".join(word.capitalize() for word in setting.split("_"))


def markdown_table(text: str, heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, without its head; backquotes are taken off single cells."""
    section = re.split(rf"^#+ {re.escape(heading)}$", text, flags=re.MULTILINE)
    assert len(section) == 2, f"exactly one heading {heading!r} is expected"
    rows: list[list[str]] = []
    for line in section[1].splitlines():
        if line.startswith("|"):
            rows.append([cell.strip() for cell in line.strip().strip("|").split("|")])
        elif rows:
            break
    assert len(rows) > 2, f"no table below {heading!r}"
    return rows[2:]
