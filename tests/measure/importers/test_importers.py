"""Finding the importer, and what every one of them owes to a broken file."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.mutations import FORMATS

from seatrial.measure import measure
from seatrial.measure.generator import ANSWERED_ALONE, ENDED_ALONE, EVERYTHING
from seatrial.measure.importers import Told, formats, read
from seatrial.model.problems import BadInput

_SPAN = (
    b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"kind":3,"name":"GET","startTimeUnixNano":"1","endTimeUnixNano":'
    b'"2","attributes":[{"key":"http.method","value":{"stringValue":"GET"}}]}]}]}]}\n'
)
GOOD_HEADS = (
    b"intended,sent,ended,ok\n0.0,0.0,0.1,true\n",
    b"metric_name,timestamp,metric_value,name,status\nhttp_req_duration,1700000000,1.5,GET /,200\n",
    b'{"type":"Metric","metric":"http_reqs"}\n{"metric":"http_req_duration","type":"Point","data":{}}\n',
    b"1700000000000000000,200,1000000,0,2,,b2s=,attack,0,GET,http://127.0.0.1/,\n",
    b'{"attack":"","seq":0,"code":200,"timestamp":"2026-01-01T00:00:00Z","latency":1000,"error":""}\n',
    b"timeStamp,elapsed,label,responseCode,success\n1700000000000,12,GET /,200,true\n",
    b"timeStamp|elapsed|label|success\n2026/01/01 00:00:00.000|12|GET /|true\n",
    b"1700000000000;12;GET /;200;OK;Users 1-1;text;true;;3\n1700000000100;12;GET /;200;OK;Users 1-1;text;true;;3\n",
    b'<testResults version="1.2">\n<sample t="3" ts="1700000000000" s="true" lb="GET /"/>\n</testResults>\n',
    b"start_time,response_time,name,exception\n1700000000.5,12.5,GET /,\n",
    b'10.0.0.1:1 [29/Nov/2026:01:02:03.456] web app/a 0/0/1/2/3 200 9 - - ---- 1/1/1/1/0 0/0 "GET / HTTP/1.1"\n',
    b'10.0.0.1 - - [29/Nov/2026:01:02:03 +0100] "GET /a HTTP/1.1" 200 12 "-" "curl" 0.003\n',
    b"RUN\tBasic\tbasic\t1700000000000\t \t3.9.5\nREQUEST\t\thome\t1700000000000\t1700000000100\tOK\t \n",
    b"response-time,DNS+dialup,DNS,Request-write,Response-delay,Response-read,status-code,offset\n1,0,0,0,1,0,200,0\n",
    b"request-start,DNS,DNS+dialup,Response-delay,request-duration,bytes,status\n0.1,0,0,0.2,0.2,11,200\n",
    _SPAN,
    b"PAR1",
)
ANSWERS = ("access", "haproxy", "hey", "oha")
ALL = (
    "access",
    "columns",
    "gatling",
    "haproxy",
    "hey",
    "jtl",
    "k6",
    "locust",
    "oha",
    "otlp",
    "seatrial",
    "vegeta",
    "wrk",
)


def test_every_importer_is_found_by_its_declared_name() -> None:
    assert formats() == ("auto", *ALL)


@pytest.mark.parametrize("text", [head for head in GOOD_HEADS if b'"Metric"' not in head and head != b"PAR1"])
def test_only_our_own_log_tells_of_its_generator(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "log"
    path.write_bytes(text)
    imported = read(path)
    expected = ANSWERED_ALONE if imported.format in ANSWERS else ENDED_ALONE
    assert imported.tells == (EVERYTHING if imported.format == "seatrial" else expected)


def test_an_unknown_format_names_the_nearest() -> None:
    with pytest.raises(BadInput, match="unknown format 'vegetta'; did you mean 'vegeta'"):
        read(Path("log"), "vegetta")


def test_what_is_told_of_a_file_is_told_of_one_kind() -> None:
    with pytest.raises(BadInput, match="give one of them"):
        read(Path(__file__), told=Told(log_format="nginx", columns="sent=a"))


def test_a_file_of_no_known_kind_is_refused_with_its_first_line(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("Dear diary,\n")
    with pytest.raises(BadInput, match=r"notes\.txt:1: is no request log .* it begins with 'Dear diary,'"):
        read(path)


@pytest.mark.parametrize(
    ("content", "message"), [(None, "cannot be read: No such file"), (b"", "is empty"), (b"  \n", "is empty")]
)
def test_a_file_that_is_not_there_or_empty_is_refused(
    tmp_path: Path, content: bytes | None, message: str
) -> None:
    path = tmp_path / "log.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadInput, match=message):
        read(path)


def test_text_in_another_encoding_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes("intended,sent,ended,ok\n0.0,0.0,0.1,true\n".encode("utf-16"))
    with pytest.raises(BadInput, match=r"log\.csv: is UTF-16 text.*save it as UTF-8"):
        read(path)


def test_a_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        read(tmp_path)


def test_a_damaged_compressed_file_is_refused(tmp_path: Path) -> None:
    whole = gzip.compress(b"intended,sent,ended,ok\n" + b"0.0,0.0,0.1,true\n" * 20_000)
    path = tmp_path / "log.csv.gz"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadInput, match="cannot be read to its end"):
        read(path)


@given(
    head=st.sampled_from(GOOD_HEADS),
    position=st.integers(0, 300),
    cut=st.integers(0, 40),
    noise=st.binary(max_size=30)
    | st.sampled_from([b"\x00", b'"', b"\r\n\r\n", b"-", b"e308", b"<!DOCTYPE a>", b"NaN", b"0"]),
    again=st.integers(0, 3),
    wanted=st.sampled_from(["auto", *(name for name in ALL if name != "columns")]),
)
def test_no_file_makes_an_importer_fail_in_any_other_way(
    tmp_path_factory: pytest.TempPathFactory,
    head: bytes,
    position: int,
    cut: int,
    noise: bytes,
    again: int,
    wanted: str,
) -> None:
    path = tmp_path_factory.getbasetemp() / "mutated"
    position = min(position, len(head))
    path.write_bytes(head[:position] + noise + head[position + cut :] + head * again)
    try:
        imported = read(path, wanted)
    except BadInput as error:
        assert all(problem.location and problem.location.file == str(path) for problem in error.problems)
    else:
        assert len(imported.log) > 0


@pytest.mark.parametrize("name", ["haproxy", "gatling", "hey", "oha", "otlp", "access nginx"])
def test_the_order_of_the_lines_does_not_matter(tmp_path: Path, name: str) -> None:
    """Every third line of these is a failure: whatever stands where, bounds are those of the instants."""
    head, *lines = FORMATS[name].splitlines(keepends=True)
    if name in ("haproxy", "otlp", "access nginx"):
        head, lines = b"", [head, *lines]
    failures = (
        (b" 200 ", b" 503 "),
        (b",200", b",503"),
        (b"\tOK\t", b"\tKO\t"),
        (b'"kind":3', b'"status":{"code":2},"kind":3'),
    )
    for good, bad in failures:
        lines = [line if at % 3 else line.replace(good, bad) for at, line in enumerate(lines)]
    found = []
    for order in (lines, lines[::-1], lines[1::2] + lines[::2]):
        path = tmp_path / "log"
        path.write_bytes(head + b"".join(order))
        imported = read(path)
        measured = measure(imported.log, 2.0, 1.0, tells=imported.tells, exact=imported.exact)
        found.append([(each.perceived, each.bad) for each in measured.outages])
    assert found[0]
    assert found[0] == found[1] == found[2]
