"""Ask a target, after a run, which writes it holds. The answer is recorded; checks judge the record."""

from seatrial.lookups.asking import look_up

__all__ = ["look_up"]
