"""The guarantee that faults come undone: journal, guardian, recovery. It knows no fault by name."""

from seatrial.undo.injection import Injection, InjectionError, Life, Prepared
from seatrial.undo.protocol import Demanding, Fault, Observable, Probe, Spreading, Undo
from seatrial.undo.recover import Recovered, recover
from seatrial.undo.session import FaultSession
from seatrial.undo.undoing import Outcome, UndoFailedError

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
    "Spreading",
    "Undo",
    "UndoFailedError",
    "recover",
]
