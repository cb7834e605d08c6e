"""k6: samples are stamped at the end of a request."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from seatrial.measure.importers import read
from seatrial.model.problems import BadInput


def sample(metric: str, time: str, value: float, **tags: str) -> str:
    return json.dumps(
        {"metric": metric, "type": "Point", "data": {"time": time, "value": value, "tags": tags}}
    )


JSON = "\n".join(
    [
        '{"type":"Metric","data":{"name":"http_req_duration","type":"trend"},"metric":"http_req_duration"}',
        sample("http_reqs", "2026-01-01T00:00:01.5Z", 1, name="/", status="200"),
        sample("http_req_duration", "2026-01-01T00:00:01.5Z", 200, name="/", status="200", expected_response="true"),
        sample("http_req_blocked", "2026-01-01T00:00:01.5Z", 300, name="/", status="200"),
        sample("http_req_duration", "2026-01-01T00:00:02.123456789Z", 100, name="/", status="503", error_code="1503"),
        sample("http_req_duration", "2026-01-01T01:00:03+01:00", 0, name="/", status="0", error="refused"),
    ]
)  # fmt: skip

CSV = """metric_name,timestamp,metric_value,check,error,error_code,expected_response,name,status,extra_tags
http_reqs,1767225601500000,1,,,,true,/,200,
http_req_duration,1767225601500000,200,,,,true,/,200,
http_req_blocked,1767225601500000,300,,,,true,/,200,
http_req_duration,1767225602123456,100,,,1503,false,/,503,
http_req_blocked,1767225602123456,0,,,1503,false,/,503,
http_req_duration,1767225603000000,0,,"dial: ""refused"", i/o",1212,false,/,0,
http_req_blocked,1767225603000000,0,,,1212,false,/,0,
"""


@pytest.mark.parametrize("text", [JSON, CSV])
def test_samples_become_requests(tmp_path: Path, text: str) -> None:
    path = tmp_path / "k6.out"
    path.write_text(text)
    imported = read(path)
    log = imported.log
    assert imported.format == "k6"
    assert log.sent.tolist() == pytest.approx([0.0, 1.023456, 2.0], abs=2e-6)
    assert (log.ended - log.sent).tolist() == pytest.approx([0.5, 0.1, 0.0], abs=1e-6)
    assert log.ok.tolist() == [True, False, False]
    assert log.status.tolist() == [200, 503, 0]
    assert log.name.texts() == ["/"] * 3
    assert "refused" in log.error.texts()[2]
    assert "coordinated omission" in imported.warnings[0]
    assert "1 requests never got a connection" in imported.warnings[-1]


@pytest.mark.parametrize("form", ["json", "csv"])
def test_iterations_that_k6_dropped_are_held_against_it(tmp_path: Path, form: str) -> None:
    path = tmp_path / "k6.out"
    more = sample("dropped_iterations", "2026-01-01T00:00:02Z", 7) if form == "json" else (
        "dropped_iterations,1767225602000000,7,,,,,,,\n"
    )  # fmt: skip
    path.write_text(f"{JSON}\n{more}\n{more}\n" if form == "json" else CSV + more + more)
    imported = read(path)
    assert imported.doubt == "k6 dropped 14 iterations that were due"
    assert len(imported.log) == 3
    path.write_text(JSON if form == "json" else CSV)
    assert read(path).doubt == ""


def test_waits_that_match_no_request_are_said_to(tmp_path: Path) -> None:
    path = tmp_path / "k6.csv"
    path.write_text(
        "".join(line for line in CSV.splitlines(keepends=True) if "blocked,1767225602" not in line)
    )
    assert any("cannot be matched" in warning for warning in read(path).warnings)


def test_a_table_saved_again_with_semicolons_is_read(tmp_path: Path) -> None:
    path = tmp_path / "k6.csv"
    path.write_text("metric_name;timestamp;metric_value;status\nhttp_req_duration;1767225601500000;5;200\n")
    assert read(path).log.ok.tolist() == [True]


def test_a_summary_is_refused_with_what_to_do_instead(tmp_path: Path) -> None:
    path = tmp_path / "summary.json"
    path.write_text('{\n  "root_group": {"name": ""},\n  "metrics": {"http_reqs": {"count": 10}}\n}\n')
    with pytest.raises(BadInput, match=r":1: is k6's summary of a run.*--out csv=FILE"):
        read(path)


def test_whole_seconds_are_warned_about(tmp_path: Path) -> None:
    path = tmp_path / "k6.csv"
    path.write_text("metric_name,timestamp,metric_value,status\nhttp_req_duration,1767225601,5,200\n")
    assert any("K6_CSV_TIME_FORMAT=unix_micro" in warning for warning in read(path).warnings)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            '{"metric":"http_req_duration","type":"Point","data":{"time":"noon","value":1}}',
            ":2: is not a sample",
        ),
        ('{"metric":"http_req_duration","type":"Point","data":[]}', ":2: is not a sample"),
        ('{"metric":"http_req_duration", oh', ":2: is not JSON"),
        ('["http_req_duration"]', ":2: a JSON object is expected"),
        ('{"metric":"vus","type":"Point","data":{}}', "holds no http_req_duration sample"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "k6.json"
    path.write_text('{"type":"Metric","metric":"http_reqs"}\n' + line + "\n")
    with pytest.raises(BadInput, match=message):
        read(path)
