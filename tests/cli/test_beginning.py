"""What `seatrial init` writes for a service that answers is run as it stands, and passes."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.support.command import seatrial


class _Shop(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        known = self.path.split("?")[0] in ("/healthz", "/orders", "/orders/7")
        body = b"ok" if known else b"no"
        self.send_response(200 if known else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@contextlib.contextmanager
def shop() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Shop) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEATRIAL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")


OPENAPI = {
    "openapi": "3.1.0",
    "info": {"title": "Shop", "version": "1"},
    "paths": {
        "/orders": {"get": {"operationId": "listOrders", "responses": {}}, "post": {"responses": {}}},
        "/orders/{id}": {
            "get": {
                "parameters": [{"name": "id", "in": "path", "required": True, "example": 7}],
                "responses": {},
            }
        },
        "/users/{id}": {
            "get": {"parameters": [{"name": "id", "in": "path", "required": True}], "responses": {}}
        },
    },
}


@pytest.mark.e2e
@pytest.mark.parametrize("experiment", [pytest.param("load", marks=pytest.mark.long), "deploy"])
def test_what_is_written_runs_and_passes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], experiment: str
) -> None:
    Path("openapi.json").write_text(json.dumps(OPENAPI))
    with shop() as url:
        assert seatrial(monkeypatch, "init", "--host", url, "--openapi", "openapi.json") == 0
        told = capsys.readouterr().err
        assert "left out: GET /users/{id}: no example of id" in told
        assert "seatrial run chaos/load.yaml --target chaos/target.yaml" in told
        assert 'ready: "/healthz"' in Path("chaos/target.yaml").read_text()
        file = Path(f"chaos/{experiment}.yaml")
        text = file.read_text()
        assert "duration: 20s" in text
        file.write_text(text.replace("duration: 20s", "duration: 7s"))  # all that is changed: tests are short
        assert seatrial(monkeypatch, "run", str(file), "--target", "chaos/target.yaml") == 0, (
            capsys.readouterr().err
        )


def test_what_is_there_already_is_named_and_nothing_is_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert seatrial(monkeypatch, "init", "service") == 0
    before = {path: path.read_bytes() for path in Path("service").rglob("*") if path.is_file()}
    assert "cd service" in capsys.readouterr().err
    assert seatrial(monkeypatch, "init", "service", "--host", "http://127.0.0.1:1") == 64
    assert (
        "service/chaos/target.yaml: is there already, and nothing is written over" in capsys.readouterr().err
    )
    assert {path: path.read_bytes() for path in Path("service").rglob("*") if path.is_file()} == before


def test_a_locustfile_is_named_from_where_experiments_stand(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("users.py").write_text("from locust import HttpUser\n")
    assert seatrial(monkeypatch, "init", "service", "--locustfile", "users.py") == 0
    assert 'scenario: "../../users.py"' in Path("service/chaos/load.yaml").read_text()
    assert not Path("service/chaos/scenario.py").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--locustfile", "nowhere.py"], "--locustfile nowhere.py: no such file"),
        (["--openapi", "nowhere.json"], "nowhere.json: cannot be read: No such file or directory"),
        (["--host", "shop"], "--host: 'shop' is not an http:// or https:// address"),
        (["--openapi", "a.json", "--locustfile", "b.py"], "give one of them"),
    ],
)
def test_what_cannot_be_used_is_a_line_and_nothing_is_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    assert seatrial(monkeypatch, "init", *arguments) == 64
    assert told in capsys.readouterr().err
    assert not Path("chaos").exists()
