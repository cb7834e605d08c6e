"""Which address a new connection goes to, and when its name is asked for again."""

from __future__ import annotations

import contextlib
import os
import resource
import socket

import gevent
import pytest
from gevent.event import Event
from hypothesis import given
from hypothesis import strategies as st

from seatrial.load import failure
from seatrial.load.failure import Unanswered, describe
from seatrial.load.names import Address, Names, resolved

HOST = ("shop.test", 80)


class Dns:
    """Answers with what it is told to, and counts how often it was asked."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = list(addresses)
        self.fails: Exception | None = None
        self.answers = Event()  # set: at once
        self.answers.set()
        self.asked = 0
        self.now_s = 0.0

    def resolve(self, host: str, port: int) -> list[Address]:
        self.asked += 1
        self.answers.wait()
        if self.fails is not None:
            raise self.fails
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


def test_one_question_is_under_way_at_a_time_and_its_answer_is_for_all_who_wait() -> None:
    dns = Dns("10.0.0.1")
    names = dns.names("first")
    tried(names)
    dns.addresses, dns.now_s = ["10.0.0.2"], 1.1
    dns.answers.clear()
    clients = [gevent.spawn(tried, names) for _ in range(50)]
    gevent.idle()
    assert (dns.asked, [client.ready() for client in clients]) == (2, [False] * 50), "nobody uses the old one"
    dns.answers.set()
    gevent.joinall(clients, raise_error=True)
    assert [client.value for client in clients] == [["10.0.0.2"]] * 50
    assert dns.asked == 2


def test_who_gives_up_does_not_take_the_answer_from_the_others() -> None:
    dns = Dns("10.0.0.1")
    names = dns.names("first")
    dns.answers.clear()
    first, second = gevent.spawn(tried, names), gevent.spawn(tried, names)
    gevent.idle()
    late = gevent.Timeout(None)
    first.kill(late)
    assert first.exception is late
    assert failure.of_time(late, handed_over=False).startswith("dropped: no answer about the name")
    assert failure.of_time(late, handed_over=True).startswith("own: no answer about the name")
    assert failure.of_time(gevent.Timeout(None), handed_over=True) == failure.DEADLINE
    dns.answers.set()
    assert second.get() == ["10.0.0.1"]
    assert dns.asked == 1


def test_a_name_that_has_lost_its_address_is_no_failure_of_ours() -> None:
    dns = Dns("10.0.0.1")
    names = dns.names("first")
    tried(names)
    dns.fails, dns.now_s = socket.gaierror(socket.EAI_NONAME, "no such name"), 1.1
    with pytest.raises(Unanswered) as lost:
        tried(names)
    assert describe(lost.value) == "the name has no address any more"
    dns.fails, dns.now_s = None, 1.3
    assert tried(names) == ["10.0.0.1"], "it is back"


@pytest.mark.parametrize(
    ("known", "code"), [(False, socket.EAI_NONAME), (True, socket.EAI_AGAIN), (True, socket.EAI_FAIL)]
)
def test_what_may_be_our_own_resolver_is_not_held_against_anybody(known: bool, code: int) -> None:
    dns = Dns("10.0.0.1")
    names = dns.names("first")
    if known:
        tried(names)
    dns.fails, dns.now_s = socket.gaierror(code, "…"), 1.1
    with pytest.raises(socket.gaierror) as failed:
        tried(names)
    assert describe(failed.value) == "dropped: no address for the name"


def test_a_lookup_that_fails_at_once_is_repeated_ten_times_a_second_at_most() -> None:
    dns = Dns()
    names = dns.names("first", ttl_s=60.0)
    dns.fails = socket.gaierror(socket.EAI_AGAIN, "…")
    for arrival in range(1000):
        dns.now_s = arrival / 1000
        with pytest.raises(socket.gaierror):
            tried(names)
    assert 9 <= dns.asked <= 11


def test_an_address_is_no_name_and_is_looked_up_once() -> None:
    dns = Dns("10.0.0.1")
    names = dns.names("first")
    names.addresses("10.0.0.1", 80)
    dns.now_s = 1e6
    names.addresses("10.0.0.1", 80)
    assert dns.asked == 1


def test_a_machine_that_can_open_no_file_has_not_lost_the_name() -> None:
    resolved("localhost", 80)  # all that is imported for it is there
    most = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken: list[int] = []
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(256, most[0]), most[1]))
        with contextlib.suppress(OSError):
            while True:
                taken.append(os.open(os.devnull, os.O_RDONLY))
        with pytest.raises(OSError, match="Too many open files") as failed:
            resolved("localhost", 80)
    finally:
        for descriptor in taken:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, most)
    assert describe(failed.value) == "dropped: too many open files"
