"""What scenarios do with `self.client` and its answers, as they do with Locust's."""

# mypy: disable-error-code="no-untyped-call"
from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from http.cookiejar import CookieJar as LibraryJar
from typing import Any

import pytest
import requests
import tests.support.unpatched_locust  # noqa: F401  # before Locust
from locust.exception import ResponseError
from locust.user.users import RestMixin
from requests.auth import HTTPBasicAuth, HTTPDigestAuth
from requests.cookies import create_cookie

from seatrial.load import not_offered
from seatrial.load.arrival import Arrival
from seatrial.load.client import Client
from seatrial.load.client_state import ClientSettings
from seatrial.load.connection import Pools
from seatrial.load.fast_client import FastClient
from seatrial.load.not_offered import NotOffered
from seatrial.load.response import Response
from seatrial.load.under_way import UnderWay


class Rows(list[Response]):
    """What was put on record."""


@pytest.fixture
def rows() -> Rows:
    return Rows()


@pytest.fixture
def pools() -> Iterator[Pools]:
    made = Pools()
    yield made
    made.close()


@pytest.fixture
def client(http_server: Any, pools: Pools, rows: Rows) -> Client:
    return Client(ClientSettings(http_server.url), pools, UnderWay(Arrival(0.0), 2.0, rows.append))


@pytest.fixture
def fast(http_server: Any, pools: Pools, rows: Rows) -> FastClient:
    return FastClient(ClientSettings(http_server.url), pools, UnderWay(Arrival(0.0), 2.0, rows.append))


def echoed(response: Response) -> dict[str, Any]:
    """What the server saw of a request."""
    assert response.ok, response.error
    seen: dict[str, Any] = response.json()
    return seen


# what is sent


def test_headers_of_a_session_have_names_in_any_case(client: Client) -> None:
    client.headers.update({"authorization": "Bearer 1", "X-Id": 7})
    client.headers["AUTHORIZATION"] = b"Bearer 2"
    assert client.headers["Authorization"] == "Bearer 2"
    assert "x-id" in client.headers
    seen = echoed(client.get("/echo", headers={"x-ID": "8", "accept": None}))["headers"]
    assert (seen["authorization"], seen["x-id"]) == ("Bearer 2", "8")
    assert "accept" not in seen
    client.headers = {"user-agent": "shopper"}  # as in requests
    seen = echoed(client.get("/echo"))["headers"]
    assert (seen["user-agent"], "x-id" in seen, "host" in seen) == ("shopper", False, True)
    client.headers.pop("User-Agent")
    client.headers["X-None"] = None
    client.headers.clear()
    assert set(echoed(client.get("/echo"))["headers"]) == {"host"}


@pytest.mark.parametrize(
    ("auth", "value"),
    [
        (("ada", "s3cret"), "Basic YWRhOnMzY3JldA=="),
        (HTTPBasicAuth("ada", "s3cret"), "Basic YWRhOnMzY3JldA=="),
        (lambda draft: draft.headers.update({"Authorization": draft.method + draft.url[-5:]}), "GET/echo"),
    ],
)
def test_credentials_of_a_request_and_of_a_session(client: Client, auth: Any, value: str) -> None:
    assert echoed(client.get("/echo", auth=auth))["headers"]["authorization"] == value
    assert "authorization" not in echoed(client.get("/echo"))["headers"]
    client.auth = auth
    assert echoed(client.get("/echo", headers={"authorization": "x"}))["headers"]["authorization"] == value


def test_parameters_of_a_request_and_of_a_session(client: Client) -> None:
    client.params = {"lang": "de"}
    asked = [{"q": ["a b", "c"], "none": None}, [("q", 1)], "raw=1", b"raw=2", None]
    paths = [echoed(client.get("/echo", params=each))["path"] for each in asked]
    base = "/echo?lang=de"
    assert paths == [f"{base}&q=a+b&q=c", f"{base}&q=1", f"{base}&raw=1", f"{base}&raw=2", base]


@pytest.mark.parametrize(
    ("content", "body", "content_type"),
    [
        ({"data": {"a": 1, "none": None, "b": ["x", "y"]}}, "a=1&b=x&b=y", "application/x-www-form-urlencoded"),
        ({"data": [("a", 1)]}, "a=1", "application/x-www-form-urlencoded"),
        ({"data": "text"}, "text", None),
        ({"data": io.BytesIO(b"a file")}, "a file", None),
        ({"data": (part for part in (b"in ", b"parts"))}, "in parts", None),
        ({"json": {"a": 1}, "data": {}}, '{"a":1}', "application/json"),
        ({"json": {"a": 1}, "data": "text"}, "text", None),
        ({"json": [], "headers": {"content-type": "application/vnd.shop"}}, "[]", "application/vnd.shop"),
        ({}, "", None),
    ],
)  # fmt: skip
def test_what_a_body_is_made_of(client: Client, content: Any, body: str, content_type: str | None) -> None:
    seen = echoed(client.post("/echo", **content))
    assert seen["body"] == body
    assert seen["headers"].get("content-type") == content_type
    assert seen["headers"]["content-length"] == str(len(body))


def test_files_are_sent_as_requests_sends_them(client: Client) -> None:
    def files() -> dict[str, Any]:
        return {
            "a": ("a.txt", b"first", "text/x-a", {"X-Part": "1"}),
            "b": io.BytesIO(b"second"),
            "c": ("c.png", "third"),
        }

    def normal(body: str, content_type: str) -> str:
        return body.replace(content_type.partition("boundary=")[2], "BOUNDARY")

    seen = echoed(client.post("/echo", files=files(), data={"field": ["1", "2"]}))
    theirs = requests.Request("POST", "http://x/", files=files(), data={"field": ["1", "2"]}).prepare()
    assert isinstance(theirs.body, bytes)
    expected = normal(theirs.body.decode(), str(theirs.headers["Content-Type"]))
    assert normal(seen["body"], seen["headers"]["content-type"]) == expected
    assert seen["headers"]["content-type"].startswith("multipart/form-data; boundary=")


def test_cookies(client: Client) -> None:
    client.cookies.set("a", "1", domain="shop.example")
    jar = LibraryJar()
    jar.set_cookie(create_cookie("b", "2"))
    assert echoed(client.get("/echo", cookies=jar))["headers"]["cookie"] == "a=1; b=2"
    assert echoed(client.get("/echo", cookies={"a": "3"}))["headers"]["cookie"] == "a=3"
    assert echoed(client.get("/echo", headers={"Cookie": "own=1"}))["headers"]["cookie"] == "own=1"
    assert echoed(client.get("/echo"))["headers"]["cookie"] == "a=1"
    answer = client.get("/cookie")
    assert answer.cookies["session"] == "ada"
    assert client.cookies.get_dict() == {"a": "1", "session": "ada"}
    assert [(cookie.name, cookie.value) for cookie in client.cookies] == [("a", "1"), ("session", "ada")]  # type: ignore[attr-defined]
    client.cookies.clear()
    assert "cookie" not in echoed(client.get("/echo"))["headers"]


@pytest.mark.parametrize(
    ("timeout", "bound"), [(0.05, 0.05), ((0.02, 0.03), 0.05), (5, 2.0), ((None, 1), 2.0)]
)
def test_a_timeout_is_a_number_or_a_pair(client: Client, timeout: Any, bound: float) -> None:
    assert client._allowed_s(timeout) == pytest.approx(bound)


def test_addresses(client: Client, http_server: Any) -> None:
    assert echoed(client.get(url="echo"))["path"] == "/echo"
    assert echoed(client.request("get", http_server.url + "/echo"))["method"] == "GET"
    client.base_url = http_server.url + "/api/"
    assert echoed(client.get("/echo"))["path"] == "/api/echo"
    assert client.base_url == http_server.url + "/api"


def test_credentials_of_the_base_address_stay_at_home_and_others_go_along(
    client: Client, http_server: Any, pools: Pools
) -> None:
    away = http_server.url.replace("127.0.0.1", "localhost") + "/echo"
    client.base_url = http_server.url.replace("//", "//ada:s3cret@")
    assert "authorization" in echoed(client.get("/echo"))["headers"]
    assert "authorization" not in echoed(client.get(away))["headers"]
    client.headers["Authorization"] = "Bearer 1"
    assert echoed(client.get(away))["headers"]["authorization"] == "Bearer 1"


# under which name


def test_names(client: Client, rows: Rows) -> None:
    client.get("/plain?id=1")
    client.get("/plain", name="own")
    with client.rename_request("within"):
        client.get("/plain")
        client.get("/plain", name="own")
    client.request_name = "for all"
    client.get("/plain")
    client.request("GET", "/plain", "third place")
    assert [row.name for row in rows] == ["/plain?id=1", "own", "within", "own", "for all", "third place"]


# what comes back


def test_a_response(client: Client) -> None:
    answer = client.get("/plain", context={"tenant": "acme"}, stream=True)
    assert (answer.status_code, answer.reason, answer.ok, answer.error) == (200, "OK", True, "")
    assert (answer.encoding, answer.text, answer.content) == ("utf-8", "aye aye", b"aye aye")
    assert list(answer.iter_content(chunk_size=4)) == [b"aye ", b"aye"]
    assert list(answer.iter_content(None, decode_unicode=True)) == ["aye aye"]
    assert list(answer.iter_lines()) == [b"aye aye"]
    assert list(answer.iter_lines(decode_unicode=True, delimiter=" ")) == ["aye", "aye"]
    assert answer.request is not None
    assert (answer.request.method, answer.request.path_url, answer.request.body) == ("GET", "/plain", None)
    assert answer.request.headers["User-Agent"] == "seatrial"
    assert (answer.history, answer.is_redirect, answer.context) == ([], False, {"tenant": "acme"})
    answer.encoding = "ascii"
    assert answer.encoding == "ascii"
    answer.close()


def test_the_redirects_that_led_to_a_response(client: Client, http_server: Any) -> None:
    answer = client.get("/moved")
    assert [(each.status_code, each.is_redirect) for each in answer.history] == [(302, True)]
    assert answer.history[0].request.path_url == "/moved"  # type: ignore[union-attr]
    assert (answer.url, answer.status_code) == (http_server.url + "/plain", 200)
    assert client.get("/moved", allow_redirects=False).status_code == 302
    endless = client.get("/circle")
    assert (endless.error, endless.status_code, len(endless.history)) == ("too many redirects", 0, 31)


def test_errors_are_raised_as_requests_raises_them(client: Client) -> None:
    with pytest.raises(requests.exceptions.HTTPError, match="HTTP 503") as bad:
        client.get("/unavailable").raise_for_status()
    assert bad.value.response is not None
    assert bad.value.response.status_code == 503
    with pytest.raises(requests.exceptions.ConnectionError, match="closed without answer"):
        client.get("/silent-close").raise_for_status()
    with pytest.raises(requests.exceptions.JSONDecodeError):
        client.get("/plain").json()
    with pytest.raises(json.JSONDecodeError):
        client.get("/plain").json()
    client.get("/plain").raise_for_status()


def test_what_a_scenario_decides_is_raised_too(client: Client, rows: Rows) -> None:
    with client.get("/missing", catch_response=True) as answer:
        answer.success()
        answer.raise_for_status()
    with client.get("/plain", catch_response=True) as answer:
        answer.failure("stale")
        with pytest.raises(Exception, match="stale"):
            answer.raise_for_status()
    assert [row.judge()[:2] for row in rows] == [(True, ""), (False, "stale")]
    assert type(rows[1].judge()[2]).__name__ == "CatchResponseError"


def test_what_listeners_are_told_of_a_response(client: Client, rows: Rows) -> None:
    with client.get("/plain", catch_response=True) as answer:
        assert answer.request_meta["response_length"] == 7
        assert answer.request_meta["exception"] is None
        answer.request_meta["name"] = "renamed"
        with pytest.raises(NotOffered, match=r"response\.request_meta\['response_time'\]"):
            answer.request_meta["response_time"] = 1
    assert rows[0].name == "renamed"


class RestUser(RestMixin):  # type: ignore[type-arg]
    """`self.rest` of Locust's own."""

    def __init__(self, client: Client) -> None:
        self.client = client


def test_rest(client: Client, rows: Rows) -> None:
    user = RestUser(client)
    with user.rest("POST", "/echo", json={"a": 1}) as answer:
        assert answer.js["headers"]["accept"] == "application/json"
    with user.rest("GET", "/plain"):
        pass
    with user.rest("GET", "/echo") as answer:
        assert answer.js["path"] == "nowhere", "wrong path"
    with user.rest("GET", "/echo") as answer:
        answer.js["nope"]
    with user.rest("GET", "/silent-close") as answer:
        answer.js["nope"]
    with user.rest_("GET", "/echo") as answer:
        pass
    verdicts = [row.judge() for row in rows]
    assert [ok for ok, *_ in verdicts] == [True, False, False, False, False, True]
    assert [error[:10] for _, error, _ in verdicts[1:5]] == [
        "Could not ", "wrong path", "KeyError: ", "closed wit",
    ]  # fmt: skip
    assert rows[5].name == "/echo?_=..."


def test_the_client_of_a_fast_user(fast: FastClient) -> None:
    assert list(fast.get("/plain", stream=True).iter_content(4)) == ["aye ", "aye"]
    assert list(fast.iter_lines("/plain")) == ["aye aye"]
    with pytest.raises(ResponseError, match="HTTP 503"):
        list(fast.iter_lines("/unavailable"))
    fast.get("/cookie")
    assert [(cookie.name, cookie.value) for cookie in fast.cookiejar] == [("session", "ada")]  # type: ignore[attr-defined]


# what is not here


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (lambda client: client.send(None), r"client\.send is not offered here; the nearest is client\.request\("),
        (lambda client: client.gett("/plain"), r"client\.gett is not offered here; the nearest is client\.get"),
        (lambda client: client.get("/plain").raw, r"response\.raw .*; the nearest is response\.content"),
        (lambda client: client.get("/plain", proxies={"http": "http://x"}), r"proxies= .* the proxy's own address"),
        (lambda client: client.get("/plain", hooks={"response": print}), r"hooks= is not offered"),
        (lambda client: client.get("/plain", alow_redirects=False), r"alow_redirects= .* the nearest is allow_redirects="),
        (lambda client: client.get("/plain", timeout="soon"), r"timeout= .* seconds, or a pair"),
        (lambda client: client.get("/plain", auth=HTTPDigestAuth("a", "b")), r"auth= .* \(user, password\)"),
        (lambda client: client.get("/plain", auth="ada"), r"auth= "),
        (lambda client: setattr(client, "proxies", {"http": "http://x"}), r"proxies= "),
    ],
)  # fmt: skip
def test_what_is_not_offered_is_told_with_the_nearest(client: Client, asked: Any, said: str) -> None:
    with pytest.raises(NotOffered, match=said):
        asked(client)


def test_what_is_not_offered_is_the_scenarios_mistake(client: Client, rows: Rows) -> None:
    with pytest.raises(NotOffered):
        client.get("/plain", proxies={"http": "http://x"})
    assert [row.judge()[1] for row in rows] == ["dropped: the scenario failed: NotOffered"]
    assert not hasattr(client, "send")
    assert getattr(client.get("/plain"), "raw", None) is None


def test_what_has_no_effect_is_said_once(
    client: Client, fast: FastClient, caplog: pytest.LogCaptureFixture
) -> None:
    not_offered.say_unused.cache_clear()
    client.mount("https://", object())
    client.mount("http://", object())
    client.proxies = {}
    client.close()
    fast.client.clientpool.close()
    assert [record.getMessage().partition(" has no effect: ")[0] for record in caplog.records] == [
        "client.mount", "client.client.clientpool.close",
    ]  # fmt: skip
    assert all(record.levelno == logging.WARNING for record in caplog.records)
