"""Record a target's audit log after a run, once it is signed to its end or has had time to be.

    audit:
      driver: audit-log
      url: postgresql://auditor:${AUDIT_PASSWORD}@127.0.0.1:5432/shop
      entries: SELECT seq, line FROM audit.entries WHERE seq >= :from ORDER BY seq
      checkpoints: SELECT note, extract(epoch FROM signed_at) FROM audit.checkpoints ORDER BY size
      ingested: SELECT last + 1, extract(epoch FROM stored_at) FROM audit.batches ORDER BY last     (optional)
      key: example.org/audit+1c40…+AjBZ…      or the address that gives it: http://127.0.0.1:9000/audit/key
      within: 60s

The tables are yours, the texts are the ledger's: `line` is a line of `seatrial.ledger.entry`, `note` a signed
checkpoint (`seatrial.ledger.note`), beside it the instant when it was signed. A key that stands in the target
file is the stronger one: whoever can write the log anew may also answer for its key.

Entries are streamed, so their number costs time and disk, not memory. Checkpoints are asked for first, then
the entries that came since: what was signed was durable, so an honest log never has fewer than its
checkpoints say. The ledger is written beside the recording, whose form `seatrial.checks.audit_chain` tells.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from seatrial.drivers.audit_log import AuditLogBinding
from seatrial.drivers.database import engine_of, reason_of
from seatrial.drivers.httpclient import ask
from seatrial.ledger.note import NoteError, VerifierKey, read_checkpoint
from seatrial.ledger.transcript import Transcript
from seatrial.model.problems import BadInput, Unavailable
from seatrial.model.role import Role
from seatrial.waiting import look_until

_ROWS = 5_000
_LOOK_EVERY_S = 0.25

Checkpoints = list[tuple[str, float]]  # note, and when it was signed: seconds since 1970


def record(
    role: Role,
    directory: Path,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> bytes:
    """Write the ledger into `directory` and return the recording as JSON. Raises BadInput or Unavailable."""
    bound = role.bound_to(AuditLogBinding)
    keys = [key for written in bound.key for key in _keys(role, written, bound.timeout.seconds)]
    engine = engine_of(role, bound.url, bound.timeout.seconds)
    transcript = Transcript(directory)
    try:
        with engine.connect() as connection:
            asked = _Asked(role, bound, connection)
            checkpoints = _copy(asked, transcript, clock, sleep)
            asked_at = time.time()
            ingested = asked.ingested()
    except sa.exc.SQLAlchemyError as error:
        raise Unavailable(f"{role.name}: the audit log did not answer: {reason_of(error)}") from error
    finally:
        engine.dispose()
    transcript.finish([note for note, _ in checkpoints], keys)
    return json.dumps({
        "entries": transcript.entries,
        "asked_at": asked_at,
        "checkpoints": [{"size": _size(note), "signed_at": at} for note, at in checkpoints],
        "ingested": ingested,
        "keys": [str(key) for key in keys],
    }).encode()  # fmt: skip


def _copy(
    asked: _Asked, transcript: Transcript, clock: Callable[[], float], sleep: Callable[[float], None]
) -> Checkpoints:
    """Copy entries until the newest checkpoint covers them all, or time is over; the checkpoints."""
    following = 0

    def copy() -> Checkpoints:
        nonlocal following
        checkpoints = asked.checkpoints()
        for rows in asked.entries(following):
            transcript.append([line for _, line in rows])
            following = rows[-1][0] + 1
        return checkpoints

    def covers_all(checkpoints: Checkpoints) -> bool:
        return max((_size(note) for note, _ in checkpoints), default=0) >= transcript.entries

    within_s = asked.bound.within.seconds
    return look_until(copy, covers_all, within_s, _LOOK_EVERY_S, clock=clock, sleep=sleep)


class _Asked:
    """The two questions. Each is a transaction of its own, so each sees what is there by then."""

    def __init__(self, role: Role, bound: AuditLogBinding, connection: sa.Connection) -> None:
        self.bound = bound
        self._role = role
        self._connection = connection

    def checkpoints(self) -> Checkpoints:
        rows = self._all(self.bound.checkpoints, "checkpoints", "note, instant")
        return [
            (self._text(row[0], "checkpoints", "first"), self._instant(row[1], "checkpoints")) for row in rows
        ]

    def ingested(self) -> list[tuple[int, float]]:
        rows = self._all(self.bound.ingested, "ingested", "entries, instant") if self.bound.ingested else []
        return [(self._number(row[0], "ingested"), self._instant(row[1], "ingested")) for row in rows]

    def _all(self, question: str, query: str, columns: str) -> Sequence[Sequence[Any]]:
        with self._connection.begin():
            rows = self._connection.execute(sa.text(question)).all()
        self._require_two(rows[0] if rows else None, query, columns)
        return rows

    def entries(self, start: int) -> Iterator[list[tuple[int, str]]]:
        question, options = sa.text(self.bound.entries), {"stream_results": True, "yield_per": _ROWS}
        with (
            self._connection.begin(),
            self._connection.execute(question, {"from": start}, execution_options=options) as answer,
        ):
            for rows in answer.partitions(_ROWS):
                self._require_two(rows[0], "entries", "seq, line")
                yield [
                    (self._number(row[0], "entries"), self._text(row[1], "entries", "second")) for row in rows
                ]

    def _require_two(self, row: Sequence[Any] | None, query: str, columns: str) -> None:
        if row is not None and len(row) != 2:
            raise BadInput(
                f"roles.{self._role.name}.{query}: gives {len(row)} columns; two are needed: {columns}"
            )

    def _text(self, value: object, query: str, column: str) -> str:
        if not isinstance(value, str):
            where = f"roles.{self._role.name}.{query}"
            raise BadInput(f"{where}: the {column} column is a text of the ledger, not {value!r:.80}")
        return value

    def _number(self, value: object, query: str) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise BadInput(
                f"roles.{self._role.name}.{query}: the first column is a number of entries, not {value!r:.80}"
            )
        return value

    def _instant(self, value: Any, query: str) -> float:
        try:
            instant = value.timestamp() if isinstance(value, datetime) and value.tzinfo else float(value)
        except (TypeError, ValueError, OverflowError):
            instant = math.nan
        if not math.isfinite(instant):
            where = f"roles.{self._role.name}.{query}"
            raise BadInput(
                f"{where}: the second column is an instant (seconds since 1970), not {value!r:.80}"
            )
        return instant


def _size(note: str) -> int:
    """What a checkpoint says of itself; nothing when it cannot be read, which is for the check to condemn."""
    try:
        return read_checkpoint(note.encode()).size
    except NoteError:
        return 0


def _keys(role: Role, written: str, timeout_s: float) -> list[VerifierKey]:
    """The verifier keys that `key` says, or that its address gives, one a line."""
    text = _fetched(role, written, timeout_s) if written.startswith(("http://", "https://")) else written
    try:
        keys = [VerifierKey.parse(line) for line in text.splitlines() if line.strip()]
    except NoteError as error:
        raise BadInput(f"roles.{role.name}.key: {error}") from error
    if not keys:
        raise BadInput(f"roles.{role.name}.key: holds no verifier key (a line of the form name+hash+base64)")
    return keys


def _fetched(role: Role, url: str, timeout_s: float) -> str:
    answer = ask(role.allow_list, role.name, "GET", url, timeout_s)
    if not answer.is_success:
        raise Unavailable(f"{answer.to}: HTTP {answer.status}")
    return answer.text
