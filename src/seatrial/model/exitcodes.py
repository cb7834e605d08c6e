"""How a command ends: one number that scripts, CI jobs and daemons go by."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the number of an ended command says."""

    PASS = 0
    """Everything that was promised was kept; of a command that judges nothing, it was done."""
    FAIL = 1
    """A promise was broken, and that is proven; or something that was injected could not be undone."""
    UNKNOWN = 2
    """Nothing could be proven: a saturated generator, a run that was cut short, something that is missing. It
    never counts as a pass."""
    BAD_INPUT = 64
    """What was asked for cannot be used: an option, a file, a name. Every problem is told with its place, and
    nothing was started."""
    DEFECT = 70
    """A defect of seatrial itself. What was injected is undone all the same; please report what it said."""
    INTERRUPTED = 130
    """A person or a supervisor asked for the end: Ctrl-C, SIGTERM, or a terminal that was closed. What was
    injected is undone, and the evidence kept."""
