"""A million lines of each format: how long reading and measuring take, how much memory, and the bounds.

Two outages are planted: five seconds of answers that are 503, and three in which nothing is logged. Each log is
read in a process of its own, because a process's peak memory only ever grows. Printed, not asserted, but for the
bounds: `missed` names the logs that do not hold the truth.

python -m tests.bench.bench_importers [lines] [format …]
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

PER_SECOND = 2000
ERRORS, SILENCE = (60.0, 65.0), (100.0, 103.0)
ZERO = datetime(2026, 1, 1, tzinfo=UTC)
ZERO_MS = int(ZERO.timestamp() * 1000)

_READING = """
import json, resource, sys, time
from pathlib import Path
from seatrial.measure import measure
from seatrial.measure.importers import Told, read
started = time.perf_counter()
imported = read(Path(sys.argv[1]), told=Told(*sys.argv[2:4]))
read_s = time.perf_counter()
found = measure(imported.log, 2.0, 1.0, tells=imported.tells, exact=imported.exact)
done_s = time.perf_counter()
whole = max(found.outages, key=lambda outage: outage.bad)
print(json.dumps({
    "format": imported.format, "requests": found.requests, "read_s": read_s - started, "measure_s": done_s - read_s,
    "cpu_s": time.process_time(), "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    "perceived": [whole.perceived.lower_s, whole.perceived.upper_s],
    "server": [whole.server.lower_s, whole.server.upper_s],
    "silences": [[0.0, silence.upper_s] for silence in found.silences],
    "gap": [found.completion_gap.lower_s, found.completion_gap.upper_s],
}))
"""


@dataclass(frozen=True, slots=True)
class Hit:
    """A request of the planted log: when it came, how long it took, and its answer."""

    number: int
    at_s: float
    took_s: float
    status: int

    @property
    def at_ms(self) -> int:
        return ZERO_MS + int(self.at_s * 1000)

    @property
    def end_s(self) -> float:
        return self.at_s + self.took_s


def hits(lines: int) -> Iterator[Hit]:
    """Evenly spaced, 1 to 8 ms long."""
    for number in range(lines):
        at_s = number / PER_SECOND
        if not SILENCE[0] <= at_s < SILENCE[1]:
            failing = ERRORS[0] <= at_s < ERRORS[1]
            yield Hit(number, at_s, 0.001 + number % 8 / 1000, 503 if failing else 200)


def _clf(at_s: float, fraction: bool = False) -> str:
    date = ZERO + timedelta(seconds=at_s)
    cut = f".{date.microsecond // 1000:03}" if fraction else ""
    return f"{date:%d/%b/%Y:%H:%M:%S}{cut}"


def _haproxy(hit: Hit) -> str:
    ending, took_ms = "----" if hit.status == 200 else "SC--", int(hit.took_s * 1000)
    return (
        f"Jan  1 00:00:00 lb haproxy[7]: 10.0.0.1:{hit.number % 60000} [{_clf(hit.at_s, True)}] web app/a "
        f"0/0/0/{took_ms}/{took_ms} {hit.status} 917 - - {ending} 1/1/1/1/0 0/0 "
        f'"GET /orders/{hit.number}?a=1 HTTP/1.1"'
    )


def _common(hit: Hit, at_s: float) -> str:
    return f'10.0.0.1 - - [{_clf(at_s)} +0000] "GET /orders/{hit.number} HTTP/1.1" {hit.status} 917'


def _gatling(hit: Hit) -> str:
    verdict = "OK\t " if hit.status == 200 else "KO\tstatus.find.is(200), but actually found 503"
    return f"REQUEST\t\torder {hit.number % 9}\t{hit.at_ms}\t{ZERO_MS + int(hit.end_s * 1000)}\t{verdict}"


def _span(hit: Hit) -> str:
    begin, end = (ZERO_MS * 1_000_000 + int(at_s * 1e9) for at_s in (hit.at_s, hit.end_s))
    status = {"key": "http.response.status_code", "value": {"intValue": str(hit.status)}}
    method = {"key": "http.request.method", "value": {"stringValue": "GET"}}
    span = {"kind": 3, "name": f"GET /{hit.number % 9}", "startTimeUnixNano": str(begin),
            "endTimeUnixNano": str(end), "attributes": [method, status]}  # fmt: skip
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]})


def _jtl(hit: Hit) -> str:
    answer = f"order,{hit.status},,{str(hit.status == 200).lower()}"
    return f"{hit.at_ms},{int(hit.took_s * 1000)},{answer}"


def _vegeta(hit: Hit) -> str:
    at_ns, took_ns = ZERO_MS * 1_000_000 + int(hit.at_s * 1e9), int(hit.took_s * 1e9)
    return f"{at_ns},{hit.status},{took_ns},0,9,,b2s=,run,{hit.number},GET,http://127.0.0.1/,"


def _k6(hit: Hit) -> str:
    end_us, took_ms = ZERO_MS * 1000 + int(hit.end_s * 1e6), hit.took_s * 1000
    return f"http_req_duration,{end_us},{took_ms},/,{hit.status}"


Line = Callable[[Hit], str]
FORMATS: dict[str, tuple[str, Line, tuple[str, str]]] = {  # its head, a line, and what is told: format, columns
    "haproxy": ("", _haproxy, ("", "")),
    "access combined": ("", lambda hit: f'{_common(hit, hit.end_s)} "-" "curl/8"', ("", "")),
    "access nginx": ("", lambda hit: f'{_common(hit, hit.end_s)} "-" "curl/8" {hit.took_s:.3f}', ("", "")),
    "access apache": ("", lambda hit: f"{_common(hit, hit.at_s)} {int(hit.took_s * 1e6)}", ('%h %l %u %t "%r" %>s %b %D', "")),
    "gatling": (f"RUN\tBasic\tbasic\t{ZERO_MS}\t \t3.9.5", _gatling, ("", "")),
    "hey": ("response-time,DNS,status-code,offset", lambda hit: f"{hit.took_s:.4f},0,{hit.status},{hit.at_s:.4f}", ("", "")),
    "oha": ("request-start,request-duration,status", lambda hit: f"{hit.at_s:.9f},{hit.took_s:.9f},{hit.status}", ("", "")),
    "otlp": ("", _span, ("", "")),
    "columns": ("at,took,code", lambda hit: f"{hit.at_ms},{hit.took_s},{hit.status}", ("", "sent=at:ms,took=took,status=code")),
    "jtl": ("timeStamp,elapsed,label,responseCode,responseMessage,success", _jtl, ("", "")),
    "vegeta": ("", _vegeta, ("", "")),
    "k6": ("metric_name,timestamp,metric_value,name,status", _k6, ("", "")),
}  # fmt: skip


def write(path: Path, name: str, lines: int) -> tuple[str, str]:
    """The planted log in a format; what is to be told of it."""
    head, line, told = FORMATS[name]
    with path.open("w", encoding="utf-8") as file:
        if head:
            file.write(f"{head}\n")
        file.writelines(f"{line(hit)}\n" for hit in hits(lines))
    return told


def holds(found: Mapping[str, Any]) -> bool:
    """Whether the planted outages lie in the bounds that were found."""
    errors_s, silence_s = ERRORS[1] - ERRORS[0], SILENCE[1] - SILENCE[0]
    spans = (found["perceived"], found["server"], (0.0, found["gap"][1]))
    inside = all(low <= errors_s <= high for low, high in spans)
    return inside and all(high >= silence_s for _, high in found["silences"])


def main() -> int:
    """Exit 0 if every log's bounds hold the truth."""
    lines = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    missed = []
    with tempfile.TemporaryDirectory() as directory:
        for name in sys.argv[2:] or FORMATS:
            path = Path(directory) / "log"
            told = write(path, name, lines)
            command = [sys.executable, "-c", _READING, str(path), *told]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            found = json.loads(done.stdout)
            missed += [] if holds(found) else [name]
            print(json.dumps({"log": name, "mib": round(path.stat().st_size / 2**20), **found}))  # noqa: T201  # its output
    print(json.dumps({"missed": missed}))  # noqa: T201
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
