"""Faults, and the guarantee that they come undone: journal, guardian, recovery, and one file a fault."""

from seatrial.faults.protocol import Demanding, Fault, Observable, Probe, Role, Spreading, Undo
from seatrial.faults.recover import Recovered, recover
from seatrial.faults.session import FaultSession, Injection, InjectionError, Life, Prepared
from seatrial.faults.undoing import Outcome, UndoFailedError

__all__ = [
    "Demanding",
    "Fault",
    "FaultSession",
    "Injection",
    "InjectionError",
    "Life",
    "Observable",
    "Outcome",
    "Prepared",
    "Probe",
    "Recovered",
    "Role",
    "Spreading",
    "Undo",
    "UndoFailedError",
    "recover",
]
