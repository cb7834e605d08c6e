"""OpenTelemetry: spans of HTTP clients in OTLP/JSON, one export a line (the Collector's file exporter).

    {"resourceSpans": [{"resource": …, "scopeSpans": [{"spans": [{"kind": 3, "name": …,
      "startTimeUnixNano": "…", "endTimeUnixNano": "…", "status": …, "attributes": […]}]}]}]}

A client's span goes from when it asked to when it had its answer, by its own clock: that is what a client
saw, and when the request was due is not told. Where a file has no client's spans, those of servers are read,
which see no request that never reached them (`lined.SERVER_SIDE`). Spans inside a process are no requests.

The canonical reader (opentelemetry-proto) takes identifiers for base64, which OTLP/JSON writes in
hexadecimal; so the few fields are read as plain JSON. Instants are nanoseconds, which a float holds to 0.3
µs; but not every SDK has a clock of them. That of Node.js cuts a start to a millisecond and adds what a
monotonic clock measured (seen with sdk-trace-node 2.12: starts end in six zeros, ends do not), so that both
are up to a millisecond early. What all starts of a service, and all its ends, are whole multiples of is
taken for the resolution of its clock.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from seatrial.measure.generator import ANSWERED_ALONE, ENDED_ALONE
from seatrial.measure.importers.importer import CLOSED_LOOP, Imported, Importer, Source
from seatrial.measure.importers.lined import SERVER_SIDE, Names, Rows
from seatrial.model.exactness import Exactness

_KEYS = (b'"resourceSpans"', b'"resource_spans"')
_KINDS = {2: "server", "SPAN_KIND_SERVER": "server", 3: "client", "SPAN_KIND_CLIENT": "client"}
_FAILED = (2, "STATUS_CODE_ERROR")
_STATUS_KEYS = ("http.response.status_code", "http.status_code")
_METHOD_KEYS = ("http.request.method", "http.method")
_SAMPLED = (
    "spans may be sampled: what was not kept is not in this log, so counts and rates are those of the "
    "sample, and an "
    "outage between two kept requests is only bounded by them"
)
_NO_CLIENTS = "no span is a client's; those of servers were read"
_CLIENTS_ALONE = "{:,} spans of servers were left out: those of clients were read"
_FLOAT_S = 3e-7  # what a float holds of an instant since 1970
_RESOLUTIONS_NS = (1_000_000_000, 1_000_000, 1_000)  # of clocks that are not as fine as what they write
_URLS = ("url.full", "http.url")  # what clients know; a path alone and a route is what servers know


class OtlpImporter(Importer):
    """One row a span."""

    name = "otlp"

    def recognises(self, source: Source) -> bool:
        """A JSON object with the key that every export begins with."""
        return source.first_line.startswith("{") and any(key in source.head for key in _KEYS)

    def read(self, source: Source) -> Imported:
        """Good is a span without the status Error whose answer is below 400, or below 500 for a server."""
        found = _Found()
        for number, record in source.records():
            try:
                for service, span in _spans(record):
                    found.add(service, span, number)
            except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
                raise source.problem(f"is no export of spans: {error!r}", number) from error
        clients = bool(len(found.rows["client"]))
        kind = "client" if clients else "server"
        rows = found.rows[kind]
        if not len(rows):
            raise source.problem("holds no span of an HTTP client or server (kind 3 or 2), so no request")
        log = rows.log(source)
        said: tuple[str, ...] = (CLOSED_LOOP, _SAMPLED) if clients else (_NO_CLIENTS, SERVER_SIDE, _SAMPLED)
        if clients and len(found.rows["server"]):
            said = (*said, _CLIENTS_ALONE.format(len(found.rows["server"])))
        tells = ENDED_ALONE if clients else ANSWERED_ALONE
        return Imported(
            log, self.name, tells, said, exact=found.exactness(kind), zero_unix_s=rows.zero_unix_s
        )


@dataclass(slots=True)
class _Found:
    """The spans that were read, by who wrote them."""

    rows: dict[str, Rows] = field(default_factory=lambda: {"client": Rows(), "server": Rows()})
    clocks: dict[tuple[str, str], _Clock] = field(default_factory=dict)  # by kind and service

    def add(self, service: str, span: dict[str, Any], number: int) -> None:
        kind = _KINDS.get(span.get("kind", 0))
        attributes = _attributes(span)
        method = next((str(attributes[key]) for key in _METHOD_KEYS if key in attributes), None)
        if kind is None or method is None:
            return
        status = next((int(attributes[key]) for key in _STATUS_KEYS if key in attributes), 0)
        told = span.get("status") or {}
        failed = told.get("code", 0) in _FAILED or status >= (400 if kind == "client" else 500)
        rows = self.rows[kind]
        began, ended = int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"])
        self.clocks.setdefault((kind, service), _Clock()).saw(began, ended)
        rows.sent.append(began / 1e9)
        rows.ended.append(ended / 1e9)
        rows.ok.append(not failed)
        rows.status.append(min(max(status, 0), 999))
        rows.line.append(number)
        assert isinstance(rows.name, Names)
        rows.name.add(_name(span, attributes, method))
        error = str(
            attributes.get("error.type") or told.get("message") or (f"HTTP {status}" if status else "error")
        )
        rows.error.add(error if failed else "")
        rows.served_by.add("")
        rows.worker.add(service)

    def exactness(self, kind: str) -> Exactness:
        """Of the coarsest clock among the services whose spans of a kind were read."""
        clocks = [clock for (of, _), clock in self.clocks.items() if of == kind]
        sent_s, ended_s = max(each.sent_s for each in clocks), max(each.ended_s for each in clocks)
        return Exactness(
            sent_early_s=_FLOAT_S,
            sent_late_s=_FLOAT_S + sent_s,
            ended_early_s=_FLOAT_S,
            ended_late_s=_FLOAT_S + ended_s,
            took_s=2 * _FLOAT_S + max(sent_s, ended_s),
        )


@dataclass(slots=True)
class _Clock:
    """How finely the clock of a service tells instants, from the largest number that divides them all."""

    starts_ns: int = 0
    ends_ns: int = 0

    def saw(self, began_ns: int, ended_ns: int) -> None:
        self.starts_ns = math.gcd(self.starts_ns, began_ns)
        self.ends_ns = math.gcd(self.ends_ns, ended_ns)

    @property
    def sent_s(self) -> float:
        """By how much a start was cut."""
        return _resolution_s(self.starts_ns)

    @property
    def ended_s(self) -> float:
        """By how much an end is early: one that is finer than its start was reckoned from that."""
        own_s = _resolution_s(self.ends_ns)
        return own_s if own_s >= self.sent_s else self.sent_s + own_s


def _resolution_s(divisor_ns: int) -> float:
    return next((each / 1e9 for each in _RESOLUTIONS_NS if divisor_ns % each == 0), 0.0)


def _spans(record: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every span of an export, and the service that it is of."""
    for resource in record.get("resourceSpans") or record.get("resource_spans") or ():
        service = str(_attributes(resource.get("resource") or {}).get("service.name", ""))
        for scope in resource.get("scopeSpans") or resource.get("instrumentationLibrarySpans") or ():
            for span in scope.get("spans") or ():
                yield service, span


def _attributes(holder: dict[str, Any]) -> dict[str, Any]:
    """Its attributes by name: `{"key": "http.method", "value": {"stringValue": "GET"}}`."""
    return {
        str(each["key"]): next(iter((each.get("value") or {}).values()), "")
        for each in holder.get("attributes") or ()
    }


def _name(span: dict[str, Any], attributes: dict[str, Any], method: str) -> str:
    """The span's own name, by convention method and route; with the path where it is the method alone."""
    name = str(span.get("name", ""))
    path = next(
        (attributes[key] for key in ("http.route", "url.path", "http.target") if attributes.get(key)), ""
    )
    path = path or next(
        (urlsplit(str(attributes[key])).path or "/" for key in _URLS if attributes.get(key)), ""
    )
    return f"{method} {path}" if name in ("", method, f"HTTP {method}") and path else name
