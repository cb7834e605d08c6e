"""Request logs of every format, and what can happen to a file: bytes lost, changed, doubled, cut, mixed."""

from __future__ import annotations

import gzip
import io
import json
import random
from dataclasses import dataclass, field
from pathlib import Path

from tests.support import oracle
from tests.support.oracle import Row

from seatrial import columnar
from seatrial.cli.figures import measured_table
from seatrial.measure import measure
from seatrial.measure.importers import read
from seatrial.model.problems import BadInput
from seatrial.report.verdictfile import measured_document

_EPOCH_MS = 1767225600000
_ROWS = range(12)


def _own() -> list[Row]:
    return [Row(i / 10, i / 10 + 0.001, None if i == 7 else i / 10 + 0.02, ok=i not in (5, 7)) for i in _ROWS]


def _parquet() -> bytes:
    written = io.BytesIO()
    columnar.write(columnar.table_of(oracle.log_of(_own())), written)
    return written.getvalue()


def _csv(header: str, row: str, delimiter: str = ",") -> bytes:
    lines = [
        *([header] if header else []),
        *(row.format(ms=_EPOCH_MS + 100 * i, s=i / 10, i=i) for i in _ROWS),
    ]
    return ("\n".join(lines).replace(",", delimiter) + "\n").encode()


def _xml() -> bytes:
    sample = '<httpSample t="12" ts="{}" s="true" lb="Home" rc="200" rm="OK" tn="1"/>\n'
    sums = 'rm="Number of samples in transaction : 1, number of failing samples : 0"'
    around = f'<sample t="12" ts="{_EPOCH_MS}" s="true" lb="Buy" {sums}>\n{{}}</sample>\n'
    samples = (sample.format(_EPOCH_MS + 100 * i) for i in _ROWS)
    body = "".join(around.format(each) if i % 3 else each for i, each in enumerate(samples))
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<testResults version="1.2">\n{body}</testResults>\n'.encode()


def _k6_json() -> bytes:
    point = '{{"metric":"http_req_{}","type":"Point","data":{{"time":"2026-01-01T00:00:0{}.5Z","value":{},"tags":{{"status":"200"}}}}}}\n'
    return "".join(
        point.format(metric, i % 10, value)
        for i in _ROWS
        for metric, value in (("duration", 20), ("blocked", 1))
    ).encode()


_JTL = "timeStamp,elapsed,label,responseCode,responseMessage,threadName,dataType,success,failureMessage,bytes"
_HAPROXY = (
    "Nov 29 01:02:03 lb haproxy[7]: 10.0.0.1:8{i} [01/Jan/2026:00:00:{i:02}.5{i:02}] web~ app/a 0/0/1/2/30 200 9 - - ---- "
    '1/1/1/1/0 0/0 {{curl|x}} "GET /orders/{i}?a=1 HTTP/1.1"'
)
_COMMON = '10.0.0.1 - - [01/Jan/2026:00:00:{i:02} +0100] "GET /orders/{i} HTTP/1.1" 200 12'
_SPAN = (
    '{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"kind":3!"name":"GET /"!"startTimeUnixNano":"{ms}000000"!'
    '"endTimeUnixNano":"{ms}500000"!"attributes":[{{"key":"http.method"!"value":{{"stringValue":"GET"}}}}]}}]}}]}}]}}'
)
FORMATS = {
    "seatrial": _csv("intended,sent,ended,ok,name", "{s},{s},{s}5,true,GET /"),
    "parquet": _parquet(),
    "jtl": _csv(_JTL, '{ms},12,Home,200,"OK\nindeed",Users 1-1,text,true,,3'),
    "jtl dates": _csv(_JTL, "2026/01/01 00:00:{i:02}.000,12,Home,200,OK,Users 1-1,text,true,,3", "|"),
    "jtl without header": _csv("", "{ms},12,Home,200,OK,Users 1-1,text,true,,3,3,1,1,null,1,0,1", "\t"),
    "jtl xml": _xml(),
    "k6 csv": _csv("metric_name,timestamp,metric_value,name,status", "http_req_duration,{ms},20,/,200"),
    "k6 json": _k6_json(),
    "vegeta csv": _csv("", "{ms}000000,200,1500000,0,3,,b2s=,run,{i},GET,http://127.0.0.1/,"),
    "vegeta json": _csv("", '{{"attack":"run"!"seq":{i}!"code":200!"timestamp":"2026-01-01T00:00:00Z"!"latency":1500000}}')
    .replace(b"!", b","),
    "locust": _csv("start_time,response_time,name,exception", "{ms}e-3,1.5,/,"),
    "haproxy": _csv("", _HAPROXY),
    "access common": _csv("", _COMMON),
    "access combined": _csv("", _COMMON + ' "-" "curl/8 \\"x\\""'),
    "access nginx": _csv("", _COMMON + ' "-" "curl/8" 0.00{i} 0.002'),
    "gatling": _csv("RUN!Basic!basic!1!!3.9.5", "REQUEST!!home!{ms}!{ms}!OK! ").replace(b"!", b"\t"),
    "hey": _csv("response-time,DNS,status-code,offset", "0.0012,0,200,{s}"),
    "oha": _csv("request-start,DNS,request-duration,bytes,status", "{s},0,0.002,11,200"),
    "otlp": _csv("", _SPAN).replace(b"!", b","),
    "gzip": gzip.compress(_csv(_JTL, "{ms},12,Home,200,OK,Users 1-1,text,true,,3")),
}  # fmt: skip
_NOISE = (b"\x00", b"\xff", b'"', b"\n", b"\r\n\r\n", b"-", b"e308", b"1e999", b"NaN", b"inf", b"null", b",", b";", b"|", b"\t",
          b"<!DOCTYPE a>", b"</", b"{", b"}", b"[]", b"9" * 30, b"\xef\xbb\xbf", b"<sample>", b" ")  # fmt: skip


def mutated(format: str, seed: int) -> bytes:  # noqa: A002  # what users call it
    """One to four changes to a whole file of `format`, the same for the same seed."""
    chance = random.Random(f"{format} {seed}")
    data = FORMATS[format]
    for _ in range(chance.randint(1, 4)):
        data = _changed(data, chance)
    return data


def _changed(data: bytes, chance: random.Random) -> bytes:
    return chance.choice((_bytes, _lines))(data, chance)


def _bytes(data: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(data) + 1)
    end = min(len(data), start + chance.randint(0, 40))
    match chance.randrange(4):
        case 0:
            return data[:start] + chance.choice(_NOISE) + data[start:]
        case 1:
            return data[:start] + chance.choice(_NOISE) + data[end:]
        case 2:
            return data[:start] + chance.randbytes(end - start) + data[end:]
        case _:
            return data[:start]


def _lines(data: bytes, chance: random.Random) -> bytes:
    lines = data.splitlines(keepends=True) or [b""]
    line = chance.randrange(len(lines))
    match chance.randrange(4):
        case 0:
            return b"".join(lines[:line] + lines[line + 1 :])
        case 1:
            return b"".join([*lines, *lines[line:]])
        case 2:
            others = chance.choice([*FORMATS.values()]).splitlines(keepends=True)
            return b"".join([*lines[:line], *others[: chance.randint(1, 3)], *lines[line:]])
        case _:
            return b"".join(chance.sample(lines, len(lines)))


@dataclass
class Outcome:
    """What became of damaged files. `wrong`: what happened that may not, by format and seed."""

    measured: int = 0
    refused: int = 0
    wrong: list[str] = field(default_factory=list)


def run_campaign(path: Path, format: str, count: int) -> Outcome:  # noqa: A002  # what users call it
    """Measure `count` damaged files of a format: each has a measurement, or a line that names it."""
    outcome = Outcome()
    for seed in range(count):
        path.write_bytes(mutated(format, seed))
        try:
            imported = read(path)
            measured = measure(imported.log, 2.0, 1.0, tells=imported.tells, exact=imported.exact)
            json.dumps(measured_document(measured), allow_nan=False)
            measured_table(measured, "")
            outcome.measured += 1
        except BadInput as error:
            outcome.refused += 1
            (problem,) = error.problems
            if (
                problem.location is None
                or problem.location.file != str(path)
                or len(str(error).splitlines()) != 1
            ):
                outcome.wrong.append(f"{format} {seed}: {error}")
        except Exception as error:  # whatever it is, the campaign goes on and tells of it
            outcome.wrong.append(f"{format} {seed}: {error!r}")
    return outcome
