"""What every test begins with."""

from collections.abc import Iterator

import pytest

from seatrial.model import secrets


@pytest.fixture(autouse=True)
def _knows_no_secret() -> Iterator[None]:
    """A process remembers what it has resolved; tests share one, and are run in any order."""
    secrets.forget()
    yield
    secrets.forget()
