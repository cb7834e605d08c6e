"""Gatling: its simulation.log, as versions wrote it that wrote text.

    REQUEST  [user]  groups  name  start  end  OK|KO  message

Which columns stand before the name has changed over the years, what stands around the verdict has not: so a
line is read from there. Tabs set them apart. Both instants are cut to a millisecond. A request that was under
way when the run was stopped has no line. Gatling injects users by schedule, but a user's later requests wait
for the earlier ones, and no instant is written at which one was due.
"""

from __future__ import annotations

import re

from seatrial.measure.generator import ENDED_ALONE
from seatrial.measure.importers.importer import CLOSED_LOOP, Imported, Importer, Source
from seatrial.measure.importers.lined import Rows, Texts
from seatrial.model.exactness import Exactness

_MILLISECOND = Exactness(sent_late_s=0.001, ended_late_s=0.001, took_s=0.001)
_ASSERTION = "ASSERTION"
_KINDS = ("RUN", "USER", "GROUP", _ASSERTION, "ERROR", "REQUEST")
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_BINARY = re.compile(rb"\x00{4}[\x03-\x14]\d+\.\d+")
_STATUS = re.compile(r"found (\d{3})")
_FEWEST = 6  # columns of a request
_ADVICE = (
    "is the binary log of a newer Gatling, which only Gatling reads; let its requests be logged by the "
    "service, or "
    "write one row a request as CSV and give --columns"
)


class GatlingImporter(Importer):
    """One line a request."""

    name = "gatling"

    def recognises(self, source: Source) -> bool:
        """A first line that tells of the run; or its binary form, which `read` refuses with advice."""
        if _BINARY.match(source.head):
            return True
        cells = source.first_line.split("\t")
        if cells[0] == _ASSERTION:  # of a simulation that has some, they stand before the line of the run
            return len(cells) == 2 and bool(_BASE64.fullmatch(cells[1]))
        return (cells[0] in _KINDS and len(cells) >= 3) or (len(cells) > 3 and cells[2] == "RUN")

    def read(self, source: Source) -> Imported:
        """Good is what Gatling calls OK: its checks held."""
        if _BINARY.match(source.head):
            raise source.problem(_ADVICE, 1)
        rows = Rows(name=Texts())
        for number, line in source.lines():
            cells = line.decode("utf-8", "replace").rstrip("\r\n").split("\t")
            if "REQUEST" in cells[:3]:
                _add(source, rows, cells, number)
            elif not any(kind in cells[:3] for kind in _KINDS) and any(cells):
                raise source.problem(
                    f"is no line of Gatling's simulation.log: {' '.join(cells)[:80]!r}", number
                )
        log = rows.log(source)
        warnings = (CLOSED_LOOP,)
        return Imported(
            log, self.name, ENDED_ALONE, warnings, exact=_MILLISECOND, zero_unix_s=rows.zero_unix_s
        )


def _add(source: Source, rows: Rows, cells: list[str], number: int) -> None:
    verdict = next((at for at, cell in enumerate(cells) if at >= 4 and cell in ("OK", "KO")), None)
    try:
        if verdict is None or len(cells) < _FEWEST:
            raise ValueError("a verdict, OK or KO, is missing")
        sent, ended = int(cells[verdict - 2]) / 1000, int(cells[verdict - 1]) / 1000
    except (ValueError, OverflowError) as error:
        raise source.problem(f"is no request of Gatling: {error}", number) from error
    message = " ".join(cells[verdict + 1 :]).strip()
    found = _STATUS.search(message)
    ok = cells[verdict] == "OK"
    rows.sent.append(sent)
    rows.ended.append(ended)
    rows.ok.append(ok)
    rows.status.append(int(found[1]) if found and not ok else 0)
    rows.line.append(number)
    rows.name.add(cells[verdict - 3])
    rows.error.add("" if ok else message or "KO")
    rows.served_by.add("")
