"""Undoing what killed runs left, as `recover` does, and every command that could inject before it begins."""

from __future__ import annotations

from collections.abc import Sequence

from seatrial.cli.interruption import end_if_asked, shielded
from seatrial.cli.targets import home
from seatrial.cli.terminal import say
from seatrial.faults.recover import Recovered, recover
from seatrial.model.problems import SeatrialError


def recover_first() -> None:
    """Whatever a killed run left must be gone before anything new is injected. Else: SeatrialError."""
    if not all(each.undone for each in undone_now()):
        raise SeatrialError("an earlier run's fault is still there; mend it by hand, then: seatrial recover")
    end_if_asked()


def undone_now() -> Sequence[Recovered]:
    """Undo it, whoever interrupts us meanwhile, and say what came of each."""
    with shielded():
        found = recover(home())
    for each in found:
        undo = each.outcome.entry.undo
        if each.undone:
            say(f"undone: {undo.fault} on {undo.role.name}, left by {each.run}")
        else:
            say(f"NOT undone: {undo.fault} on {undo.role.name}, left by {each.run}: {each.outcome.error}")
            say(f"  by hand: {undo.by_hand}")
    return found
