"""vegeta: nanoseconds, with or without the columns that newer versions added."""

from __future__ import annotations

from pathlib import Path

import pytest

from seatrial.measure.importers import read
from seatrial.model.problems import BadInput

NEW = """1767225600000000000,200,1500000,0,3,,b2s=,run,0,GET,http://127.0.0.1/,aGVhZA==
1767225600250000000,0,2000000,0,0,"Get ""http://127.0.0.1/"": connection refused",,run,1,GET,http://127.0.0.1/,
1767225600500000000,503,1000000,0,3,503 Service Unavailable,b2s=,run,2,POST,http://127.0.0.1/o,
"""
OLD = "\n".join(",".join(line.rsplit(",", 3)[:-3]) for line in NEW.splitlines()) + "\n"
JSON = """{"attack":"run","seq":0,"code":200,"timestamp":"2026-01-01T00:00:00Z","latency":1500000,"bytes_out":0,"bytes_in":3,"error":"","body":"b2s=","method":"GET","url":"http://127.0.0.1/","headers":{}}
{"attack":"run","seq":1,"code":0,"timestamp":"2026-01-01T01:00:00.25+01:00","latency":2000000,"error":"connection refused","method":"GET","url":"http://127.0.0.1/"}
{"attack":"run","seq":2,"code":503,"timestamp":"2026-01-01T00:00:00.500000001Z","latency":1000000,"error":"503 Service Unavailable","method":"POST","url":"http://127.0.0.1/o"}
"""  # JSON lines are as long as they are


@pytest.mark.parametrize(("text", "named"), [(NEW, True), (OLD, False), (JSON, True)])
def test_hits_become_requests(tmp_path: Path, text: str, named: bool) -> None:
    path = tmp_path / "hits"
    path.write_text(text)
    imported = read(path)
    log = imported.log
    assert imported.format == "vegeta"
    assert log.intended.tolist() == log.sent.tolist() == pytest.approx([0.0, 0.25, 0.5])
    assert (log.ended - log.sent).tolist() == pytest.approx([0.0015, 0.002, 0.001], abs=1e-6)
    assert log.ok.tolist() == [True, False, False]
    assert log.status.tolist() == [200, 0, 503]
    assert log.error.texts()[2] == "503 Service Unavailable"
    names = ["GET http://127.0.0.1/"] * 2 + ["POST http://127.0.0.1/o"]
    assert log.name.texts() == (names if named else [""] * 3)
    assert "coordinated omission" in imported.warnings[0]


GOB = b"\x7f\x7f\x03\x01\x01\x06Result\x01\xff\x80\x00\x01\x0b\x01\x06Attack\x01\x0c\x00\x01\x03Seq\x01\x06\x00\x01\x09Timestamp\x01\xff\x82\x00\x01\x07Latency\x01\x04\x00\x01\x08BytesOut\x01\x06\x00"  # the type that comes first


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (GOB, "binary form; turn it into text: vegeta encode --to csv"),
        (b'{"latencies":{"total":1,"99th":2},"throughput":3.0,"success":1}', "is a report of vegeta"),
    ],
)
def test_what_holds_no_text_of_hits_is_refused_with_what_to_do(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "results.bin"
    path.write_bytes(content)
    with pytest.raises(BadInput, match=message):
        read(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (NEW + "1767225600000000000,200\n", ":4: 12 columns are expected, and there are 2"),
        (NEW + NEW.splitlines()[0].replace("1500000", "quick") + "\n", ":4: column 'latency': .*'quick'"),
        (
            NEW + NEW.splitlines()[0].replace("1500000", "-1500000") + "\n",
            ":4: row 4: 'ended' lies before 'sent'",
        ),
        (JSON + '{"attack":"run"}\n', ":4: is not a result of vegeta: KeyError"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "hits"
    path.write_text(text)
    with pytest.raises(BadInput, match=message):
        read(path)
