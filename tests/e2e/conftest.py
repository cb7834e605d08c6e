"""One real testbed for all end-to-end tests of a session. Who breaks it mends it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from seatrial import testbed as shipped
from seatrial.testbed import TestbedState


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
