"""HAProxy: its HTTP log (`option httplog`), plain or behind whatever syslog puts before it.

    … haproxy[7]: 10.0.1.2:33317 [06/Feb/2026:12:14:14.655] web app/a 10/0/30/69/109 200 2750 - - ---- …
                                 └ the request's first byte           └ TR/Tw/Tc/Tr/Ta └ status   └ ending

**Instants.** The date is when the first byte of the request was there, the last of the five times how long it
took from then to the last byte of the answer, both cut to a millisecond. So sent is in [date, date + 1 ms),
and ended, which is sent* + Ta*, in [date + Ta, date + Ta + 2 ms).

**Good** is an answer below 500. How a session ended stands in two letters; the first says who ended it. `C`
and `c` are the client: it went away or fell silent. With an answer under way the service did work, and such a
request counts as good. Before that nobody knows what would have come, and it counts as bad by the client's
own doing: in upper bounds, never in lower ones. A request that was never whole (`<BADREQ>`) says nothing, and
is left out.

A date without a zone is the local time of the machine. `%trl` and `%trg` in a `log-format` write one, and
whole seconds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from seatrial.measure.generator import ANSWERED_ALONE
from seatrial.measure.importers.importer import Imported, Importer, Source
from seatrial.measure.importers.lined import SERVER_SIDE, Dates, Rows, zones
from seatrial.model.exactness import Exactness
from seatrial.model.ownfailure import CLIENT

_DATE = r"\[(\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d)(\.\d{3})?( [+-]\d{4})?\] "
_SESSION = re.compile(
    r"(?:^|[\s\]>])\S+:\d+ " + _DATE + r"\S+ (?P<backend>[^\s/]*)/(?P<server>\S+) "
    r"[+-]?\d+/[+-]?\d+/[+-]?\d+/[+-]?\d+/(?P<early>\+?)(?P<took>-?\d+) (?P<status>-?\d+) \+?\d+ "
    r"\S+ \S+ (?P<ending>[A-Za-z-]{4}) \d+/\d+/\d+/\d+/\+?\d+ \d+/\d+ (?:\{.*\} )?\"(?P<request>[^\"]*)"
)
_TCP = re.compile(
    r"\S+:\d+ " + _DATE + r"\S+ \S+ -?\d+/-?\d+/\+?\d+ \+?\d+ [A-Za-z-]{2} \d+/\d+/\d+/\d+/\+?\d+ \d+/\d+"
)
_BROKEN = re.compile(r"\S+:\d+ " + _DATE + r"\S+: \S")  # a connection that never became a request
_OTHER_PROGRAM = re.compile(r"^(?:<\d+>)?[A-Z0-9][^\"]{14,80}? (?!haproxy)[A-Za-z][\w./-]*(?:\[\d+\])?: ")
_EVENT = re.compile(
    r"(?:^|: |\) ?: ?|- - - )(?:\[\w+\]\s+\(\d+\) : |Proxy |Server |Backup Server |backend |Health check "
    r"|Connect from |"
    r"Stopping |Pausing |Enabling |Loading |New (?:program|worker|process)|Former "
    r"|Reexec|Exiting|\[(?:NOTICE|WARNING|ALERT)\])"
)
_NO_REQUEST = "<BADREQ>"
_MILLISECOND = Exactness(sent_late_s=0.001, ended_late_s=0.002, took_s=0.001)
_SECOND = Exactness(sent_late_s=1.0, ended_late_s=1.001, took_s=0.001)
_TCP_LOG = (
    "is HAProxy's log of TCP connections, which does not tell requests from each other; set `option httplog`"
)
_WHOLE_SECONDS = "the dates of this log are whole seconds; every bound is as much wider"


@dataclass(slots=True)
class _Reading:
    """What has been read so far, and what was left out."""

    rows: Rows = field(default_factory=Rows)
    dates: Dates = field(default_factory=Dates)
    coarse: bool = False
    early: int = 0  # logged before they were over
    left_out: dict[str, int] = field(default_factory=dict)

    def leave_out(self, what: str) -> None:
        self.left_out[what] = self.left_out.get(what, 0) + 1


class HaproxyImporter(Importer):
    """One line a request, in the order in which they ended."""

    name = "haproxy"

    def recognises(self, source: Source) -> bool:
        """A line of its HTTP or TCP log among the first."""
        return any(_SESSION.search(line) or _TCP.search(line) for line in _first_lines(source))

    def read(self, source: Source) -> Imported:
        """Lines about HAProxy itself, and those of other programs, are left out and counted."""
        reading = _Reading(Rows.of(source.told))
        for number, line in source.lines():
            text = line.decode("utf-8", "replace")
            found = _SESSION.search(text)
            if found is None:
                _no_request(source, reading, text, number)
            else:
                _add(source, reading, found, number)
        log = reading.rows.log(source)
        warnings = (SERVER_SIDE, *zones(reading.dates, source), *_said(reading))
        exact = _SECOND if reading.coarse else _MILLISECOND
        zero = reading.rows.zero_unix_s
        return Imported(
            log,
            self.name,
            ANSWERED_ALONE,
            warnings,
            exact=exact,
            zero_unix_s=zero,
            zoned=reading.dates.zoned,
        )


def _first_lines(source: Source) -> list[str]:
    return source.head[:16_384].decode("utf-8", "replace").splitlines()[:40]


def _no_request(source: Source, reading: _Reading, text: str, number: int) -> None:
    """A line that tells of no request. Raises BadInput for one that is not known either."""
    if not text.strip():
        return
    if _TCP.search(text):
        raise source.problem(_TCP_LOG, number)
    if _BROKEN.search(text):
        reading.leave_out("connections that never became a request")
    elif _EVENT.search(text):
        reading.leave_out("lines about HAProxy itself")
    elif _OTHER_PROGRAM.match(text):
        reading.leave_out("lines of other programs")
    else:
        raise source.problem(
            f"is no line of HAProxy's HTTP log (option httplog): {text.strip()[:80]!r}", number
        )


def _add(source: Source, reading: _Reading, found: re.Match[str], number: int) -> None:
    date, fraction, zone, _backend, server, early, took, status, ending, request = found.groups()
    if request == _NO_REQUEST:
        reading.leave_out("requests that were never whole")
        return
    try:
        sent = reading.dates.seconds(f"{date}{zone}" if zone else date)
    except ValueError as error:
        raise source.problem(str(error), number) from error
    if fraction is None:
        reading.coarse = True
    else:
        sent += float(fraction)
    reading.early += bool(early)
    code = min(max(int(status), 0), 999)
    why = _error(code, ending)
    rows = reading.rows
    rows.sent.append(sent)
    rows.ended.append(sent + max(int(took), 0) / 1000)
    rows.ok.append(not why)
    rows.status.append(code)
    rows.line.append(number)
    rows.name.add(request)
    rows.error.add(why)
    rows.served_by.add("" if server == "<NOSRV>" else f"{found['backend']}/{server}")


def _error(status: int, ending: str) -> str:
    """Why a request is not good; "" if it is."""
    by_client = ending[0] in "Cc"
    if by_client and (ending[1] not in "DL" or not 100 <= status < 500):
        return f"{CLIENT}went away before an answer ({ending})"
    if 100 <= status < 500 and (by_client or ending[0] in "-L" or ending[:2] == "PR"):
        return ""
    return f"HTTP {status} ({ending})" if status else f"no answer ({ending})"


def _said(reading: _Reading) -> Iterator[str]:
    if reading.coarse:
        yield _WHOLE_SECONDS
    for what, count in reading.left_out.items():
        yield f"{count:,} {what} were left out"
    if reading.early:
        yield f"{reading.early:,} requests were logged before they were over (logasap), and took longer"
