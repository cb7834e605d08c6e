"""How the writes of a run ended for their clients, from its request log.

* acknowledged: the answer was good;
* refused: certainly not carried out, because the connection was refused, the arrival was dropped, or the
  answer was a 4xx other than 408, 409, 425 and 429 (which a proxy or a retry may give after the fact);
* indeterminate: everything else. The client cannot know, so the target may hold it or not.

A write may have been tried several times. Acknowledged once it is acknowledged, and it is refused only when
every attempt was. What is expected of it is what the last attempt said that ended as the write did.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from seatrial.model.rowkeys import Keys
from seatrial.model.writekeys import WriteKeys

if TYPE_CHECKING:
    from seatrial.model.requestlog import Bools, RequestLog

REFUSED, INDETERMINATE, ACKNOWLEDGED = range(3)  # of several attempts the greatest counts
_NO_WRITE = -1

_MAY_HAVE_HAPPENED = (408, 409, 425, 429)
_NEVER_SENT = "connection refused"


@dataclass(frozen=True, slots=True)
class WriteOutcomes:
    """All writes. Each has the number of the first key with its id; arrays are as long as there are keys."""

    keys: WriteKeys
    standing: npt.NDArray[np.int8]  # how a write ended; nothing of those numbers that are no write's
    first: npt.NDArray[np.int32]  # which attempt was the first that ended so
    last: npt.NDArray[np.int32]  # and the last, whose key says what it must say
    ended_s: npt.NDArray[np.float64]  # of each attempt

    @classmethod
    def of(cls, log: RequestLog) -> WriteOutcomes:
        """The rows of `log` that carry a key."""
        keys = Keys.nothing(0) if log.keys is None else log.keys
        writes, ended = WriteKeys(keys), _ended_as(log, keys.rows)
        standing = np.full(len(ended), _NO_WRITE, dtype=np.int8)
        np.maximum.at(standing, writes.firsts, ended)
        telling = np.flatnonzero(ended == standing[writes.firsts]).astype(np.int32)
        write = writes.firsts[telling]
        first = np.full(len(ended), len(ended), dtype=np.int32)
        last = np.full(len(ended), -1, dtype=np.int32)
        np.minimum.at(first, write, telling)
        np.maximum.at(last, write, telling)
        return cls(writes, standing, first, last, log.ended[keys.rows])

    def count(self, outcome: int) -> int:
        """How many writes ended so."""
        return int(np.count_nonzero(self.standing == outcome))

    def which(self, outcome: int, among: Bools | None = None) -> npt.NDArray[np.intp]:
        """The writes that ended so (`among` these), in the order in which they first did."""
        wanted = self.standing == outcome
        found = np.flatnonzero(wanted if among is None else wanted & among)
        return found[np.argsort(self.first[found], kind="stable")]

    def id_of(self, write: int) -> str:
        """Its id."""
        return self.keys.id_at(write).decode()

    def told(self, outcome: int) -> Iterator[tuple[str, str]]:
        """Id and content of the writes that ended so."""
        which = self.which(outcome)
        for write, teller in zip(which.tolist(), self.last[which].tolist(), strict=True):
            yield self.id_of(write), self.keys.content_at(teller).decode()


def _ended_as(log: RequestLog, rows: npt.NDArray[Any]) -> npt.NDArray[np.int8]:
    """How each of these attempts ended."""
    status = log.status[rows]
    client_error = (status >= 400) & (status < 500) & ~np.isin(status, _MAY_HAVE_HAPPENED)
    refused = client_error | log.error[rows].equals(_NEVER_SENT) | np.isnan(log.sent[rows])
    return np.where(log.ok[rows], ACKNOWLEDGED, np.where(refused, REFUSED, INDETERMINATE)).astype(np.int8)
