"""What killed runs left is undone, and they are finished: by `recover`, and before anything is injected."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from seatrial.cli.interruption import end_if_asked, shielded
from seatrial.cli.targets import home
from seatrial.cli.terminal import say
from seatrial.run.openruns import Finished
from seatrial.run.recovery import Recovery, recover
from seatrial.undo.recover import Recovered, require_undone

if TYPE_CHECKING:
    from seatrial.run.openruns import Reporters


def recover_first() -> None:
    """Whatever a killed run left must be gone before anything new is injected. Raises LeftBehindError."""
    found = _found()
    _say_undone(
        [each for each in found.undone if each.undone]
    )  # the others are in the error, by hand and all
    _say_finished(found.finished)
    require_undone(found.undone)
    end_if_asked()


def recovered() -> Recovery:
    """Undo and finish it, and say what came of each."""
    found = _found()
    _say_undone(found.undone)
    _say_finished(found.finished)
    return found


def _found() -> Recovery:
    """Whoever interrupts us meanwhile, it is brought to its end."""
    with shielded():
        return recover(home(), recording)


@contextlib.contextmanager
def recording() -> Iterator[Reporters]:
    """Who records runs that are finished after their conductor's death; told to people at the end."""
    from seatrial.cli.reporting import open_desk

    with open_desk() as desk:
        yield lambda experiment, command: desk.reporter(experiment, command) if desk else None
        if desk:
            desk.deliver()


def _say_undone(undone: Iterable[Recovered]) -> None:
    for each in undone:
        say(str(each))
        if not each.undone:
            say(f"  by hand: {each.outcome.entry.undo.by_hand}")


def _say_finished(finished: Iterable[Finished]) -> None:
    for run in finished:
        if run.result is None:
            say(f"NOT finished: {run.run.run}: {'; '.join(run.pending)}")
            continue
        why = f" ({run.result.reasons[0]})" if run.result.reasons else ""
        say(f"finished: {run.run.run}: {run.result.verdict}{why}; {run.run.directory}")
        for line in run.pending:
            say(f"  {line}")
