"""Hostile requests: other hosts, other sites, too much, the wrong kind."""

from __future__ import annotations

import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient
from tests.web.conftest import HERE, TOKEN, Site

from seatrial.web.guard import MOST_ADDRESS, MOST_BODY, Guard


@pytest.mark.parametrize(
    ("host", "served"),
    [
        ("localhost", True), ("LOCALHOST:9470", True), ("127.0.0.1:9470", True), ("[::1]:9470", True), ("[::1]", True),
        ("192.0.2.7:80", True), ("ready.example", True), ("ready.example:443", True),
        ("evil.example", False), ("evil.example:9470", False), ("127.0.0.1.evil.example", False), ("localhost.evil.example", False),
        ("", False), ("2130706433", False), ("127.1", False), ("[::1].evil.example", False),
    ],
)  # fmt: skip
def test_a_name_that_was_led_to_us_is_not_served(host: str, served: bool) -> None:
    client = TestClient(Guard(PlainTextResponse("runs"), ["Ready.example"]), headers={"host": host})
    assert client.get("/api/runs").status_code == (200 if served else 421)


@pytest.mark.parametrize(
    ("headers", "ours"),
    [
        ({"origin": HERE}, True),
        ({"origin": "https://localhost"}, True),  # a proxy has taken the TLS off
        ({"origin": HERE, "sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "same-origin"}, True),
        ({"authorization": f"Bearer {TOKEN}"}, True),
        ({}, False),
        ({"origin": "null"}, False),
        ({"origin": "http://evil.example"}, False),
        ({"origin": "http://localhost:8080"}, False),
        ({"origin": "http://localhost@evil.example"}, False),
        ({"origin": "file://localhost"}, False),
        ({"sec-fetch-site": "none"}, False),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"origin": HERE, "sec-fetch-site": "same-site"}, False),
        ({"origin": "http://evil.example", "authorization": f"Bearer {TOKEN}"}, False),
    ],
)
def test_what_changes_something_is_asked_for_by_our_pages_alone(headers: dict[str, str], ours: bool) -> None:
    client = TestClient(Guard(PlainTextResponse("done")), HERE, headers=headers)
    assert client.post("/incidents/retry").status_code == (200 if ours else 403)
    assert client.get("/incidents").status_code == 200


def test_a_cookie_is_not_enough(site: Site) -> None:
    browser = site.browser()
    del browser.headers["origin"]
    assert browser.post("/incidents/retry").status_code == 403
    assert browser.post("/incidents/retry", headers={"origin": HERE}).status_code == 200


def test_too_much_is_refused_however_it_comes(site: Site) -> None:
    client = site.client(origin=HERE)
    assert client.post("/session", content=b"x" * (MOST_BODY + 1)).status_code == 413

    def in_pieces() -> object:
        yield from (b"x" * 4096 for _ in range(6))

    assert client.post("/session", content=in_pieces()).status_code == 413  # type: ignore[arg-type]
    assert client.get("/runs", params={"covers": "x" * MOST_ADDRESS}).status_code == 414
    assert client.post("/session", content="token=x", headers={"content-length": "-1"}).status_code == 413
    many = "&".join(f"a{n}=1" for n in range(50))
    assert client.post("/session", content=many).status_code == 400
    assert client.post("/session", files={"token": b"x"}).status_code == 400
    assert client.post("/session", content=b"token=\xff\xfe").status_code == 400


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "OPTIONS", "PROPFIND"])
def test_other_methods_are_not_known(method: str) -> None:
    client = TestClient(Guard(PlainTextResponse("done")), HERE, headers={"origin": HERE})
    assert client.request(method, "/runs").status_code == 405


def test_no_path_leads_to_a_file(site: Site) -> None:
    (site.directory / "report.html").write_text("secret")
    client = site.client()
    for path in (
        "/assets/../app.py", "/assets/..%2fapp.py", "/assets/%2e%2e%2f%2e%2e%2fetc%2fpasswd", "/assets/",
        "/assets/web.css%00", "/runs/..%2f..%2fetc%2fpasswd/report", "/runs/%2fetc%2fpasswd/report",
        "/runs/../report", "/runs/%2e%2e/report", "/runs/runs%2f0001/report", "//etc/passwd",
        "/underway/..%2f..%2fhome/events",
    ):  # fmt: skip
        answer = client.get(path)
        assert answer.status_code == 404, path
        assert "secret" not in answer.text
        assert "root:" not in answer.text


def test_a_report_is_not_what_a_link_leads_to(site: Site) -> None:
    (site.place / "elsewhere").write_text("secret")
    (site.directory / "report.html").symlink_to(site.place / "elsewhere")
    assert site.client().get("/runs/database-crash-0001/report").status_code == 404
