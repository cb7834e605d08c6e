"""Request logs as tests write and read them: a dictionary a row, None for what is not there."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from seatrial.model.requestlog import COLUMNS, Coded, RequestLog
from seatrial.model.rowkeys import Keys

Row = dict[str, Any]


def log_of(rows: Iterable[Row]) -> RequestLog:
    """The rows as a log, in their order."""
    listed = list(rows)
    times = {
        name: np.array([row[name] for row in listed], dtype=np.float64)
        for name in ("intended", "sent", "ended")
    }
    coded = {name: Coded.of(row[name] for row in listed) for name in ("name", "served_by", "error", "worker")}
    keys = Keys.of(row["key"] for row in listed)
    ok = np.array([row["ok"] for row in listed], dtype=np.bool_)
    status = np.array([row["status"] for row in listed], dtype=np.int16)
    return RequestLog(ok=ok, status=status, keys=keys, **times, **coded)  # type: ignore[arg-type]  # by their names


def rows_of(log: RequestLog) -> list[Row]:
    """The rows of a log, in their order."""
    instants = [[None if np.isnan(at) else at for at in times.tolist()] for times in (log.sent, log.ended)]
    texts = [column.texts() for column in (log.name, log.served_by, log.error, log.worker)]
    keys = [None] * len(log) if log.keys is None else log.keys.tolist()
    columns = (log.intended.tolist(), *instants, log.ok.tolist(), log.status.tolist(), *texts, keys)
    return [dict(zip(COLUMNS, row, strict=True)) for row in zip(*columns, strict=True)]


def read_log(path: Path) -> RequestLog:
    """A log in Parquet, as somebody else reads it: by another library than the one that wrote it."""
    return log_of(pq.read_table(path).to_pylist())
