from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

RunClient = Callable[[str], tuple[Any, list[dict[str, Any]]]]

# path, status, ok, error, content
OUTCOMES = [
    ("/plain", 200, True, "", "aye aye"),
    ("/chunked", 200, True, "", "aye aye"),
    ("/until-close", 200, True, "", "aye aye"),
    ("/http10", 200, True, "", "aye aye"),
    ("/nothing", 204, True, "", ""),
    ("/interim", 200, True, "", "aye aye"),
    ("/bye", 200, True, "", "aye aye"),
    ("/surplus", 200, True, "", "aye aye"),
    ("/gzip", 200, True, "", "aye aye"),
    ("/deflate", 200, True, "", "aye aye"),
    ("/raw-deflate", 200, True, "", "aye aye"),
    ("/broken-gzip", 0, False, "malformed answer: broken content coding", ""),
    ("/unavailable", 503, False, "HTTP 503", ""),
    ("/moved", 200, True, "", "aye aye"),
    ("/circle", 0, False, "too many redirects", ""),
    ("/abroad", 302, True, "", ""),
    ("/silent-close", 0, False, "closed without answer", ""),
    ("/silent-reset", 0, False, "connection reset", ""),
    ("/cut", 0, False, "closed amid the answer", ""),
    ("/cut-head", 0, False, "closed amid the answer", ""),
    ("/cut-chunk", 0, False, "closed amid the answer", ""),
    ("/garbage", 0, False, "malformed answer", ""),
    ("/switch", 0, False, "malformed answer: a switch of protocols that was not asked for", ""),
    ("/leave", 200, True, "", "aye aye"),
]


def test_every_way_to_answer(run_client: RunClient, http_server: Any) -> None:
    _, rows = run_client(f"for path in {[path for path, *_ in OUTCOMES]}: client.get(path)")
    outcomes = [(row["name"], row["status"], row["ok"], row["error"], row["content"]) for row in rows]
    assert outcomes == OUTCOMES
    assert all(row["sent"] and row["ended"] for row in rows)


def test_a_switch_of_protocols_that_was_asked_for_is_an_answer(
    run_client: RunClient, http_server: Any
) -> None:
    """After which the connection is of no more use to this client."""
    asked = '{"Upgrade": "WebSocket", "Connection": "Upgrade"}'
    _, rows = run_client(f'for _ in range(2): client.get("/switch", headers={asked})')
    assert [(row["status"], row["ok"]) for row in rows] == [(101, True)] * 2
    assert http_server.connections == 2


def test_a_reset_amid_an_answer_is_a_failure(run_client: RunClient) -> None:
    # whether the bytes before a reset are still delivered is up to the kernel; the request fails either way
    _, (row,) = run_client('client.get("/cut-reset")')
    assert (row["ok"], row["status"]) == (False, 0)
    assert row["error"] in ("connection reset", "closed amid the answer")


def test_methods_bodies_and_headers(run_client: RunClient) -> None:
    result, _ = run_client("""
        result = [answer.json() for answer in (
            client.get("/echo?a=1", params={"b": [2, 3]}, headers={"X-Tenant": "acme", "accept": "text/html"}),
            client.post("/echo", json={"quantity": 2}),
            client.put("/echo", data={"sku": "a b"}),
            client.patch("/echo", data="raw"),
            client.delete("/echo", headers={"User-Agent": None}),
            client.request("OPTIONS", "/echo/s p/\u00e9"),
        )]
    """)
    get, post, put, patch, delete, options = result
    assert (get["method"], get["path"]) == ("GET", "/echo?a=1&b=2&b=3")
    assert get["headers"]["x-tenant"] == "acme"
    assert get["headers"]["accept"] == "text/html"
    assert get["headers"]["accept-encoding"] == "gzip, deflate"
    assert "content-length" not in get["headers"]
    assert (post["method"], post["body"], post["headers"]["content-type"]) == (
        *("POST", '{"quantity":2}'),
        "application/json",
    )
    assert (put["body"], put["headers"]["content-type"]) == ("sku=a+b", "application/x-www-form-urlencoded")
    assert (patch["method"], patch["body"], patch["headers"]["content-length"]) == ("PATCH", "raw", "3")
    assert (delete["method"], "user-agent" in delete["headers"]) == ("DELETE", False)
    assert options["path"] == "/echo/s%20p/%C3%A9"


def test_head_has_no_body_and_keeps_the_connection(run_client: RunClient, http_server: Any) -> None:
    result, rows = run_client("""
        answer = client.head("/plain")
        client.get("/plain")
        result = [answer.status_code, answer.headers["content-length"]]
    """)
    assert result == [200, "7"]
    assert [row["content"] for row in rows] == ["", "aye aye"]
    assert http_server.connections == 1


def test_connections_are_reused_and_never_a_stale_one(run_client: RunClient, http_server: Any) -> None:
    _, rows = run_client("""
        for path in ("/plain", "/plain", "/leave"):
            client.get(path)
        gevent.sleep(0.1)  # the server's end-of-file arrives
        client.get("/plain")
    """)
    assert [row["error"] for row in rows] == [""] * 4
    assert http_server.connections == 2
    assert len(http_server.requests) == 4


def test_nothing_is_sent_twice(run_client: RunClient, http_server: Any) -> None:
    _, rows = run_client('client.get("/plain"); client.get("/silent-close"); client.get("/plain")')
    assert [row["error"] for row in rows] == ["", "closed without answer", ""]
    assert [request.path for request in http_server.requests] == ["/plain", "/silent-close", "/plain"]


@pytest.mark.parametrize("path", ["/hang", "/half-hang"])
def test_the_client_gives_up_at_the_deadline(run_client: RunClient, path: str) -> None:
    result, rows = run_client(f"""
        client = new_client(deadline_s=0.2)
        began = time.monotonic()
        client.get({path!r})
        result = time.monotonic() - began
        client.get("/plain")
    """)
    hung, after = rows
    assert (hung["error"], hung["ok"], hung["sent"], hung["ended"]) == ("deadline", False, True, False)
    assert result >= 0.19
    assert after["ok"]  # and not on the connection on which the late answer may still come


def test_a_timeout_shortens_the_deadline(run_client: RunClient) -> None:
    result, (row,) = run_client("""
        client = new_client(deadline_s=20)
        began = time.monotonic()
        client.get("/hang", timeout=0.1)
        result = time.monotonic() - began
    """)
    assert row["error"] == "deadline"
    assert result < 10


def test_the_deadline_counts_from_when_the_request_was_due(run_client: RunClient) -> None:
    _, rows = run_client("""
        client = new_client(deadline_s=1.0)
        client.under_way.arrival.zero_s -= 0.9  # due 0.9 s ago
        client.get("/hang")
        client.get("/plain")   # due now
        client = new_client(deadline_s=1.0)
        client.under_way.arrival.zero_s -= 1.5
        client.get("/plain")
    """)
    late, follow_up, too_late = rows
    assert late["error"] == "deadline"
    assert late["late"] >= 0.9
    assert follow_up["late"] < 0.5
    assert (too_late["sent"], too_late["ended"]) == (False, False)
    assert too_late["error"].startswith("dropped: ")


def test_a_refused_connection_and_an_unknown_name(run_client: RunClient) -> None:
    _, rows = run_client("""
        import socket
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            new_client(base=f"http://127.0.0.1:{unused.getsockname()[1]}").get("/")
        new_client(base="http://nowhere.invalid").get("/")
    """)
    refused, unknown = rows
    assert (refused["error"], refused["sent"], refused["ended"]) == ("connection refused", True, True)
    assert (unknown["error"], unknown["sent"]) == ("dropped: no address for the name", False)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate")
def test_tls_with_and_without_trust(run_client: RunClient, tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
            *("-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    result, rows = run_client(f"""
        import gevent.ssl
        from gevent.server import StreamServer
        context = gevent.ssl.create_default_context(gevent.ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain({str(certificate)!r}, {str(key)!r})
        connections = []
        def serve(sock, address):
            connections.append(address)
            while sock.recv(65536):
                sock.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 200000\\r\\n\\r\\n" + b"x" * 200000)
        server = StreamServer(("127.0.0.1", 0), serve, ssl_context=context)
        server.start()
        base = f"https://127.0.0.1:{{server.server_port}}"
        for verify in (True, {str(certificate)!r}, False):
            for client in (new_client(base=base), new_client(base=base)):
                client.verify = verify
                client.get("/")
        result = len(connections)
    """)
    assert [row["error"] for row in rows] == [
        "tls: certificate verify failed: self-signed certificate"
    ] * 2 + [""] * 4
    assert [len(row["content"]) for row in rows[2:]] == [200_000] * 4
    assert result == 2  # each trusting pool reused its connection


def test_running_out_of_files_is_the_generators_own_failure(run_client: RunClient) -> None:
    _, (row,) = run_client("""
        import os, resource
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
        held = []
        try:
            while True:
                held.append(os.dup(0))
        except OSError:
            pass
        client.get("/plain")
        for fd in held:
            os.close(fd)
    """)
    assert (row["sent"], row["ended"], row["error"]) == (False, False, "dropped: too many open files")


def test_redirects_keep_or_change_the_method(run_client: RunClient) -> None:
    result, rows = run_client("""
        kept = client.post("/kept", data="x", key="order-1").json()
        turned = client.post("/turned", json={}).json()
        unfollowed = client.get("/moved", allow_redirects=False)
        result = [kept["method"], kept["body"], turned["method"], turned["body"], unfollowed.status_code]
    """)
    assert result == ["POST", "x", "GET", "", 302]
    assert rows[0]["name"] == "/kept"
    assert rows[0]["key"] == "order-1"


def test_cookies_belong_to_one_virtual_user(run_client: RunClient) -> None:
    result, _ = run_client("""
        client.get("/cookie")
        other = new_client()
        with_cookie = client.get("/echo").json()["headers"].get("cookie")
        without = other.get("/echo").json()["headers"].get("cookie")
        client.get("/no-cookie")
        result = [with_cookie, without, dict(client.cookies)]
    """)
    assert result == ["session=ada", None, {}]


def test_who_answered(run_client: RunClient) -> None:
    _, rows = run_client(
        'for path in ("/plain", "/release", "/region", "/chunked"): client.get(path, name="x")'
    )
    assert [row["served_by"] for row in rows] == ["blue/east", "green", "west", ""]
    assert {row["name"] for row in rows} == {"x"}


def test_the_scenario_decides_with_catch_response(run_client: RunClient) -> None:
    result, rows = run_client("""
        from locust.exception import LocustError
        with client.get("/missing", catch_response=True) as answer:
            answer.success()
        with client.get("/plain", catch_response=True) as answer:
            answer.failure("stale price")
        with client.get("/missing", catch_response=True):
            pass
        with client.get("/missing", catch_response=True) as answer:
            answer.raise_for_status()
        with client.get("/silent-close", catch_response=True) as answer:
            answer.success()
        try:
            with client.get("/plain", catch_response=True) as answer:
                assert answer.json()
        except ValueError as error:
            result = [type(error).__name__]
        for wrong in (lambda: client.get("/plain").success(), lambda: client.get("/plain").__enter__()):
            try:
                wrong()
            except LocustError as error:
                result.append("refused")
        client.get("/missing", catch_response=True)  # never decided
        client.under_way.depart()
    """)
    assert result == ["JSONDecodeError", "refused", "refused"]
    assert [(row["ok"], row["error"].partition(":")[0]) for row in rows] == [
        *[(True, ""), (False, "stale price"), (False, "HTTP 404"), (False, "HTTP 404")],
        *[(False, "closed without answer"), (False, "scenario"), (True, ""), (True, ""), (False, "HTTP 404")],
    ]


def test_a_request_that_is_stopped_is_on_record(run_client: RunClient) -> None:
    _, (row,) = run_client("""
        worker = gevent.spawn(client.get, "/hang")
        gevent.sleep(0.1)
        worker.kill()
    """)
    assert (row["error"], row["sent"], row["ended"]) == ("unanswered at the end", True, False)


def test_a_scenarios_own_timeout_leaves_a_row(run_client: RunClient) -> None:
    result, (row,) = run_client("""
        try:
            with gevent.Timeout(0.1):
                client.get("/hang")
        except gevent.Timeout:
            result = "timed out"
    """)
    assert result == "timed out"
    assert (row["error"], row["ended"]) == ("abandoned by the scenario", False)


def test_a_request_that_breaks_out_of_its_line_is_refused(run_client: RunClient, http_server: Any) -> None:
    result, rows = run_client("""
        try:
            client.get("/plain", headers={"X-Id": "1\\r\\nX-Evil: 2"})
        except ValueError as error:
            result = str(error)
    """)
    assert "line break" in result
    assert [(row["sent"], row["error"]) for row in rows] == [
        (False, "dropped: the scenario failed: ValueError")
    ]
    assert http_server.requests == []


def test_what_a_response_offers(run_client: RunClient) -> None:
    result, _ = run_client("""
        answer = client.get("/plain")
        failed = client.get("/silent-close")
        result = [
            answer.ok, bool(answer), answer.text, answer.headers["x-RELEASE"], answer.url == url + "/plain",
            answer.elapsed.total_seconds() > 0, failed.ok, failed.status_code, failed.content.decode(), repr(failed),
            "x-region" in answer.headers, len(answer.headers),
        ]
    """)
    assert result == [
        *[True, True, "aye aye", "blue", True, True, False, 0, "", "<Response [closed without answer]>"],
        *[True, 3],
    ]


def test_a_reason_is_shown_without_secrets_before_it_is_cut_to_its_length(run_client: RunClient) -> None:
    _, rows = run_client("""
        from seatrial.model import secrets
        secrets.remember("s3cret-T0ken-that-is-long", "${TOKEN}")
        with client.get("/plain", catch_response=True) as answer:
            answer.failure("x" * 190 + "s3cret-T0ken-that-is-long")
    """)
    assert rows[0]["error"] == "x" * 190 + "${TOKEN}"
