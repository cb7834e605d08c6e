"""What killed runs left is undone, and they are finished: on demand, and before anything is injected."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from seatrial.model.problems import Interrupted
from seatrial.run.openruns import Finished
from seatrial.run.recovery import Recovery, recover
from seatrial.trials.caller import Caller
from seatrial.trials.targets import home
from seatrial.undo.recover import Recovered, require_undone

if TYPE_CHECKING:
    from seatrial.run.openruns import Reporters


def recover_first(caller: Caller) -> None:
    """Whatever a killed run left must be gone before anything new is injected.

    Raises LeftBehindError when something is not, Interrupted when the caller has asked for the end meanwhile.
    """
    with caller.shielded() as stop:
        found = _found(caller)
        # what is not undone is in the error, with the command to run by hand
        _say_undone((each for each in found.undone if each.undone), caller)
        _say_finished(found.finished, caller)
        require_undone(found.undone)
    if stop.is_set():
        raise Interrupted("interrupted")


def recovered(caller: Caller) -> Recovery:
    """Undo and finish it, and say what came of each."""
    with caller.shielded():
        found = _found(caller)
    _say_undone(found.undone, caller)
    _say_finished(found.finished, caller)
    return found


def recovery_document(found: Recovery) -> dict[str, Any]:
    """What was recovered as JSON-ready data."""
    return {
        "recovered": [
            {
                "run": each.run,
                "target": each.target,
                "fault": each.outcome.entry.undo.fault,
                "role": each.outcome.entry.undo.role.name,
                "undone": each.undone,
                "undo": each.outcome.undo_outcome.value,
                "error": each.outcome.error,
                "by_hand": "" if each.undone else each.outcome.entry.undo.by_hand,
            }
            for each in found.undone
        ],
        "finished": [
            {
                "run": each.run.run,
                "experiment": each.run.experiment,
                "directory": each.run.directory,
                "verdict": each.result.verdict if each.result else None,
                "reasons": each.result.reasons if each.result else each.pending,
            }
            for each in found.finished
        ],
    }


@contextlib.contextmanager
def recording(caller: Caller) -> Iterator[Reporters]:
    """Who records runs that are finished after their conductor's death; people are told at the end."""
    from seatrial.trials.records import open_records  # noqa: PLC0415  # its libraries are large

    with open_records(caller.say) as records:
        yield lambda experiment, command: records.reporter(experiment, command) if records else None
        if records:
            records.deliver(caller.say)


def _found(caller: Caller) -> Recovery:
    return recover(
        home(), lambda: recording(caller), lambda run: caller.say(f"finishing {run}, which was killed")
    )


def _say_undone(undone: Iterable[Recovered], caller: Caller) -> None:
    for each in undone:
        caller.say(str(each))
        if not each.undone:
            caller.say(f"  by hand: {each.outcome.entry.undo.by_hand}")


def _say_finished(finished: Iterable[Finished], caller: Caller) -> None:
    for run in finished:
        if run.result is None:
            caller.say(f"NOT finished: {run.run.run}: {'; '.join(run.pending)}")
            continue
        why = f" ({run.result.reasons[0]})" if run.result.reasons else ""
        caller.say(f"finished: {run.run.run}: {run.result.verdict}{why}; {run.run.directory}")
        for line in run.pending:
            caller.say(f"  {line}")
