"""What all tests of the template share."""

import pytest

from cloudformation import Template


@pytest.fixture(scope="session")
def template() -> Template:
    """template.yaml, parsed once."""
    return Template.read()
