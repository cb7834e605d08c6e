"""One step after another, none of which may take the others with it.

A verdict is owed whatever fails on the way to it: a report that cannot be drawn, a disk that takes no seal, a
defect of our own in judging. What fails is noted with its reason; what is missing then stands in the verdict.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from seatrial import disk
from seatrial.model.problems import SeatrialError
from seatrial.model.reasons import Reason
from seatrial.model.result import RunResult
from seatrial.model.secrets import shown
from seatrial.model.verdict import Verdict

DEFECTS = "defect.txt"
Result = TypeVar("Result")


class Losses:
    """What was lost of a run, and why: name → reason, in the order in which it was noticed."""

    def __init__(self, place: Path, defects: Iterable[str] = ()) -> None:
        """`place`: where the evidence is. `defects`: tracebacks of what has failed so far."""
        self._place = place
        self._reasons: dict[str, str] = {}
        self.defects = list(map(shown, defects))

    def __len__(self) -> int:
        return len(self._reasons)

    def __contains__(self, what: object) -> bool:
        return what in self._reasons

    def done(self, what: str, step: Callable[[], object]) -> bool:
        """Whether `step` succeeded."""

        def whole() -> bool:
            step()
            return True

        return self.result(what, whole, otherwise=False)

    def result(self, what: str, step: Callable[[], Result], otherwise: Result) -> Result:
        """What `step` returns, or `otherwise` when it fails. What succeeds on a later try is not lost."""
        try:
            found = step()
        except SeatrialError as error:
            reason = str(error)
        except Exception as error:  # whatever it is, the rest must still be done
            reason = self._foreign(what, error)
        else:
            self._reasons.pop(what, None)
            return found
        self._reasons[what] = reason
        return otherwise

    def _foreign(self, what: str, error: Exception) -> str:
        if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno in disk.TROUBLES):
            return str(disk.cannot_store(what, self._place, error))
        told = shown("".join(traceback.format_exception(error)))
        if told not in self.defects:
            self.defects.append(told)
        return shown(Reason.SEATRIAL_FAILED(error=f"{type(error).__name__}: {error} (see {DEFECTS})"))

    def told(self, result: RunResult) -> RunResult:
        """`result` with what is missing among its reasons. Without all of its evidence it is no pass."""
        if not self._reasons:
            return result
        missing = tuple(
            Reason.MISSING(what=reason if reason.startswith(f"{what}: ") else f"{what}: {reason}")
            for what, reason in self._reasons.items()
        )
        verdict = Verdict.merge([result.verdict, Verdict.UNKNOWN])
        return replace(result, verdict=verdict, reasons=(*result.reasons, *missing))
