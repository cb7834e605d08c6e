"""The run database: what ran, what was planned, and what must be told, in one place and one transaction.

A verdict and the incident it causes must not part: a crash between writing one and sending the other would
be a failure that nobody hears of. So the message is written in the verdict's own transaction, into an
outbox, and told afterwards for as long as it takes.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import datetime

from seatrial.model.result import RunResult
from seatrial.store.database import Database, default_url
from seatrial.store.history import History, Measured, RunQuery, RunSummary, Series, Unpromised
from seatrial.store.occurrences import (
    Claim,
    Occurrence,
    OccurrenceEnding,
    Occurrences,
    OccurrenceState,
    RecordedOccurrence,
)
from seatrial.store.origin import UNKNOWN, EvidenceFile, Origin
from seatrial.store.outbox import MessageState, Outbox, OutboxMessage, QueueDepth, QueuedMessage
from seatrial.store.runs import RecordedRun, Runs

__all__ = [
    "UNKNOWN",
    "Claim",
    "Database",
    "EvidenceFile",
    "History",
    "Measured",
    "MessageState",
    "Occurrence",
    "OccurrenceEnding",
    "OccurrenceState",
    "Occurrences",
    "Origin",
    "Outbox",
    "OutboxMessage",
    "QueueDepth",
    "QueuedMessage",
    "RecordedOccurrence",
    "RecordedRun",
    "RunQuery",
    "RunSummary",
    "Runs",
    "Series",
    "Store",
    "Unpromised",
    "default_url",
]


class Store:
    """The run database, opened (and created when it is not there yet).

    Raises Unavailable when it cannot be reached, BadInput when its address makes no sense or a newer
    seatrial wrote it. One of an older version is brought up to date, with all that is in it.
    """

    def __init__(self, url: str) -> None:
        self.database = Database(url)
        self.runs = Runs(self.database)
        self.history = History(self.database)
        self.outbox = Outbox(self.database)
        self.occurrences = Occurrences(self.database, self.outbox)
        try:
            self.database.prepare()
            if self.runs.needs_index():
                self.runs.index_anew()
        except BaseException:
            self.close()
            raise

    @classmethod
    def default(cls, environment: Mapping[str, str] = os.environ) -> Store:
        """The one that `$SEATRIAL_DATABASE` or `$SEATRIAL_HOME` names."""
        return cls(default_url(environment))

    def record(
        self,
        result: RunResult,
        messages: Sequence[OutboxMessage],
        now: datetime,
        origin: Origin = UNKNOWN,
    ) -> bool:
        """Record a run and the messages it causes, both or neither; False when it was recorded before."""
        with self.database.writing() as connection:
            added = self.runs.add(connection, result, now, origin)
            if added:
                self.outbox.add(connection, messages, now)
        return added

    def close(self) -> None:
        """Close all connections."""
        self.database.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
