"""The drivers' HTTP client: where it connects to, when it ends, and what it makes of any answer."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.listeners import http, listening

from seatrial.drivers import reach
from seatrial.drivers.httpclient import Answer, HttpClient, ask
from seatrial.model.allow import AllowList
from seatrial.model.problems import BadInput, Unavailable

ONE = AllowList.of(["127.0.0.1"])


def well(_: bytes) -> Iterator[bytes]:
    yield http(b'{"ok": true}')


@pytest.mark.parametrize(
    "host", ["127.0.0.2", "2130706434", "0x7f.2", "[::ffff:127.0.0.2]", "127.0.0.1@127.0.0.2"]
)
def test_a_host_that_is_not_allowed_is_not_touched_however_it_is_written(host: str) -> None:
    with listening(well, "127.0.0.2") as forbidden:
        with pytest.raises(BadInput, match="not in the target's allow list"):
            ask(ONE, "service", "GET", f"http://{host}:{forbidden.port}/", 2.0)
        assert forbidden.heard == []


def test_a_name_is_judged_by_the_address_that_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = {"shop.internal": ["127.0.0.2", "127.0.0.1"], "evil.internal": ["127.0.0.2"]}
    monkeypatch.setattr(reach, "addresses_of", addresses.__getitem__)
    with listening(well) as allowed, listening(well, "127.0.0.2", allowed.port) as forbidden:
        answer = ask(ONE, "service", "GET", f"http://shop.internal:{allowed.port}/x", 2.0)
        assert (answer.status, answer.object()) == (200, {"ok": True})
        with pytest.raises(BadInput, match=r"evil\.internal \(127\.0\.0\.2\)"):
            ask(ONE, "service", "GET", f"http://evil.internal:{allowed.port}/x", 2.0)
    assert f"Host: shop.internal:{allowed.port}".encode() in allowed.heard[0]
    assert forbidden.heard == []


def test_a_service_that_moves_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    now = ["127.0.0.1"]
    monkeypatch.setattr(reach, "addresses_of", lambda _: now)
    named = AllowList.of(["shop.internal"])
    with (
        listening(well) as old,
        listening(well, "127.0.0.3", old.port) as new,
        HttpClient(named, "service", 2.0) as client,
    ):
        client.ask("GET", f"http://shop.internal:{old.port}/")
        now[:] = ["127.0.0.3"]
        client.ask("GET", f"http://shop.internal:{old.port}/")
    assert (len(old.heard), len(new.heard)) == (1, 1)


def test_of_several_addresses_one_that_answers_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "addresses_of", lambda _: ["127.0.0.1", "127.0.0.3"])
    with listening(well, "127.0.0.3") as second:
        allow = AllowList.of(["127.0.0.0/8"])
        assert ask(allow, "service", "GET", f"http://shop.internal:{second.port}/", 2.0).is_success


def test_a_redirect_is_an_answer_and_proxies_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening(well, "127.0.0.2") as forbidden:
        moved = http(b"", "302 Found", f"Location: {forbidden.url}/")
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, forbidden.url)
        with listening(lambda _: iter([moved])) as allowed:
            assert ask(ONE, "service", "GET", allowed.url, 2.0).status == 302
        assert forbidden.heard == []


def test_a_server_that_trickles_keeps_nobody_waiting() -> None:
    left = threading.Event()

    def trickle(_: bytes) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nX-Slow: "
        while not left.wait(0.05):
            yield b"x"

    with listening(trickle) as slow:
        began = time.monotonic()
        with pytest.raises(Unavailable, match="timed out"):
            ask(ONE, "service", "GET", slow.url, 0.4)
        left.set()
        assert time.monotonic() - began < 10.0  # for ever, before


def test_an_answer_has_a_largest_size() -> None:
    with (
        listening(lambda _: iter([http(b"x" * 2000)])) as server,
        HttpClient(ONE, "service", 2.0, 1000) as client,
        pytest.raises(Unavailable, match="longer than 1,000 bytes"),
    ):
        client.ask("GET", server.url)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("", BadInput),
        ("http://", BadInput),
        ("ftp://127.0.0.1/", BadInput),
        ("http://127.0.0.1:x/", BadInput),
        ("http://[nonsense/", Unavailable),
        ("http://a b/", Unavailable),
        ("http://127.0.0.1:1/", Unavailable),
    ],
)
def test_what_cannot_be_asked_says_so(url: str, expected: type[Exception]) -> None:
    with pytest.raises(expected, match="service: "):
        ask(ONE, "service", "GET", url, 2.0)


def test_a_login_in_the_address_is_not_shown() -> None:
    with pytest.raises(Unavailable) as caught:
        ask(ONE, "service", "GET", "http://sre:hunter2@127.0.0.1:1/", 2.0)
    assert "hunter2" not in str(caught.value)


@given(st.binary() | st.text().map(lambda text: json.dumps(text).encode()))
def test_json_is_json_or_unavailable(content: bytes) -> None:
    answer = Answer("GET /", 200, {}, content)
    for read in (answer.json, answer.object):
        try:
            json.dumps(read(), ensure_ascii=False, allow_nan=False).encode()
        except Unavailable as error:
            assert "GET /: HTTP 200, but no JSON" in str(error)


@pytest.mark.parametrize(
    "content", [b"", b"<html>", b"NaN", b"[" * 100_000, b'"\\ud800"', b"\xff\xfe", b"1" * 5000]
)
def test_what_is_no_json(content: bytes) -> None:
    with pytest.raises(Unavailable, match="no JSON"):
        Answer("GET /", 200, {}, content).json()
