"""A network whose packets faults may drop."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.support.routed_namespaces import RoutedNamespaces, building


@pytest.fixture(scope="module")
def routed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RoutedNamespaces]:
    """Two sides and a router between them."""
    with building(tmp_path_factory.mktemp("routed")) as built:
        yield built
