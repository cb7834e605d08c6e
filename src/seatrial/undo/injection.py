"""A fault on its way: prepared, in effect, and its whole life when it is over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from seatrial.model.problems import SeatrialError
from seatrial.model.undo import UndoOutcome
from seatrial.undo.clock import Instant
from seatrial.undo.journal import Entry, What
from seatrial.undo.protocol import Fault, Undo


class InjectionError(SeatrialError):
    """The fault could not be injected; whatever part of it there was is undone, or the message says so."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A fault whose undo is durable, ready to be fired."""

    id: int
    fault: Fault
    undo: Undo
    ttl_s: float


@dataclass(frozen=True, slots=True)
class Injection:
    """A fault that is in effect, since some instant between `before` and `after`."""

    prepared: Prepared
    before: Instant
    after: Instant


@dataclass(frozen=True, slots=True)
class Life:
    """A fault's whole life as the journal has it, and how its undo came out, written or not."""

    entry: Entry
    instants: Mapping[What, Instant]
    undo: UndoOutcome
    error: str

    @classmethod
    def of(cls, entry: Entry, instants: Mapping[What, Instant]) -> Self:
        """As the journal alone tells it."""
        return cls(entry, instants, entry.undo_outcome, entry.error)
