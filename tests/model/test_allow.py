"""An allow list judges hosts by what they are, however they are written, and by what they resolve to."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.model.allow import AllowList, address_of, canonical, wrong_with

V4 = st.integers(0, 2**32 - 1).map(ipaddress.IPv4Address)
V6 = st.integers(0, 2**128 - 1).map(ipaddress.IPv6Address).filter(lambda address: address.ipv4_mapped is None)
NETWORKS = st.builds(
    lambda address, bits: ipaddress.ip_network((int(address), bits), strict=False), V4, st.integers(0, 32)
)
NAMES = st.from_regex(r"[a-z]{1,8}(\.[a-z]{2,5}){0,2}", fullmatch=True)


def nobody(_: str) -> Iterable[str]:
    return ()


@st.composite
def spellings(draw: st.DrawFn, address: ipaddress.IPv4Address) -> str:
    """An IPv4 address in one of the forms that inet_aton(3) takes, or within IPv6."""
    value = int(address)
    if draw(st.booleans()):
        return draw(st.sampled_from([f"::ffff:{address}", f"[::ffff:{address}]", f"::ffff:{address}%eth0"]))
    parts = draw(st.integers(1, 4))
    octets = [value >> (8 * (3 - index)) & 0xFF for index in range(parts - 1)]
    rest = value & ((1 << (8 * (5 - parts))) - 1)
    forms = ("{}", "0{:o}", "0x{:x}", "0X{:X}")
    return ".".join(draw(st.sampled_from(forms)).format(number) for number in [*octets, rest])


@given(st.data(), V4, NETWORKS)
def test_every_spelling_of_an_address_is_judged_as_the_address(
    data: st.DataObject, address: ipaddress.IPv4Address, network: ipaddress.IPv4Network
) -> None:
    written = data.draw(spellings(address))
    assert address_of(written) == address
    allow = AllowList.of([str(network)])
    assert allow.holds(written) == allow.allows(written) == (address in network)


@given(V6, st.integers(0, 128), V6)
def test_ipv6(inside: ipaddress.IPv6Address, bits: int, other: ipaddress.IPv6Address) -> None:
    network = ipaddress.IPv6Network((int(inside), bits), strict=False)
    allow = AllowList.of([str(network)])
    assert allow.holds(f"{inside}%eth0")
    assert allow.holds(f"[{inside}]")
    assert allow.holds(str(other)) == (other in network)


@given(st.lists(V4.map(str) | NETWORKS.map(str) | NAMES, max_size=5), V4, V4)
def test_what_is_admitted_is_named_or_held_or_resolved_to_and_nothing_else(
    entries: list[str], first: ipaddress.IPv4Address, second: ipaddress.IPv4Address
) -> None:
    allow = AllowList.of(entries)
    moved = {name: [str(second)] for name in allow.names}
    admitted = allow.admitted("somebody.else", [str(first), str(second)], lambda name: moved.get(name, []))
    expected = [
        str(each) for each in (first, second) if allow.holds(str(each)) or (each == second and allow.names)
    ]
    assert admitted == expected
    for name in allow.names:
        assert allow.admitted(name, [str(first)], nobody) == [str(first)]


def test_a_name_that_moves_takes_its_permission_along() -> None:
    allow, now = AllowList.of(["db.internal"]), ["10.0.0.1"]
    assert allow.admitted("10.0.0.1", ["10.0.0.1"], lambda _: now) == ["10.0.0.1"]
    now[:] = ["10.0.0.2"]
    assert allow.admitted("10.0.0.1", ["10.0.0.1"], lambda _: now) == []
    assert allow.admitted("10.0.0.2", ["10.0.0.2"], lambda _: now) == ["10.0.0.2"]


def test_of_many_addresses_the_allowed_ones_are_admitted() -> None:
    allow = AllowList.of(["127.0.0.1"])
    assert allow.admitted("localhost", ["::1", "127.0.0.1"], nobody) == ["127.0.0.1"]


@pytest.mark.parametrize(
    ("name", "listed"),
    [
        ("Shop.Internal", True),
        ("shop.internal.", True),
        ("shop.internal.evil.example", False),
        ("xn--bcher-kva.example", True),
        ("BÜCHER.example", True),
        ("", False),
    ],
)
def test_names_are_compared_as_dns_compares_them(name: str, listed: bool) -> None:
    assert AllowList.of(["shop.internal", "bücher.example", ""]).is_listed(name) is listed


@given(st.text())
def test_any_text_is_judged_and_never_raises(text: str) -> None:
    allow = AllowList.of([text, "10.0.0.0/8"])
    canonical(text)
    wrong_with(text)
    if allow.allows(text):
        assert allow.may_allow(text)


@pytest.mark.parametrize(
    "entry",
    ["", " ", "http://127.0.0.1", "127.0.0.1:80", "10.0.0.0/33", "*.internal", "a b", "user@host", "${HOST}"],
)
def test_what_can_allow_nothing_is_told(entry: str) -> None:
    assert "no host name, address or network" in wrong_with(entry)


@pytest.mark.parametrize("entry", ["127.0.0.1", "10.1.2.3/8", "::1", "::1/128", "shop_1.internal", "0x7f.1"])
def test_names_addresses_and_networks_may_be_listed(entry: str) -> None:
    assert wrong_with(entry) == ""


def test_a_network_is_covered_when_one_listed_network_holds_all_of_it() -> None:
    allow = AllowList.of(["10.0.0.0/25", "10.0.0.128/25", "::ffff:192.0.2.0/120"])
    assert allow.covers(ipaddress.ip_network("10.0.0.64/26"))
    assert not allow.covers(ipaddress.ip_network("10.0.0.0/24"))
    assert allow.covers(ipaddress.ip_network("192.0.2.0/24"))
    assert not allow.covers(ipaddress.ip_network("fd00::/64"))
