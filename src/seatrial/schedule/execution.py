"""One occurrence being run: a thread, a way to abort it, and how it ended."""

from __future__ import annotations

import logging
import threading
from typing import Protocol

from seatrial.model.problems import SeatrialError
from seatrial.model.result import RunResult
from seatrial.schedule.plan import Plan
from seatrial.store import Ending, Occurrence, OccurrenceState

_log = logging.getLogger(__name__)


class Execute(Protocol):
    """Runs what a plan names, and records it.

    When `abort` is set it must undo everything and return soon, with a result that says `interrupted`.
    """

    def __call__(self, plan: Plan, occurrence: Occurrence, abort: threading.Event) -> RunResult:
        """Run it. The result's verdict is that of the whole suite."""


class Execution:
    """An occurrence that this daemon has claimed and runs."""

    def __init__(self, plan: Plan, occurrence: Occurrence, claim: str, execute: Execute) -> None:
        self.plan = plan
        self.occurrence = occurrence
        self.claim = claim
        self._execute = execute
        self._abort = threading.Event()
        self._why_aborted = ""
        self._ending: Ending | None = None
        self._thread = threading.Thread(target=self._run, name=f"run {occurrence.schedule}")
        self._thread.start()

    def abort(self, why: str) -> None:
        """Ask it to undo everything and end. The first reason is the one recorded."""
        if not self._abort.is_set():
            _log.warning("%s is aborted: %s", self.occurrence.schedule, why)
            self._why_aborted = why
            self._abort.set()

    def ending(self) -> Ending | None:
        """How it ended, or None while it runs."""
        return None if self._thread.is_alive() else self._ending

    def _run(self) -> None:
        try:
            result = self._execute(self.plan, self.occurrence, self._abort)
        except SeatrialError as error:
            self._ending = Ending(OccurrenceState.INTERRUPTED, detail=self._why_aborted or str(error))
        except BaseException as error:
            _log.exception("%s ended with a defect", self.occurrence.schedule)
            detail = f"{type(error).__name__}: {error}"
            self._ending = Ending(OccurrenceState.INTERRUPTED, detail=detail)
        else:
            state = OccurrenceState.INTERRUPTED if result.interrupted else OccurrenceState.RUN
            detail = self._why_aborted if result.interrupted else ""
            detail = detail or "; ".join(result.reasons[:3])
            self._ending = Ending(state, result.run, result.verdict.value, detail)
