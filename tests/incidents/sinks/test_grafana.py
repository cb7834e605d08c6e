"""A run and its steps become regions on Grafana's charts, as its API documents them."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.support.results import result
from tests.support.sinks import settings_of

from seatrial.incidents import IncidentSettings, Reporter, deliver, policy
from seatrial.incidents.event import IncidentEvent, Kind
from seatrial.incidents.history import IncidentHistory
from seatrial.incidents.policy import Context, Routes
from seatrial.incidents.sink import Refused, TryLater
from seatrial.incidents.sinks.grafana import GrafanaSettings, GrafanaSink
from seatrial.model.result import RunResult, StepRecord
from seatrial.store import MessageState, Store

TOKEN = "glsa_0123456789abcdefghij"
NOW = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
ZERO = NOW - timedelta(seconds=60)
CRASH = StepRecord("crash", "fault", "process.kill", "worker", 10.0, 10.0, 10.5, 25.0, True)
ROLLBACK = StepRecord("back", "action", "deploy.rollback", "edge", 20.0, 20.0, 20.25)
LEFT = StepRecord("left", "fault", "process.pause", "worker", 30.0, 30.0, 30.5)
NEVER = StepRecord("never", "fault", "process.kill", "worker", 40.0)


@dataclass
class Grafana:
    """`POST /api/annotations` as documented: who may not write gets a 401, a region without a text a 400."""

    busy: int = 0  # requests that are answered with 429 first
    regions: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""

    def answer(self, path: str, authorization: str | None, body: bytes) -> tuple[int, dict[str, str]]:
        if path != "/grafana/api/annotations":
            return 404, {"message": "Not found"}
        if authorization != f"Bearer {TOKEN}":
            return 401, {"message": "Invalid API key"}
        if self.busy:
            self.busy -= 1
            return 429, {"message": "Too many requests"}
        region = json.loads(body)
        if not region.get("text"):
            return 400, {"message": "Failed to save annotation: text field should not be empty"}
        typed = all(type(region[key]) is int for key in ("time", "timeEnd"))
        if not typed or not all(isinstance(tag, str) for tag in region["tags"]):
            return 400, {"message": "bad request data"}
        self.regions.append(region)
        return 200, {"message": "Annotation added"}

    @contextmanager
    def serving(self) -> Iterator[Grafana]:
        grafana = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, said = grafana.answer(self.path, self.headers["Authorization"], body)
                self.send_response(status)
                if status == 429:
                    self.send_header("Retry-After", "7")
                self.end_headers()
                self.wfile.write(json.dumps(said).encode())

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
                """Quiet."""

        with HTTPServer(("127.0.0.1", 0), Handler) as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.01,))
            thread.start()
            self.url = f"http://127.0.0.1:{server.server_port}/grafana"
            try:
                yield self
            finally:
                server.shutdown()
                thread.join()


def ended(*steps: StepRecord) -> RunResult:
    started = (ZERO - timedelta(seconds=7)).isoformat()
    return replace(result(), steps=steps, started_at=started, zero_at=ZERO.isoformat())


def events(run: RunResult) -> list[IncidentEvent]:
    context = Context(routes=Routes(periods=("grafana",)), report_url="https://trials.example/runs/7")
    messages = policy.on_result(run, NOW, IncidentHistory(), context)
    assert {(each.kind, each.sink) for each in messages} == {("period", "grafana")}
    assert len({each.id for each in messages}) == len(messages)
    return [IncidentEvent.from_json(each.body) for each in messages]


def send(url: str, event: IncidentEvent, token: str = TOKEN) -> None:
    with closing(GrafanaSink(settings_of(GrafanaSettings, url=url, token=token), now=lambda: NOW)) as sink:
        sink.send(event, "message 1")


def milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def test_a_run_and_each_step_that_took_effect_is_a_region() -> None:
    with Grafana().serving() as grafana:
        for event in events(ended(CRASH, ROLLBACK, LEFT, NEVER)):
            send(grafana.url, event)
    spans = [
        (each["time"] - milliseconds(ZERO), each["timeEnd"] - milliseconds(ZERO)) for each in grafana.regions
    ]
    assert spans == [(-7_000, 60_000), (10_000, 25_000), (20_000, 20_250), (30_000, 60_000)]
    run, crash = grafana.regions[:2]
    assert run["text"].endswith("https://trials.example/runs/7")
    assert {"seatrial", f"experiment:{result().experiment}", f"verdict:{result().verdict.value}"} <= set(
        run["tags"]
    )
    assert {"seatrial", "step:crash", "kind:fault", "does:process.kill", "role:worker"} <= set(crash["tags"])
    assert "process.kill on worker" in crash["text"]


def test_its_answers_are_understood() -> None:
    (event,) = events(ended())
    with Grafana(busy=1).serving() as grafana:
        with pytest.raises(TryLater, match="429") as caught:
            send(grafana.url, event)
        assert (caught.value.after_s, caught.value.whole_sink) == (7, True)
        with pytest.raises(Refused, match="401") as refused:
            send(grafana.url, event, token="glsa_of_somebody_else")
        assert "glsa_of_somebody_else" not in str(refused.value)
        with pytest.raises(Refused, match="400"):
            send(grafana.url, replace(event, summary="", report_url=""))
        assert grafana.regions == []
        send(grafana.url, event)
        assert len(grafana.regions) == 1


def test_a_grafana_that_is_away_delays_no_run_and_has_its_regions_later(tmp_path: Path) -> None:
    with Store(f"sqlite:///{tmp_path}/runs.sqlite") as store:
        away = settings("http://127.0.0.1:9")
        assert Reporter(store, away).finished(ended(CRASH))
        assert deliver(store, away) > 0
        waiting = store.outbox.messages([MessageState.PENDING], newest_first=False)
        assert [each.message.sink for each in waiting].count("grafana") == 2
        with Grafana().serving() as grafana:
            store.outbox.requeue(datetime.now(UTC))
            deliver(store, settings(grafana.url))
        assert len(grafana.regions) == 2


def settings(url: str) -> IncidentSettings:
    return IncidentSettings.from_environment({"SEATRIAL_GRAFANA_URL": url, "SEATRIAL_GRAFANA_TOKEN": TOKEN})


def test_nobody_else_hears_of_periods() -> None:
    assert IncidentSettings().routes().periods == ()
    routes = settings("http://127.0.0.1:9").routes()
    assert routes.periods == ("grafana",)
    assert "grafana" not in (*routes.incidents, *routes.changes, *routes.notes, *routes.escalations)
    assert Kind("period") is Kind.PERIOD
