"""Request logs of this tool and of others, read into one form.

Closed-loop tools lack the instant at which a request was due; their logs are read with intended = sent and
a warning that omission cannot be excluded.
"""

from __future__ import annotations

import logging
from pathlib import Path

from seatrial.discovery import Registry
from seatrial.measure.importers.importer import NOTHING, Imported, Importer, Source, Told
from seatrial.measure.importers.seatrial import write_csv
from seatrial.model.problems import BadInput, nearest, translating

__all__ = ["IMPORTERS", "Imported", "Told", "formats", "read", "write_csv"]

AUTO = "auto"
_log = logging.getLogger(__name__)


IMPORTERS: Registry[Importer] = Registry("importer", __name__, Importer)


def formats() -> tuple[str, ...]:
    """What may be asked for: `auto` and the name of every importer."""
    return (AUTO, *IMPORTERS.names())


def read(path: Path, format: str = AUTO, told: Told = NOTHING) -> Imported:  # noqa: A002  # the option
    """Read a request log, of which `told` is known. Raises BadInput with file and line for what is wrong."""
    wanted = None if format == AUTO else _importer(format)
    source = Source.of(path, told)
    importer = wanted or _told_of(told) or _recognising(source)
    with translating(f"{path}, read as {importer.name}"):
        try:
            imported = importer.read(source)
        except OSError as error:  # the disk, or a compressed stream that is cut short
            raise source.problem(f"cannot be read to its end: {error}") from error
    if not len(imported.log):
        raise source.problem("holds no request")
    return imported


def _importer(name: str) -> Importer:
    declared = IMPORTERS.get(name)
    if declared is None:
        raise BadInput(f"unknown format '{name}'{nearest(name, formats())}")
    return declared()


def _told_of(told: Told) -> Importer | None:
    """The importer that what was told is for; None when nothing was."""
    if told.log_format and told.columns:
        raise BadInput("--log-format is for access logs and --columns for CSV: give one of them")
    name = "access" if told.log_format else "columns" if told.columns else ""
    return _importer(name) if name else None


def _recognising(source: Source) -> Importer:
    for found in IMPORTERS.all().values():
        importer = found.declared()
        try:
            if importer.recognises(source):
                return importer
        except Exception:  # somebody's own: the log may be one that another reads
            _log.exception("the importer %s of %s looked at %s", found.name, found.package, source.path)
    shown = source.first_line[:60]
    raise source.problem(
        f"is no request log that is known here ({', '.join(formats()[1:])}): it begins with {shown!r}", 1
    )
