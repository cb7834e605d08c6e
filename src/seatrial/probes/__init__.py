"""Ask a target whether it is well: before, during and after a run."""

from seatrial.probes.asking import Question, ask

__all__ = ["Question", "ask"]
