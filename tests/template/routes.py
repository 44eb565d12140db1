"""Which function the HTTP API of template.yaml hands a request to, by API Gateway's own order of precedence."""

from typing import NamedTuple

from cloudformation import Node, Template


class Route(NamedTuple):
    """One route key and the function behind it."""

    method: str
    path: str
    function: str

    def matches(self, method: str, path: str) -> bool:
        if self.path == "":
            return True
        if method != self.method:
            return False
        wanted, given = self.path.split("/"), path.split("/")
        if wanted[-1] == "{proxy+}":
            # A greedy variable stands for at least one segment.
            return (
                given[: len(wanted) - 1] == wanted[:-1] and len(given) >= len(wanted) and given[len(wanted) - 1] != ""
            )
        return wanted == given


def of_template(template: Template) -> list[Route]:
    """All routes, with their functions resolved through integration and alias."""
    routes = []
    for resource in template.of_type("AWS::ApiGatewayV2::Route").values():
        properties = resource["Properties"]
        method, _, path = properties["RouteKey"].partition(" ")
        integration = properties["Target"]["Fn::Sub"].removeprefix("integrations/${").removesuffix("}")
        routes.append(Route(method, path, function_behind(template, integration)))
    return routes


def function_behind(template: Template, integration: str) -> str:
    """The short name of the function whose `live` alias an integration calls."""
    uri: Node = template.properties(integration)["IntegrationUri"]["Ref"]
    function, dot, alias = uri.partition(".")
    assert (dot, alias) == (".", "Alias"), f"{integration} calls {uri}, not an alias"
    return str(function).removesuffix("Function").lower()


def serving(routes: list[Route], method: str, path: str) -> Route:
    """The most specific route for a request: the longest matching path first, `$default` last."""
    matching = [route for route in routes if route.matches(method, path)]
    assert matching, f"no route for {method} {path}"
    return max(matching, key=lambda route: (route.path.count("/"), not route.path.endswith("{proxy+}")))
