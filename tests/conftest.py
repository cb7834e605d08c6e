"""What every test begins with."""

from collections.abc import Iterator

import pytest
from tests.support.liar import Liar
from tests.support.listeners import listening

from seatrial.model import secrets


@pytest.fixture(autouse=True)
def _knows_no_secret() -> Iterator[None]:
    """A process remembers what it has resolved; tests share one, and are run in any order."""
    secrets.forget()
    yield
    secrets.forget()


@pytest.fixture(scope="module")
def liar() -> Iterator[Liar]:
    """A server that gives the answers a test has it give."""
    liar = Liar()
    with listening(liar) as listener:
        liar.url, liar.port = listener.url, listener.port
        yield liar
