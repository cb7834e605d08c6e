from __future__ import annotations

import random
import re

import pytest

from seatrial.testbed import network
from seatrial.testbed.network import Network

NETWORK = Network("0123abcd", 77, ("edge", "east", "west"))


def test_names_carry_the_tag_and_fit_their_limits() -> None:
    lines = network.creation(NETWORK)
    assert all("0123abcd" in name for line in lines for name in re.findall(r"netns add (\S+)", line))
    links = [name for line in lines for name in re.findall(r"link add (\S+)", line)]
    assert all(len(name) <= 15 for name in links), "the kernel's IFNAMSIZ"


def test_every_place_has_its_subnet_and_leaves_it_by_the_router() -> None:
    lines = network.creation(NETWORK)
    for number, place in enumerate(NETWORK.places):
        assert NETWORK.subnet(place) == f"10.77.{number}.0/24"
        assert f"-n seatrial-0123abcd-{place} route add default via 10.77.{number}.1" in lines
        assert f"-n seatrial-0123abcd-router addr add 10.77.{number}.1/24 dev {place}" in lines


@pytest.mark.parametrize("foreign", ["10.1.0.0/16", "10.1.2.0/24 dev eth0", "local 10.1.2.3 dev eth0"])
def test_a_block_that_is_routed_is_not_taken(foreign: str) -> None:
    others = "".join(f"10.{block}.0.0/16 dev eth1\n" for block in range(3, 256))
    assert network.free_block(f"default via 192.0.2.1\n{others}{foreign}\n", random.Random(1)) == 2


def test_a_machine_whose_private_network_is_all_of_ten_has_no_block() -> None:
    assert network.free_block("10.0.0.0/8 via 192.0.2.1 dev eth0", random.Random(1)) is None


def test_an_ordinary_user_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert network.why_not() == "needs root (CAP_NET_ADMIN)"


def test_a_program_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr("shutil.which", lambda _: None)
    assert network.why_not().startswith("needs the program ip")


@pytest.mark.root
def test_what_is_created_is_there_and_what_is_removed_is_gone() -> None:
    if reason := network.why_not():
        pytest.skip(reason)
    block = network.free_block(network.routes(), random.Random())
    assert block is not None
    own = Network(f"{random.getrandbits(32):08x}", block, ("edge", "east"))
    try:
        network.create(own)
        assert network.left(own.tag) == [own.namespace("east"), own.namespace("edge"), own.router]
        assert own.everything in network.routes()
    finally:
        assert network.remove(own.tag) == 3
    assert network.left(own.tag) == []
    assert own.everything not in network.routes()
