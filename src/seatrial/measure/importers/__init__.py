"""Request logs of this tool and of others, read into one form.

Closed-loop tools lack the instant at which a request was due; their logs are read with intended = sent and
a warning that omission cannot be excluded.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from pathlib import Path

from seatrial.measure.importers.importer import Imported, Importer, Source
from seatrial.measure.importers.seatrial import write_csv
from seatrial.model.problems import BadInput, nearest

__all__ = ["Imported", "formats", "read", "write_csv"]

AUTO = "auto"


@cache
def _importers() -> dict[str, Importer]:
    """Every module of this package that has an IMPORTER, by its name."""
    modules = (
        importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)
    )
    importers: list[Importer] = [module.IMPORTER for module in modules if hasattr(module, "IMPORTER")]
    return {importer.name: importer for importer in importers}


def formats() -> tuple[str, ...]:
    """What may be asked for: `auto` and the name of every importer."""
    return (AUTO, *sorted(_importers()))


def read(path: Path, format: str = AUTO) -> Imported:  # noqa: A002  # what the option is called
    """Read a request log. Raises BadInput with file and line for what cannot be read."""
    if format != AUTO and format not in _importers():
        raise BadInput(f"unknown format '{format}'{nearest(format, formats())}")
    source = Source.of(path)
    try:
        imported = _choose(source, format).read(source)
    except OSError as error:  # the disk, or a compressed stream that is cut short
        raise source.problem(f"cannot be read to its end: {error}") from error
    if not len(imported.log):
        raise source.problem("holds no request")
    return imported


def _choose(source: Source, wanted: str) -> Importer:
    if wanted != AUTO:
        return _importers()[wanted]
    for importer in _importers().values():
        if importer.recognises(source):
            return importer
    shown = source.first_line[:60]
    raise source.problem(
        f"is no request log that is known here ({', '.join(formats()[1:])}): it begins with {shown!r}", 1
    )
