"""Spans of HTTP clients as OTLP/JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from seatrial.measure.generator import ANSWERED_ALONE, ENDED_ALONE
from seatrial.measure.importers import Imported, read
from seatrial.model.problems import BadInput

ZERO_NS = 1_700_000_000_000_000_000


def span(kind: int | str, at_ms: int, status: int = 200, code: int = 0, name: str = "GET") -> dict[str, Any]:
    told = {
        "http.request.method": {"stringValue": "GET"},
        "http.response.status_code": {"intValue": str(status)},
        "url.path": {"stringValue": "/orders/17"},
    }
    return {
        "kind": kind,
        "name": name,
        "startTimeUnixNano": str(ZERO_NS + at_ms * 1_000_000),
        "endTimeUnixNano": str(ZERO_NS + (at_ms + 5) * 1_000_000),
        "attributes": [{"key": key, "value": value} for key, value in told.items()],
        "status": {"code": code},
    }


def imported(tmp_path: Path, *spans: dict[str, Any]) -> Imported:
    service = {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]}
    lines = [
        json.dumps({"resourceSpans": [{"resource": service, "scopeSpans": [{"spans": [each]}]}]})
        for each in spans
    ]
    path = tmp_path / "spans.json"
    path.write_text("\n".join(lines) + "\n")
    return read(path)


def test_a_client_s_span_is_a_request(tmp_path: Path) -> None:
    found = imported(
        tmp_path, span(3, 0), span("SPAN_KIND_CLIENT", 100, 503), span(3, 200, code=2), span(2, 0), span(1, 0)
    )
    assert (found.format, found.tells) == ("otlp", ENDED_ALONE)
    assert found.log.sent.tolist() == pytest.approx([0.0, 0.1, 0.2], abs=1e-6)
    assert found.log.ok.tolist() == [True, False, False]
    assert (found.log.name.values, found.log.worker.values) == (("GET /orders/*",), ("shop",))
    assert any("1 spans of servers were left out" in warning for warning in found.warnings)
    assert any("sampled" in warning for warning in found.warnings)


def test_without_a_client_those_of_servers_are_read(tmp_path: Path) -> None:
    found = imported(tmp_path, span(2, 0), span(2, 10, 404), span(2, 20, 500))
    assert (found.tells, found.log.ok.tolist()) == (ANSWERED_ALONE, [True, True, False])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"startTimeUnixNano": "soon"}, "json:2: is no export of spans"),
        ({"attributes": [{"value": {}}]}, "json:2: is no export of spans"),
        ({"endTimeUnixNano": "1"}, "json:2: .*'ended' lies before 'sent'"),
    ],
)
def test_a_wrong_line_is_named_by_its_number(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        imported(tmp_path, span(3, 0), {**span(3, 10), **change})


def test_spans_that_are_no_requests_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="holds no span of an HTTP client or server"):
        imported(tmp_path, span(1, 0))


def test_the_path_that_a_client_asked_for_is_in_its_url(tmp_path: Path) -> None:
    """As the SDKs for Python (urllib) and Node.js (http) write it: the span is called GET, and no path is told."""
    for key in ("url.full", "http.url"):
        told = span(3, 0)
        told["attributes"][2] = {
            "key": key,
            "value": {"stringValue": "http://127.0.0.1:8000/orders/17?full=1"},
        }
        assert imported(tmp_path, told).log.name.values == ("GET /orders/*",)


@pytest.mark.parametrize(
    ("starts_ns", "ends_ns", "sent_late_s", "ended_late_s"),
    [
        ((2_000_001, 7_300_009), (5_000_003, 9_100_001), 0, 0),
        ((2_000_000, 7_000_000), (5_343_293, 9_246_178), 1e-3, 1e-3),  # Node.js: a start cut, and a duration
        ((2_000_000, 7_000_000), (5_000_000, 9_000_000), 1e-3, 1e-3),
        ((2_001_000, 7_300_000), (5_000_003, 9_100_001), 1e-6, 1e-6),
    ],
)
def test_what_the_clock_of_a_service_cuts_off_is_not_taken_for_exact(
    tmp_path: Path,
    starts_ns: tuple[int, ...],
    ends_ns: tuple[int, ...],
    sent_late_s: float,
    ended_late_s: float,
) -> None:
    told = [
        {**span(3, 0), "startTimeUnixNano": str(ZERO_NS + start), "endTimeUnixNano": str(ZERO_NS + end)}
        for start, end in zip(starts_ns, ends_ns, strict=True)
    ]
    exact = imported(tmp_path, *told).exact
    assert exact.sent_late_s == pytest.approx(sent_late_s, abs=3.1e-7)
    assert exact.ended_late_s == pytest.approx(ended_late_s, abs=3.1e-7)
    assert exact.sent_early_s < 1e-6
