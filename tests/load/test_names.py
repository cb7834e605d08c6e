"""Which address a new connection goes to, and when its name is asked for again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from seatrial.load.names import Address, Names

HOST = ("shop.test", 80)


class Dns:
    """Answers with what it is told to, and counts how often it was asked."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = list(addresses)
        self.asked = 0
        self.now_s = 0.0

    def resolve(self, host: str, port: int) -> list[Address]:
        self.asked += 1
        return [(2, (address, port)) for address in self.addresses]

    def names(self, select: str, ttl_s: float = 1.0) -> Names:
        return Names(select, ttl_s, 7, resolve=self.resolve, clock=lambda: self.now_s)  # type: ignore[arg-type]


def tried(names: Names) -> list[str]:
    return [address[0] for _, address in names.addresses(*HOST)]


@given(st.integers(1, 6), st.integers(1, 40), st.sampled_from(["first", "round-robin", "random"]))
def test_every_address_is_tried_once_whatever_comes_first(count: int, connections: int, select: str) -> None:
    dns = Dns(*(f"10.0.0.{each}" for each in range(count)))
    names = dns.names(select)
    for _ in range(connections):
        assert sorted(tried(names)) == dns.addresses


@given(st.integers(1, 6), st.integers(1, 10))
def test_in_turn_each_address_is_first_equally_often(count: int, rounds: int) -> None:
    dns = Dns(*(f"10.0.0.{each}" for each in range(count)))
    names = dns.names("round-robin")
    firsts = [tried(names)[0] for _ in range(count * rounds)]
    assert {address: firsts.count(address) for address in dns.addresses} == dict.fromkeys(
        dns.addresses, rounds
    )


def test_the_first_is_always_first_and_any_is_any() -> None:
    dns = Dns("10.0.0.1", "10.0.0.2")
    names = dns.names("first")
    assert {tried(names)[0] for _ in range(20)} == {"10.0.0.1"}
    drawn = [[tried(names)[0] for _ in range(40)] for names in (dns.names("random"), dns.names("random"))]
    assert drawn[0] == drawn[1], "the same seed draws the same"
    assert 10 < drawn[0].count("10.0.0.1") < 30


def test_a_name_that_moves_is_followed_when_its_answer_is_too_old() -> None:
    dns = Dns("10.0.0.1")
    names = dns.names("first", ttl_s=5.0)
    assert tried(names) == ["10.0.0.1"]
    dns.addresses = ["10.0.0.2"]
    dns.now_s = 4.9
    assert tried(names) == ["10.0.0.1"]
    dns.now_s = 5.1
    assert tried(names) == ["10.0.0.2"]
    assert dns.asked == 2
