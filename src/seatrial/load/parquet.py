"""From spools to the request log that is kept: one Parquet file, by intended instant."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from seatrial import columnar, disk
from seatrial.home import private, private_directory
from seatrial.load.clocks import Told
from seatrial.load.inorder import Source, in_order
from seatrial.load.spool import SpoolReader
from seatrial.model.requestlog import RequestLog


def write_parquet(spools: Sequence[Path], out: Path) -> RequestLog:
    """Merge the spools of workers that are done, or gone, and write `out`.

    What a killed worker had in flight becomes rows without an end (`SpoolReader.unaccounted`). About 40 bytes
    of memory a row are needed. Raises BadInput for a damaged spool.
    """
    readers = [SpoolReader(path) for path in spools]
    sources = [
        source
        for reader in readers
        for source in (Source.of_spool(reader), Source.of_rows(reader.unaccounted()))
    ]
    for trouble in (source.trouble for source in sources if source.trouble):
        raise trouble
    log = in_order(sources)
    save(log, readers, out)
    return log


def save(log: RequestLog, readers: Iterable[SpoolReader], out: Path, clocks: Sequence[Told] = ()) -> None:
    """Write rows that were read from `readers`, with what their headers and accounts say.

    `clocks`: what is known of those that the rows were moved by, where their workers had clocks of their own.

    Raises CannotStore when the disk does not take them; then nothing is left of the attempt.
    """
    of_worker = {told.worker: asdict(told) for told in clocks}
    workers = [
        json.loads(reader.header.to_json())
        | {"audit": asdict(reader.audit) if reader.audit else None}
        | ({"clock": of_worker[reader.header.worker]} if reader.header.worker in of_worker else {})
        for reader in readers
        if reader.header
    ]
    table = columnar.table_of(log, {columnar.METADATA: json.dumps({"workers": workers})})
    unfinished = out.with_name(out.name + ".part")
    with disk.storing("the request log", out):
        private_directory(out.parent)
        try:
            with open(unfinished, "wb", opener=private) as file:
                columnar.write(table, file)
                file.flush()
                os.fsync(file.fileno())  # the spools may go then
            unfinished.replace(out)
            disk.sync_directory(out.parent)
        except BaseException:
            with contextlib.suppress(OSError):
                unfinished.unlink(missing_ok=True)
            raise
