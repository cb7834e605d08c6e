"""What runs that are gone have left: undone at once, and finished where one of them had no end.

Asked before anything is injected, so it loads what judges and reports only when there is a run to finish.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
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


def recover(
    home: Path, open_reporters: OpenReporters, begins: Callable[[str], None] = lambda _run: None
) -> Recovery:
    """Undo what dead runs have left behind, then finish them. Harmless at any time.

    `open_reporters` is called only when there is something to record; `begins` hears of each run that is
    about to be finished. Raises JournalError when the fault
    journal cannot be used, CannotStore when the records of open runs cannot.
    """
    undone = tuple(undo_what_is_left(home))
    left = openruns.left(home)
    first = next(left, None)
    if first is None:
        return Recovery(undone, ())
    from seatrial.run.unfinished import finished  # noqa: PLC0415

    with open_reporters() as reporters:
        done = []
        for held in chain([first], left):
            begins(held.run.run)
            done.append(finished(held, home, reporters))
    return Recovery(undone, tuple(done))
