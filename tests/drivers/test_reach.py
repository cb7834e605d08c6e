"""Resolving and judging are one step: what comes out of it is what may be connected to."""

from __future__ import annotations

import pytest

from seatrial.drivers import reach
from seatrial.model.allow import AllowList
from seatrial.model.problems import BadInput, Unavailable

DNS = {
    "db.internal": ["10.0.0.1"],
    "alias.internal": ["10.0.0.1", "192.0.2.1"],
    "elsewhere.example": ["192.0.2.1"],
}


@pytest.fixture(autouse=True)
def _dns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names are those of DNS; what is written as an address is one."""
    found = reach.addresses_of
    monkeypatch.setattr(
        reach, "addresses_of", lambda host: DNS[host] if host in DNS else found(host) if host[0] < ":" else []
    )


@pytest.mark.parametrize(
    ("allow", "host", "admitted"),
    [
        ("db.internal", "db.internal", ["10.0.0.1"]),
        ("10.0.0.0/8", "db.internal", ["10.0.0.1"]),
        ("10.0.0.0/8", "alias.internal", ["10.0.0.1"]),
        ("db.internal", "alias.internal", ["10.0.0.1"]),
        ("127.0.0.1", "2130706433", ["127.0.0.1"]),
    ],
)
def test_what_may_be_connected_to(allow: str, host: str, admitted: list[str]) -> None:
    assert reach.admitted(AllowList.of([allow]), host, "cache") == admitted
    reach.require_allowed(AllowList.of([allow]), host, "cache")


@pytest.mark.parametrize(
    ("allow", "host"),
    [
        ("db.internal", "elsewhere.example"),
        ("10.0.0.0/8", "elsewhere.example"),
        ("127.0.0.1", "2130706434"),
        ("127.0.0.1", "::ffff:127.0.0.2"),
        ("127.0.0.1", ""),
    ],
)
def test_what_may_not(allow: str, host: str) -> None:
    for ask in (reach.admitted, reach.require_allowed):
        with pytest.raises(BadInput, match=r"cache: the host .*is not in the target's allow list"):
            ask(AllowList.of([allow]), host, "cache")


def test_a_forbidden_name_is_told_with_its_address() -> None:
    with pytest.raises(BadInput, match=r"elsewhere\.example \(192\.0\.2\.1\)"):
        reach.admitted(AllowList.of(["10.0.0.0/8"]), "elsewhere.example", "cache")


def test_a_name_without_an_address_is_unavailable_to_who_connects_and_not_allowed_in_a_plan() -> None:
    listed, unlisted = AllowList.of(["gone.internal"]), AllowList.of(["10.0.0.0/8"])
    for allow in (listed, unlisted):
        with pytest.raises(Unavailable, match=r"gone\.internal has no address"):
            reach.admitted(allow, "gone.internal", "cache")
    reach.require_allowed(listed, "gone.internal", "cache")
    with pytest.raises(BadInput):
        reach.require_allowed(unlisted, "gone.internal", "cache")
