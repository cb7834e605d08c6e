"""What a master and its workers say counts only with the seal of those who share their secret."""

from __future__ import annotations

import pytest

from seatrial.load.trust import SECRET, opened, sealed, take_secret, wrong_with_listening


def test_what_is_sealed_is_opened_by_those_who_know_the_secret() -> None:
    data = sealed(b"one", "w1", kind="rows", data=b"\x00\xff", offset=3)
    assert opened(b"one", "w1", data) == {"kind": "rows", "data": b"\x00\xff", "offset": 3, "from": "w1"}
    assert opened(b"other", "w1", data) is None
    assert opened(b"one", "w2", data) is None  # somebody else sends it again as his own
    for name in data:
        forged = data | {name: data[name][:-1] + b"!"}
        assert opened(b"one", "w1", forged) is None
    for nothing in (None, {}, {"body": "x", "seal": "y"}, [1]):
        assert opened(b"one", "w1", nothing) is None


def test_a_secret_is_taken_out_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SECRET, "word")
    assert take_secret() == b"word"
    assert take_secret() == b""


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.0.1", "::1", "localhost"])
def test_without_a_secret_a_master_listens_to_its_own_machine(host: str) -> None:
    assert wrong_with_listening(host, b"") == ""


@pytest.mark.parametrize("host", ["*", "0.0.0.0", "10.0.0.5", "load.example"])
def test_beyond_it_wants_one(host: str) -> None:
    assert SECRET in wrong_with_listening(host, b"")
    assert wrong_with_listening(host, b"word") == ""
