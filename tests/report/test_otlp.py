"""A run is a trace: what a receiver of OTLP over HTTP decodes holds its steps, its outages and their bounds."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from seatrial import columnar
from seatrial.model.problems import Unavailable
from seatrial.model.result import RunResult
from seatrial.model.verdict import Verdict
from seatrial.report import Dossier
from seatrial.report.otlp import export
from seatrial.trials import telemetry

Make = Callable[[str], Dossier]
OK, ERROR = 1, 2  # of a span's status, as the protocol numbers them


@dataclass
class Receiver:
    """Takes spans, or answers with another status."""

    status: int = 200
    requests: list[ExportTraceServiceRequest] = field(default_factory=list)
    url: str = ""

    def spans(self) -> list[Any]:
        (request,) = self.requests
        (of_resource,) = request.resource_spans
        (of_scope,) = of_resource.scope_spans
        return list(of_scope.spans)

    @contextmanager
    def serving(self) -> Iterator[Receiver]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                assert self.headers["Content-Type"] == "application/x-protobuf"
                if self.path == "/v1/traces" and receiver.status == 200:
                    receiver.requests.append(ExportTraceServiceRequest.FromString(body))
                self.send_response(receiver.status)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
                """Quiet."""

        with HTTPServer(("127.0.0.1", 0), Handler) as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.01,))
            thread.start()
            self.url = f"http://127.0.0.1:{server.server_port}"
            try:
                yield self
            finally:
                server.shutdown()
                thread.join()


def attributes(span: Any) -> dict[str, Any]:
    return {
        each.key.removeprefix("seatrial."): getattr(each.value, each.value.WhichOneof("value"))
        for each in span.attributes
    }


def evidence(dossier: Dossier, directory: Path) -> Path:
    assert dossier.log is not None
    with (directory / "requests.parquet").open("wb") as file:
        columnar.write(columnar.table_of(dossier.log.sorted(), {}), file)
    return directory


def began(result: RunResult) -> RunResult:
    """The same, with the instant at which its request log began."""
    return replace(result, zero_at="2026-03-01T03:00:07+00:00", started_at="2026-03-01T03:00:00+00:00")


def test_a_run_its_steps_and_its_outages_are_spans_of_one_trace(make: Make, tmp_path: Path) -> None:
    dossier = make("pass")
    result = began(dossier.result)
    assert result.measurement is not None
    assert dossier.log is not None
    with Receiver().serving() as receiver:
        count = export(result, evidence(dossier, tmp_path), f"{receiver.url}/v1/traces")
        run, *others = receiver.spans()
        receiver.requests.clear()
        export(result, tmp_path, f"{receiver.url}/v1/traces")
        again = receiver.spans()
    assert count == 1 + len(others) == 1 + len(result.steps) + len(result.measurement.outages)
    assert {span.trace_id for span in others} == {run.trace_id}
    assert {span.parent_span_id for span in others} == {run.span_id}
    assert [span.span_id for span in again] == [span.span_id for span in (run, *others)]
    told = attributes(run)
    assert (told["verdict"], run.status.code) == ("pass", OK)
    first = result.objectives[0]
    assert told[f"objective.{first.name.replace(' ', '_')}.upper"] == first.upper

    (outage,) = result.measurement.outages
    span = next(span for span in others if span.name == "outage")
    told = attributes(span)
    assert told["server.lower_s"] == outage.server.lower_s
    assert told["perceived.upper_s"] == outage.perceived.upper_s
    assert (told["bad"], span.status.code) == (outage.bad, ERROR)
    zero_ns = round(datetime.fromisoformat(result.zero_at).timestamp() * 1e9)
    assert span.start_time_unix_nano - zero_ns == pytest.approx(outage.start_s * 1e9, abs=2_000)


def test_an_outage_leads_to_the_requests_that_its_bounds_were_read_from(make: Make, tmp_path: Path) -> None:
    dossier = make("pass")
    assert dossier.result.measurement is not None
    assert dossier.log is not None
    seen = dossier.result.measurement.outages[0].witnesses
    assert seen is not None
    with Receiver().serving() as receiver:
        export(began(dossier.result), evidence(dossier, tmp_path), f"{receiver.url}/v1/traces")
        (outage,) = (span for span in receiver.spans() if span.name == "outage")
    found = {attributes(event)["request.is"]: attributes(event) for event in outage.events}
    assert found["first_bad"]["request.row"] == seen.first_bad
    log = dossier.log.sorted()
    assert found["first_bad"]["request.name"] == log.name.texts()[seen.first_bad]
    assert (found["first_good"]["request.row"], found["first_good"]["request.status"]) == (
        seen.first_good,
        200,
    )


def test_a_fail_is_an_error_and_an_unknown_is_neither(make: Make) -> None:
    for kind, status in (("fail", ERROR), ("unknown", 0)):
        result = make(kind).result
        assert result.verdict is Verdict(kind)
        with Receiver().serving() as receiver:
            export(result, None, f"{receiver.url}/v1/traces")
            assert receiver.spans()[0].status.code == status


def test_what_is_not_taken_is_told_and_fails_no_run(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    result = make("pass").result
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    telemetry.export_if_wanted(result, tmp_path, said.append)
    assert said == []
    with Receiver(status=400).serving() as receiver:
        with pytest.raises(Unavailable, match="were not taken"):
            export(result, None, f"{receiver.url}/v1/traces")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        telemetry.export_if_wanted(result, tmp_path, said.append)
        assert said[0].endswith(f"were not taken; to try again: seatrial report export-otlp {result.run}")
        receiver.status = 200
        telemetry.export_if_wanted(result, tmp_path, said.append)
        assert len(said) == len(receiver.requests) == 1


def test_whoever_hangs_holds_nothing_up(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    release, said = threading.Event(), list[str]()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(telemetry, "_WAITED_FOR_S", 0.05)
    monkeypatch.setattr(telemetry, "export_run", lambda *_: release.wait(30))
    telemetry.export_if_wanted(make("pass").result, tmp_path, said.append)
    release.set()
    assert "has not answered in time" in said[0]
