"""Anybody's request log, as the commands that read one do: what was told of it, what of it is wanted."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seatrial.model.problems import BadInput, CannotStore

if TYPE_CHECKING:  # they load arrays, which a help text does not need
    from seatrial.measure.importers import Imported
    from seatrial.measure.selection import Selection
    from seatrial.model.requestlog import RequestLog
    from seatrial.model.result import Measurement

LogFormat = Annotated[
    str,
    typer.Option(
        "--log-format",
        metavar="FORMAT",
        help="Of an access log: a format string of nginx or Apache, or nginx, apache, apache-common.",
    ),
]
Columns = Annotated[
    str,
    typer.Option(
        metavar="COLUMNS",
        help="Which columns of a CSV mean what: sent=start:ms,took=elapsed:ms,status=code,name=path.",
    ),
]
Since = Annotated[
    str, typer.Option(metavar="T", help="Measure from then on: a date, or a time from the first request.")
]
Until = Annotated[str, typer.Option(metavar="T", help="Measure until then.")]
NamePatterns = Annotated[
    list[str] | None,
    typer.Option("--name", metavar="NAME", help="Measure these requests alone: a name, * for anything."),
]
Statuses = Annotated[
    list[str] | None,
    typer.Option("--status", metavar="S", help="Measure these answers alone: 200, 5xx, 500-599, or !404."),
]


@dataclass(frozen=True, slots=True)
class MeasuredLog:
    """A log that was read, the part of it that was wanted, and what was measured of that."""

    path: Path
    imported: Imported
    selection: Selection
    log: RequestLog
    result: Measurement
    warnings: tuple[str, ...]

    @property
    def doubt(self) -> str:
        """Why nobody can vouch for the generator of the log; "" when the log shows that it did well."""
        from seatrial.measure import vouched_for

        offered = self.result.generator.offered_per_s
        interval_s = 1 / offered if offered else math.inf
        doubts = (
            self.imported.doubt,
            vouched_for(self.result.generator, interval_s, self.result.deadline_s),
        )
        return ", and ".join(filter(None, doubts))

    def document(self) -> dict[str, Any]:
        """What `--json` prints."""
        from seatrial.measure.selection import instant_of
        from seatrial.report.verdictfile import measured_document

        return {
            "log": str(self.path),
            "format": self.imported.format,
            "warnings": self.warnings,
            "zero_at": instant_of(self.imported.zero_unix_s, self.imported.zoned),
            "selection": self.selection.document(),
            **measured_document(self.result),
        }

    def write_report(self, to: Path) -> Path:
        """Write the HTML report. Raises CannotStore."""
        from seatrial.measure.selection import instant_of
        from seatrial.report.logreport import log_report

        asked = _asked(self.selection)
        text = log_report(
            self.path.name,
            self.imported.format,
            self.log,
            self.result,
            (*((f"measured with {asked}",) if asked else ()), *self.warnings),
            zero_at=instant_of(self.imported.zero_unix_s, self.imported.zoned) or "",
            doubt=self.doubt,
        )
        try:
            to.write_text(text, encoding="utf-8")
        except OSError as error:
            raise CannotStore(f"{to}: cannot be written: {error.strerror}") from error
        return to


def spans(deadline: str, settle: str) -> tuple[float, float]:
    """Deadline and settle time in seconds. Raises BadInput."""
    from seatrial.cli.terms import seconds_of

    return seconds_of("--deadline", deadline, positive=True), seconds_of("--settle", settle)


def measured_log(
    path: Path,
    format_: str,
    deadline_s: float,
    settle_s: float,
    *,
    log_format: str = "",
    columns: str = "",
    since: str = "",
    until: str = "",
    names: list[str] | None = None,
    statuses: list[str] | None = None,
) -> MeasuredLog:
    """Read and measure it. Raises BadInput, also when nothing of it is wanted."""
    from seatrial.cli.waiting import Waiting
    from seatrial.measure import measure
    from seatrial.measure.importers import Told, read
    from seatrial.measure.importers.compressed import followed
    from seatrial.measure.selection import Moment, Selection
    from seatrial.model.figures import count

    selection = Selection(
        since=Moment.parse("--since", since) if since else None,
        until=Moment.parse("--until", until) if until else None,
        names=tuple(names or ()),
        statuses=tuple(statuses or ()),
    )
    with Waiting(f"reading {path}") as waiting, followed(waiting.at):
        imported = read(path, format_, Told(log_format, columns))
    log = selection.of(imported.log)
    window = selection.window(imported.zero_unix_s, imported.zoned)
    with Waiting(f"measuring {count(len(log))} requests"):
        result = measure(log, deadline_s, settle_s, *window, tells=imported.tells, exact=imported.exact)
    if not result.requests:
        raise BadInput(f"{path}: no request is left by what was asked for: {_asked(selection)}")
    warnings = (*imported.warnings, *selection.said(len(log), len(imported.log)))
    return MeasuredLog(path, imported, selection, log, result, warnings)


def _asked(selection: Selection) -> str:
    asked = {f"--{key.removesuffix('s')}": value for key, value in selection.document().items() if value}
    return ", ".join(f"{key.replace('--statuse', '--status')} {value}" for key, value in asked.items())
