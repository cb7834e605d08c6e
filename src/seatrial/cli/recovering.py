"""What killed runs left is undone, and they are finished: by `recover`, and before anything is injected."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace

from seatrial.cli.interruption import end_if_asked, shielded
from seatrial.cli.reporting import open_desk
from seatrial.cli.targets import home
from seatrial.cli.terminal import say
from seatrial.faults.recover import require_undone
from seatrial.run.unfinished import Recovery, Reporters, recover


def recover_first() -> None:
    """Whatever a killed run left must be gone before anything new is injected. Raises LeftBehindError."""
    found = _recovered()
    say_recovered(replace(found, undone=tuple(each for each in found.undone if each.undone)))
    require_undone(found.undone)  # which says the rest, in one line
    end_if_asked()


def recovered() -> Recovery:
    """Undo and finish it, and say what came of each."""
    found = _recovered()
    say_recovered(found)
    return found


def _recovered() -> Recovery:
    """Whoever interrupts us meanwhile."""
    with shielded():
        return recover(home(), recording)


@contextlib.contextmanager
def recording() -> Iterator[Reporters]:
    """Who records runs that are finished after their conductor's death; told to people at the end."""
    with open_desk() as desk:
        yield lambda experiment, command: desk.reporter(experiment, command) if desk else None
        if desk:
            desk.deliver()


def say_recovered(found: Recovery) -> None:
    """A line for each fault and each run."""
    for each in found.undone:
        say(str(each))
        if not each.undone:
            say(f"  by hand: {each.outcome.entry.undo.by_hand}")
    for run in found.finished:
        if run.result is None:
            say(f"NOT finished: {run.run.run}: {'; '.join(run.pending)}")
            continue
        why = f" ({run.result.reasons[0]})" if run.result.reasons else ""
        say(f"finished: {run.run.run}: {run.result.verdict}{why}; {run.run.directory}")
        for line in run.pending:
            say(f"  {line}")
