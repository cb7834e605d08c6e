"""How connections are made, as far as nobody has to answer."""

from __future__ import annotations

import pytest

from seatrial.load.dial import Dialer, Origin, Tls
from seatrial.load.names import Names

SECURE = Origin("https", "shop.test", 443)


def test_users_who_are_secured_alike_share_what_it_takes_long_to_make(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[object] = []

    class Context:
        def set_alpn_protocols(self, protocols: list[str]) -> None:
            self.protocols = protocols

        def wrap_socket(self, sock: object, server_hostname: str) -> object:
            made.append(self)
            return sock

    tls = Tls(make_context=Context)  # type: ignore[arg-type]
    for protocol in ("h2", "h2", "http/1.1"):
        Dialer(tls, Names(), protocol)._secured(object(), SECURE)
    assert made[0] is made[1]
    assert [context.protocols for context in made[1:]] == [["h2"], ["http/1.1"]]  # type: ignore[attr-defined]


def test_a_certificate_that_is_not_there_is_no_failure_of_the_network() -> None:
    for _ in range(2):  # and is found out each time
        with pytest.raises(ValueError, match=r"nowhere\.pem"):
            Dialer(Tls(verify="nowhere.pem"), Names())._secured(object(), SECURE)
