"""What every test begins with."""

import gc
import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from tests.support.liar import Liar
from tests.support.listeners import listening
from tests.support.one_testbed import OneTestbed
from tests.support.places import Places, Ticking
from tests.support.victims import LOOPBACK, Service, Tree

from seatrial.model import secrets
from seatrial.model.role import Role

# How long an example takes is told by the machine, and nothing that a property may depend on. `make bench` looks
# at many more examples: --hypothesis-profile thorough
settings.register_profile("quick", deadline=None, max_examples=30)
settings.register_profile("thorough", deadline=None, max_examples=1000)
settings.load_profile("quick")

# Of two hundred installed packages none brings a plugin for Pydantic, which every process that a test starts
# would find out for itself.
os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is collected stays to the end: the garbage collector looks for nothing in it, now and later."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> OneTestbed:
    """Who gets which test, of several workers."""
    return OneTestbed(config, log)


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


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A $SEATRIAL_HOME."""
    path = tmp_path / "home"
    path.mkdir()
    return path


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Tree]:
    """A tree of processes."""
    victim = Tree(tmp_path / "tree")
    yield victim
    victim.close()


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A process with a start command."""
    victim = Service(tmp_path / "service")
    yield victim
    victim.close()


@pytest.fixture
def role(tmp_path: Path) -> Role:
    """A role that nothing depends on."""
    return Role("anything", "process", {}, LOOPBACK, str(tmp_path))


@pytest.fixture(scope="session")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Places]:
    """Where programs may run: here, at another machine, in a container. Each is made when it is asked for."""
    opened = Places(tmp_path_factory.mktemp("places"))
    yield opened
    opened.close()


@pytest.fixture
def victim(places: Places, request: pytest.FixtureRequest) -> Iterator[Ticking]:
    """A program in the place that the test is parametrised with."""
    with places.victim(request.param) as running:
        yield running
