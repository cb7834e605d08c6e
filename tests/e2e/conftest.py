"""One real testbed for all end-to-end tests of a session. Who breaks it mends it."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from tests.support.one_testbed import uses_testbeds

from seatrial import testbed as shipped
from seatrial.testbed import TestbedState

_SHARED = ExitStack()  # which takes it down


@pytest.fixture(scope="session")
def testbed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestbedState]:
    """A testbed in service; its home is `testbed.root.parent`, its passwords `seatrial.testbed.passwords(home)`."""
    with _SHARED:
        yield _SHARED.enter_context(_in_service(tmp_path_factory.mktemp("home")))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None]:
    """Take it down before the session ends: one worker begins with all who need it, and it costs the others."""
    yield
    among_workers = hasattr(item.config, "workerinput")
    if among_workers and nextitem is not None and not uses_testbeds(nextitem):
        _SHARED.close()


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
