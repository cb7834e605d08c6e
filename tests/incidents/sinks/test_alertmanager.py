"""Alerts stand until a resolve, in whatever severity they were raised; a real Alertmanager agrees."""

from __future__ import annotations

import shutil
import socket
import subprocess
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from tests.support.sinks import settings_of
from tests.support.waiting import wait_until

from seatrial.incidents.event import IncidentEvent, Kind
from seatrial.incidents.sinks.alertmanager import AlertmanagerSettings, AlertmanagerSink

NOW = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
TRIGGER = IncidentEvent(Kind.TRIGGER, "seatrial/t/x", NOW.isoformat(), "x failed", "t", "x", "r1", "error")


def standing(event: IncidentEvent) -> list[str]:
    """The severities in which an alert stands after an event."""
    alerts = cast("list[dict[str, Any]]", AlertmanagerSink.render(event))
    at = datetime.fromisoformat(event.at)
    return [each["labels"]["severity"] for each in alerts if datetime.fromisoformat(each["endsAt"]) > at]


def test_it_stands_in_one_severity_at_a_time() -> None:
    assert standing(TRIGGER) == ["error"]
    assert standing(replace(TRIGGER, severity="critical")) == ["critical"]
    assert standing(replace(TRIGGER, kind=Kind.RESOLVE)) == []


@pytest.mark.e2e
def test_a_real_alertmanager_raises_and_ends_it(tmp_path: Path) -> None:
    program = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
    if program is None:
        pytest.skip("Alertmanager is not installed (Debian: prometheus-alertmanager)")
    (tmp_path / "am.yml").write_text("route: {receiver: nobody}\nreceivers: [{name: nobody}]\n")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    arguments = [
        f"--config.file={tmp_path}/am.yml",
        f"--storage.path={tmp_path}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen([program, *arguments], stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        _await_ready(url)
        with closing(AlertmanagerSink(settings_of(AlertmanagerSettings, url=url))) as sink:
            now = datetime.now(UTC)
            sink.send(replace(TRIGGER, at=now.isoformat()), "1")
            sink.send(replace(TRIGGER, at=now.isoformat(), severity="critical"), "2")
            assert _severities(url) == ["critical"]
            sink.send(
                replace(TRIGGER, kind=Kind.RESOLVE, at=(now + timedelta(milliseconds=1)).isoformat()), "3"
            )
            assert _severities(url) == []
    finally:
        server.kill()
        server.wait()


def _severities(url: str) -> list[str]:
    alerts = httpx.get(f"{url}/api/v2/alerts", params={"active": "true"}).json()
    return [alert["labels"]["severity"] for alert in alerts]


def _await_ready(url: str) -> None:
    def ready() -> bool:
        try:
            return httpx.get(f"{url}/-/ready").status_code == 200
        except httpx.TransportError:
            return False

    wait_until(ready, within_s=30, what="Alertmanager is ready")
