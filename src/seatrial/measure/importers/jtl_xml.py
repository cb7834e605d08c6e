"""A JTL as XML: `<httpSample>` and `<sample>` elements, one inside the other.

    <sample rm="Number of samples in transaction : 2, …">    a transaction: what is inside counts
      <httpSample lb="Login">                                a request …
        <httpSample lb="Login-0"/>  <httpSample …/>          … its redirects and embedded files: part of it
      </httpSample>
      <httpSample lb="Search"/>
    </sample>

So a request is counted once, as in JMeter's CSV. The file is read as a stream, and needs no more memory than
its requests. JMeter writes no document type; one that is there could only define entities, which can grow
without bound, so such a file is refused.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NoReturn
from xml.parsers import expat

import numpy as np

from seatrial.measure.generator import ENDED_ALONE
from seatrial.measure.importers.delimited import status_codes
from seatrial.measure.importers.importer import CLOSED_LOOP, Imported, Source, without_schedule
from seatrial.measure.importers.jtl_samples import CUT, MILLISECONDS, inside_transaction, left_out
from seatrial.measure.importers.lined import Texts

_SAMPLES = ("httpSample", "sample")
_CHUNK = 1 << 20
_DEEPEST = 100  # samples in samples
_CUT_SHORT = (expat.errors.codes[expat.errors.XML_ERROR_NO_ELEMENTS],
              expat.errors.codes[expat.errors.XML_ERROR_UNCLOSED_TOKEN],
              expat.errors.codes[expat.errors.XML_ERROR_PARTIAL_CHAR])  # fmt: skip


@dataclass(slots=True)
class _Open:
    """A sample that has begun and not ended."""

    tag: str
    attributes: Mapping[str, str]
    line: int
    failure: str = ""
    holds_http: bool = False
    requests: list[_Open] = field(default_factory=list)  # inside it


class _Reader:
    """Collects requests while the parser goes through the file."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._open: list[_Open] = []
        self._text: list[str] = []
        self._seen_root = False
        self.sent_ms, self.elapsed_ms = array("d"), array("d")
        self.ok, self.lines = bytearray(), array("I")
        self.code, self.label, self.error, self.thread = (Texts() for _ in range(4))
        self.transactions = self.inside = self.parts = 0
        self.parser = parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.StartDoctypeDeclHandler = self._refuse_document_type

    def _refuse_document_type(self, *_: object) -> NoReturn:
        raise self._problem("declares a document type, which JMeter never does; it is not read")

    def _problem(self, message: str, line: int | None = None) -> Exception:
        return self._source.problem(message, line or self.parser.CurrentLineNumber)

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if not self._seen_root:
            if tag != "testResults":
                raise self._problem(f"begins with <{tag}>; a JTL begins with <testResults>")
            self._seen_root = True
        elif tag in _SAMPLES:
            if len(self._open) == _DEEPEST:
                raise self._problem(f"has more than {_DEEPEST} samples one inside the other")
            self._open.append(_Open(tag, attributes, self.parser.CurrentLineNumber))
        elif tag == "failureMessage":
            self.parser.CharacterDataHandler = self._text.append

    def _end(self, tag: str) -> None:
        if tag == "failureMessage":
            self.parser.CharacterDataHandler = None
            if self._open and not self._open[-1].failure:
                self._open[-1].failure = "".join(self._text).strip()
            self._text.clear()
        elif tag in _SAMPLES and self._open:
            self._close(self._open.pop())

    def _close(self, sample: _Open) -> None:
        """A transaction hands on what is inside it; a request swallows it."""
        inside = inside_transaction(sample.attributes.get("rm", ""))
        around = self._open[-1] if self._open else None
        if inside is not None or (sample.tag == "sample" and sample.holds_http):
            self.transactions += 1
            self.inside += inside or 0
            found = sample.requests
        else:
            self.parts += len(sample.requests)
            found = [sample]
        if around is None:
            for request in found:
                self._keep(request)
        else:
            around.requests += found
            around.holds_http |= any(request.tag == "httpSample" for request in found)

    def _keep(self, sample: _Open) -> None:
        attributes = sample.attributes
        self.sent_ms.append(self._number(sample, "ts"))
        self.elapsed_ms.append(self._number(sample, "t"))
        success = attributes.get("s", "")
        if success not in ("true", "false"):
            raise self._problem(f"<{sample.tag}>: s={success!r} is neither true nor false", sample.line)
        self.ok.append(success == "true")
        self.lines.append(sample.line)
        self.code.add(attributes.get("rc", ""))
        self.label.add(attributes.get("lb", ""))
        self.thread.add(attributes.get("tn", ""))
        self.error.add("" if success == "true" else sample.failure or attributes.get("rm", ""))

    def _number(self, sample: _Open, name: str) -> float:
        text = sample.attributes.get(name, "")
        try:
            return float(int(text))
        except (ValueError, OverflowError) as error:
            message = f"<{sample.tag}>: {name}={text[:40]!r} is not a number of milliseconds"
            raise self._problem(message, sample.line) from error


def read_xml(source: Source, format: str) -> Imported:  # noqa: A002  # what the record calls it
    """Read it. Raises BadInput with the line that is wrong."""
    reader = _Reader(source)
    cut_short = _parse(source, reader)
    lines = reader.lines
    sent = np.array(reader.sent_ms, dtype=np.float64) / 1000
    log = without_schedule(
        source,
        sent=sent,
        ended=sent + np.array(reader.elapsed_ms, dtype=np.float64) / 1000,
        ok=np.array(reader.ok, dtype=np.uint8).astype(np.bool_),
        status=status_codes(reader.code.column()),
        name=reader.label.column(),
        error=reader.error.column(),
        worker=reader.thread.column(),
        line_of=lambda row: int(lines[row]),
    )
    warnings = [CLOSED_LOOP, MILLISECONDS, *left_out(reader.transactions, reader.inside, len(log))]
    if reader.parts:
        warnings.append(
            f"{reader.parts:,} samples in requests (redirects, embedded files) are part of them, as in CSV"
        )
    if cut_short:
        warnings.append(
            f"the file breaks off at line {cut_short}, as when JMeter was killed; what was complete counts"
        )
    zero = float(np.min(sent, initial=np.inf))
    return Imported(log, format, ENDED_ALONE, tuple(warnings), exact=CUT, zero_unix_s=zero)


def _parse(source: Source, reader: _Reader) -> int | None:
    """Go through the file; the line at which it breaks off, None when it is whole."""
    try:
        with source.open() as stream:
            while chunk := stream.read(_CHUNK):
                reader.parser.Parse(chunk, False)
        reader.parser.Parse(b"", True)
    except expat.ExpatError as error:
        if error.code in _CUT_SHORT and reader.lines:
            return error.lineno
        why = expat.ErrorString(error.code)
        raise source.problem(f"is not well-formed XML: {why}", error.lineno) from error
    except (ValueError, LookupError) as error:  # an encoding that the parser does not know
        raise source.problem(f"cannot be read as XML: {error}", 1) from error
    return None
