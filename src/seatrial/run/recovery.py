"""What runs that are gone have left: undone at once, and finished where one of them had no end.

Asked before anything is injected, so it loads what judges and reports only when there is a run to finish.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from seatrial.run import openruns
from seatrial.run.openruns import Finished
from seatrial.undo.recover import Recovered
from seatrial.undo.recover import recover as undo_what_is_left

if TYPE_CHECKING:
    from seatrial.run.openruns import OpenReporters


@dataclass(frozen=True, slots=True)
class Recovery:
    """What dead runs had left behind, and what became of it."""

    undone: tuple[Recovered, ...]
    finished: tuple[Finished, ...]

    @property
    def all_undone(self) -> bool:
        """Whether nothing that could disturb a run is still there."""
        return all(each.undone for each in self.undone)


def recover(home: Path, open_reporters: OpenReporters) -> Recovery:
    """Undo what dead runs have left behind, then finish them. Harmless at any time.

    `open_reporters` is called only when there is something to record. Raises JournalError when the fault
    journal cannot be used, CannotStore when the records of open runs cannot.
    """
    undone = tuple(undo_what_is_left(home))
    left = openruns.left(home)
    first = next(left, None)
    if first is None:
        return Recovery(undone, ())
    from seatrial.run.unfinished import finished  # noqa: PLC0415

    with open_reporters() as reporters:
        done = [finished(first, home, reporters)]
        done += [finished(held, home, reporters) for held in left]
    return Recovery(undone, tuple(done))
