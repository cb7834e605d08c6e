"""Ask a target, after a run, what it holds. The answer is recorded; checks judge the record."""

from seatrial.lookups.asking import look_up
from seatrial.lookups.recording import record

__all__ = ["look_up", "record"]
