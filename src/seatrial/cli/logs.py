"""Anybody's request log, as the commands that read one do: what was told of it, what of it is wanted."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from seatrial.cli.terms import place_of, seconds_of
from seatrial.model.problems import BadInput, CannotStore

if TYPE_CHECKING:  # they load arrays, which a help text does not need
    from seatrial.measure.importers import Imported
    from seatrial.measure.selection import Selection
    from seatrial.model.requestlog import RequestLog
    from seatrial.model.result import Measurement


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


def reads_log(command: Callable[..., None]) -> Callable[..., None]:
    """A command that reads a log: it asks for what `measured_log` wants, and for what it wants besides.

    `command` is given the log as it was measured, and then its own options.
    """
    own = _options(command)[1:]
    shared = _options(measured_log)

    @wraps(command)
    def reading(**asked: Any) -> None:
        others = {each.name: asked.pop(each.name) for each in own}
        command(measured_log(**asked), **others)

    reading.__signature__ = inspect.Signature([*shared, *own])  # type: ignore[attr-defined]
    reading.__annotations__ = {each.name: each.annotation for each in (*shared, *own)}
    return reading


def _options(of: Callable[..., object]) -> list[inspect.Parameter]:
    """Its parameters, with their types looked up where it was written."""
    types = get_type_hints(of, include_extras=True)
    return [each.replace(annotation=types[each.name]) for each in inspect.signature(of).parameters.values()]


def measured_log(
    log: Annotated[Path, typer.Argument(metavar="LOG", parser=place_of, help="Any request log.")],
    format_: Annotated[
        str, typer.Option("--format", help="auto, or the tool that wrote it: k6, haproxy, access …")
    ] = "auto",
    deadline: Annotated[str, typer.Option(metavar="D", help="Unanswered by then is bad.")] = "2s",
    settle: Annotated[str, typer.Option(metavar="D", help="Good for so long is recovered.")] = "1s",
    log_format: Annotated[
        str,
        typer.Option(
            "--log-format",
            metavar="FORMAT",
            help="Of an access log: a format string of nginx or Apache, or nginx, apache, apache-common.",
        ),
    ] = "",
    columns: Annotated[
        str,
        typer.Option(
            metavar="COLUMNS",
            help="Which columns of a CSV mean what: sent=start:ms,took=elapsed:ms,status=code,name=path.",
        ),
    ] = "",
    since: Annotated[
        str,
        typer.Option(metavar="T", help="Measure from then on: a date, or a time from the first request."),
    ] = "",
    until: Annotated[str, typer.Option(metavar="T", help="Measure until then.")] = "",
    name: Annotated[
        list[str] | None,
        typer.Option("--name", metavar="NAME", help="Measure these requests alone: a name, * for anything."),
    ] = None,
    status: Annotated[
        list[str] | None,
        typer.Option(
            "--status", metavar="S", help="Measure these answers alone: 200, 5xx, 500-599, or !404."
        ),
    ] = None,
) -> MeasuredLog:
    """Read and measure it. Raises BadInput, also when nothing of it is wanted."""
    from seatrial.cli.waiting import Waiting
    from seatrial.measure import measure
    from seatrial.measure.importers import Told, read
    from seatrial.measure.importers.compressed import followed
    from seatrial.measure.selection import Moment, Selection
    from seatrial.model.figures import count

    deadline_s, settle_s = seconds_of("--deadline", deadline, positive=True), seconds_of("--settle", settle)
    selection = Selection(
        since=Moment.parse("--since", since) if since else None,
        until=Moment.parse("--until", until) if until else None,
        names=tuple(name or ()),
        statuses=tuple(status or ()),
    )
    with Waiting(f"reading {log}") as waiting, followed(waiting.at):
        imported = read(log, format_, Told(log_format, columns))
    rows = selection.of(imported.log)
    window = selection.window(imported.zero_unix_s, imported.zoned)
    with Waiting(f"measuring {count(len(rows))} requests"):
        result = measure(rows, deadline_s, settle_s, *window, tells=imported.tells, exact=imported.exact)
    if not result.requests:
        raise BadInput(f"{log}: no request is left by what was asked for: {_asked(selection)}")
    warnings = (*imported.warnings, *selection.said(len(rows), len(imported.log)))
    return MeasuredLog(log, imported, selection, rows, result, warnings)


def _asked(selection: Selection) -> str:
    asked = {f"--{key.removesuffix('s')}": value for key, value in selection.document().items() if value}
    return ", ".join(f"{key.replace('--statuse', '--status')} {value}" for key, value in asked.items())
