"""One real testbed for all end-to-end tests of a session. Who breaks it mends it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from seatrial import testbed as shipped
from seatrial.testbed import TestbedState

_TESTBEDS = {"testbed", "own_testbed"}


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """Tests on a testbed are run one after the other, by one worker: each is a small cluster under load.

    They begin at once, in whatever order they are among themselves: together they take longer than what the
    other workers have to do, and whoever begins them last waits for them alone.
    """
    for item in filter(_is_on_a_testbed, items):
        item.add_marker(pytest.mark.xdist_group("testbed"))
    yield  # in which the order is drawn
    items.sort(key=lambda item: not _is_on_a_testbed(item))


def _is_on_a_testbed(item: pytest.Item) -> bool:
    return bool(_TESTBEDS.intersection(getattr(item, "fixturenames", ()))) or "lifecycle" in item.nodeid


@pytest.fixture(scope="session")
def testbed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestbedState]:
    """A testbed in service; its home is `testbed.root.parent`, its passwords `seatrial.testbed.passwords(home)`."""
    with _in_service(tmp_path_factory.mktemp("home")) as state:
        yield state


@pytest.fixture
def own_testbed(tmp_path: Path) -> Iterator[TestbedState]:
    """One for a single test: a cluster that has failed over is not as new, and others count on that."""
    with _in_service(tmp_path / "home") as state:
        yield state


@contextmanager
def _in_service(home: Path) -> Iterator[TestbedState]:
    try:
        yield shipped.up(print, home)
    finally:
        shipped.down(home)
