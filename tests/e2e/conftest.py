"""One real testbed for all end-to-end tests of a session. Who breaks it mends it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from seatrial import testbed as shipped
from seatrial.testbed import TestbedState


@pytest.fixture(scope="session")
def testbed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestbedState]:
    """A testbed in service; its home is `testbed.root.parent`, its passwords `seatrial.testbed.passwords(home)`."""
    home = tmp_path_factory.mktemp("home")
    try:
        yield shipped.up(print, home)
    finally:
        shipped.down(home)
