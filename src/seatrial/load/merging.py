"""Brings together what the load workers of one test have put down."""

from __future__ import annotations

import logging
import time

import gevent
import psutil

from seatrial.load.spool import SpoolReader
from seatrial.model.requestlog import RequestLog

_PATIENCE_S = 10.0  # with a worker that has not ended its spool

logger = logging.getLogger(__name__)


def merged(readers: list[SpoolReader], deadline_s: float) -> tuple[RequestLog, bool]:
    """All rows, and whether every worker has ended in good order."""
    log = RequestLog.concat(_read_to_the_end(readers, time.monotonic() + deadline_s + _PATIENCE_S))
    died = [reader for reader in readers if reader.audit is None]
    for reader in died:
        name = reader.path.stem
        logger.error("Load worker %s died; its arrivals from then on are on record as dropped", name)
    return log, not died


def _read_to_the_end(readers: list[SpoolReader], until_s: float) -> list[RequestLog]:
    """All rows, once every worker has ended or has died, or `until_s` has passed without that."""
    logs = []
    while True:
        gone = [_died(reader) for reader in readers]  # asked before reading, so that its last words are read
        logs += [reader.poll() for reader in readers]
        settled = all(reader.audit or dead for reader, dead in zip(readers, gone, strict=True))
        if settled or time.monotonic() > until_s:
            last_s = max((float(log.intended.max()) for log in logs if len(log)), default=0.0)
            return logs + [reader.unaccounted(last_s) for reader in readers]
        gevent.sleep(0.1)


def _died(reader: SpoolReader) -> bool:
    try:
        return (
            reader.header is not None and psutil.Process(reader.header.pid).status() == psutil.STATUS_ZOMBIE
        )
    except psutil.NoSuchProcess:
        return True
