"""Brings together what the load workers of one test have put down."""

from __future__ import annotations

import logging
import math
from pathlib import Path

import gevent
import psutil

from seatrial.load.clocks import Told, unknown
from seatrial.load.inorder import PART, Source, in_order
from seatrial.load.spool import SpoolReader
from seatrial.load.spools import Spools
from seatrial.model.requestlog import RequestLog
from seatrial.waiting import wait_until

_PATIENCE_S = 10.0  # with a worker that has not ended its spool
_LOOK_EVERY_S = 0.1

logger = logging.getLogger(__name__)


def merged(readers: list[SpoolReader], deadline_s: float) -> tuple[RequestLog, bool]:
    """All rows, and whether every worker has ended in good order."""
    last_s = _read_to_the_end(readers, deadline_s + _PATIENCE_S)
    spools = [Source.of_spool(reader) for reader in readers]
    left = [Source.of_rows(reader.unaccounted(last_s)) for reader in readers]
    for trouble in (spool.trouble for spool in spools if spool.trouble):
        raise trouble
    log = in_order([*spools, *left])
    died = [reader for reader in readers if reader.audit is None]
    for reader in died:
        name = reader.path.stem
        logger.error("Load worker %s died; its arrivals from then on are on record as dropped", name)
    return log, not died


def brought_together(
    folder: Path,
) -> tuple[list[SpoolReader], RequestLog, tuple[Told, ...], bool]:
    """The spools of far workers, rows on one clock, what is known of clocks, and whether none was lost."""
    spools = Spools(folder)
    found = spools.whole()
    for trouble in found.troubles:
        raise trouble
    for loss in spools.losses:
        logger.error("%s; what is missing of its share is on record as dropped", loss)
    for each in unknown(found.clocks):
        logger.error("The clock of %s is not known: nothing is proven by its rows", each)
    return spools.readers, found.log, found.clocks, not (spools.losses or unknown(found.clocks))


def _read_to_the_end(readers: list[SpoolReader], within_s: float) -> float:
    """The last instant of all rows, once every worker has ended or died, or `within_s` has passed."""
    last_s = -math.inf

    def all_over() -> bool:
        nonlocal last_s
        gone = [_died(reader) for reader in readers]  # asked before reading, so that its last words are read
        for reader in readers:
            for rows in reader.parts(PART):
                last_s = max(last_s, float(rows.intended.max(initial=-math.inf)))
        return all(reader.audit or dead for reader, dead in zip(readers, gone, strict=True))

    wait_until(all_over, within_s, _LOOK_EVERY_S, sleep=gevent.sleep)
    return last_s if last_s > -math.inf else 0.0


def _died(reader: SpoolReader) -> bool:
    try:
        return (
            reader.header is not None and psutil.Process(reader.header.pid).status() == psutil.STATUS_ZOMBIE
        )
    except psutil.NoSuchProcess:
        return True
