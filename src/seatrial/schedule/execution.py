"""One occurrence being run: a thread, a way to abort it, and how it ended."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from seatrial.model.problems import SeatrialError
from seatrial.model.result import RunResult
from seatrial.model.suiteresult import SuiteResult
from seatrial.model.verdict import Verdict
from seatrial.schedule.loading import LoadedSchedule
from seatrial.store import Occurrence, OccurrenceEnding, OccurrenceState

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an occurrence that was run: the verdict of the whole, and what of it proved nothing.

    A suite of which one experiment failed and another came out unknown has failed, and yet has something
    `unproven`; each is a sentence. `interrupted`: it was not run to its end.
    """

    run: str
    verdict: Verdict
    reasons: tuple[str, ...] = ()
    unproven: tuple[str, ...] = ()
    interrupted: bool = False

    @classmethod
    def of_run(cls, result: RunResult) -> Outcome:
        """That of a single run."""
        return cls._of(result.run, result.verdict, (result,), result.interrupted)

    @classmethod
    def of_suite(cls, whole: SuiteResult) -> Outcome:
        """That of a suite's runs, with what befell the suite as a whole."""
        found = cls._of(whole.directory.name, whole.verdict, whole.runs, whole.interrupted)
        return replace(found, reasons=(*whole.reasons, *found.reasons))

    @classmethod
    def _of(cls, run: str, verdict: Verdict, results: Sequence[RunResult], interrupted: bool) -> Outcome:
        return cls(
            run,
            verdict,
            reasons=tuple(_told(result) for result in results if result.verdict is not Verdict.PASS),
            unproven=tuple(_told(result) for result in results if result.verdict is Verdict.UNKNOWN),
            interrupted=interrupted,
        )


def _told(result: RunResult) -> str:
    why = result.reasons[0] if result.reasons else f"it is {result.verdict.value}"
    return f"{result.experiment}: {why}"


class Execute(Protocol):
    """Runs what a schedule names, and records it.

    When `abort` is set it must undo everything and return soon, with an outcome that says `interrupted`.
    """

    def __call__(self, loaded: LoadedSchedule, occurrence: Occurrence, abort: threading.Event) -> Outcome:
        """Run it."""


class OccurrenceExecution:
    """An occurrence that this daemon has claimed and runs.

    `by_hand`: a person at a terminal has ended it. `unproven`: what of it proved nothing, once it has ended.
    """

    def __init__(self, loaded: LoadedSchedule, occurrence: Occurrence, claim: str, execute: Execute) -> None:
        self.loaded = loaded
        self.occurrence = occurrence
        self.claim = claim
        self.by_hand = False
        self.unproven: tuple[str, ...] = ()
        self._execute = execute
        self._abort = threading.Event()
        self._why_aborted = ""
        self._ending: OccurrenceEnding | None = None
        self._thread = threading.Thread(target=self._run, name=f"run {occurrence.schedule}")
        self._thread.start()

    def abort(self, why: str, *, by_hand: bool = False) -> None:
        """Ask it to undo everything and end. The first reason is the one recorded."""
        if not self._abort.is_set():
            _log.warning("%s is aborted: %s", self.occurrence.schedule, why)
            self._why_aborted = why
            self.by_hand = by_hand
            self._abort.set()

    def ending(self) -> OccurrenceEnding | None:
        """How it ended, or None while it runs."""
        return None if self._thread.is_alive() else self._ending

    def _run(self) -> None:
        try:
            outcome = self._execute(self.loaded, self.occurrence, self._abort)
        except SeatrialError as error:
            self._ending = OccurrenceEnding(
                OccurrenceState.INTERRUPTED, detail=self._why_aborted or str(error)
            )
        except BaseException as error:
            _log.exception("%s ended with a defect", self.occurrence.schedule)
            detail = f"{type(error).__name__}: {error}"
            self._ending = OccurrenceEnding(OccurrenceState.INTERRUPTED, detail=detail)
        else:
            self.unproven = outcome.unproven
            state = OccurrenceState.INTERRUPTED if outcome.interrupted else OccurrenceState.RUN
            detail = self._why_aborted if outcome.interrupted else ""
            detail = detail or "; ".join(outcome.reasons[:3])
            self._ending = OccurrenceEnding(state, outcome.run, outcome.verdict.value, detail)
