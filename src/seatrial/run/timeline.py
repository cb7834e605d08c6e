"""Fires each step of a plan at its instant, and undoes each fault when its time is over.

    prepare (durable, up to a second early) ─► wait for the instant ─► fire ─► … ─► undo at `at + for`

One thread, one step after the other: what takes long delays the next step, and both instants are recorded.
Only looking delays nobody: whether an effect shows, and whether it is gone, is seen by threads beside. The
first step that fails ends the story, because what follows it would be told about another system.
"""

from __future__ import annotations

import contextlib
import functools
import threading
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import cast

from seatrial.drivers import output
from seatrial.model.problems import SeatrialError
from seatrial.model.result import StepRecord
from seatrial.model.secrets import shown_in
from seatrial.model.undo import UndoOutcome
from seatrial.run.clock import RunClock
from seatrial.run.evidence import RunJournal
from seatrial.run.plan import PlannedStep
from seatrial.run.sighting import Sighting
from seatrial.undo import calling
from seatrial.undo.clock import Instant
from seatrial.undo.injection import Injection, Life, Prepared
from seatrial.undo.journal import EntryState, What
from seatrial.undo.protocol import Fault, Following, Observable, Undo
from seatrial.undo.session import FaultSession
from seatrial.undo.undoing import Outcome, UndoFailedError
from seatrial.waiting import join_all

_PREPARE_EARLY_S = 1.0
_LOOK_WITHIN_S = 5.0
_TTL_MARGIN_S = (
    30.0  # how long after its planned end a fault is left to the conductor before the guardian acts
)


@dataclass(frozen=True, slots=True)
class _Moment:
    at_s: float
    step: PlannedStep
    undoes: bool


def moments(steps: Sequence[PlannedStep]) -> list[_Moment]:
    """All injections and undos in the order of their instants; at one instant, undos come first."""
    found = [_Moment(step.at_s, step, undoes=False) for step in steps]
    found += [_Moment(step.at_s + step.for_s, step, undoes=True) for step in steps if step.for_s is not None]
    return sorted(found, key=lambda moment: (moment.at_s, not moment.undoes))


def _verdict_of(undo: UndoOutcome) -> dict[str, UndoOutcome | bool | None]:
    """`undo` as a record has it; `verified`: yes, no, or nobody could tell."""
    verified = True if undo is UndoOutcome.VERIFIED else False if undo.left_behind else None
    return {"undo": undo, "verified": verified}


class Timeline(threading.Thread):
    """Conducts the steps of a plan. When it cannot go on, `failed` is called once, with the reason."""

    def __init__(
        self,
        steps: Sequence[PlannedStep],
        session: FaultSession,
        journal: RunJournal,
        clock: RunClock,
        zero_mono_s: float,
        end_s: float,
        failed: Callable[[str], None],
    ) -> None:
        """`zero_mono_s`: the instant on CLOCK_MONOTONIC from which `at` counts; `end_s`: the run's last."""
        super().__init__(name="seatrial-timeline", daemon=True)
        self._moments = moments(steps)
        self._session = session
        self._journal = journal
        self._clock = clock
        self._zero = zero_mono_s
        self._end_s = end_s
        self._failed = failed
        self._stopping = threading.Event()
        self._prepared: dict[str, Prepared] = {}
        self._sightings: dict[str, Sighting] = {}
        self._first: dict[str, Undo] = {}  # role → undo of the first action on it
        self._lock = threading.Lock()
        self._at = "its beginning"  # the step that is under way
        self._told = False
        self._records = {
            step.name: StepRecord(step.name, step.fault.kind, step.fault.name, step.role.name, step.at_s)
            for step in steps
        }

    @property
    def records(self) -> tuple[StepRecord, ...]:
        """What has become of each step so far, in the order of their instants."""
        with self._lock:
            return tuple(self._records.values())

    @property
    def zero_mono_s(self) -> float:
        """The instant on CLOCK_MONOTONIC from which all others of the records count."""
        return self._zero

    def stop(self) -> None:
        """Fire nothing more. A step that is under way is not cut off."""
        self._stopping.set()

    @property
    def died(self) -> bool:
        """Whether the thread is gone without having told how the story ended."""
        return self.ident is not None and not self.is_alive() and not self._told

    def run(self) -> None:
        """Tell the story. Whatever ends it too early is told to `failed`."""
        try:
            self._tell()
        except BaseException as error:  # a defect, or no memory: a thread that ends silently tells nobody
            try:
                self._break_off(error)
            except OSError:  # nothing can be written any more: that we have `died` is told in our stead
                return
        self._told = True

    def _tell(self) -> None:
        for moment in self._moments:
            self._at = moment.step.name
            try:
                (self._undo if moment.undoes else self._fire)(moment)
            except SeatrialError as error:
                self._fail(moment.step, error)
                return
            if self._stopping.is_set():
                return

    def _fail(self, step: PlannedStep, error: SeatrialError) -> None:
        reason = str(error)
        if isinstance(error, UndoFailedError):
            (outcome,) = error.outcomes
            reason = outcome.error
            self._note(step, **_verdict_of(outcome.undo_outcome))
        self._note(step, error=reason)
        self._failed(f"{step.name} failed: {reason}")
        self._write("step.failed", step, error=reason)

    def _break_off(self, error: BaseException) -> None:
        """Tell the conductor first: the journal may be what has failed. The trace is kept for us alone."""
        reason = f"the timeline broke off at {self._at}: {type(error).__name__}: {error}"
        self._failed(reason)
        now = self._clock.now()
        trace = "".join(traceback.format_exception(error))
        self._journal.write("timeline.broke-off", now, self._clock.wall(now), reason=reason, trace=trace)

    def look(self) -> None:
        """Before everything is undone, note for each fault in effect why its role is not well, if known."""
        looks = [
            threading.Thread(target=self._look_at, args=(moment.step,), daemon=True)
            for moment in self._moments
            if not moment.undoes and self._is_in_effect(moment.step.name)
        ]
        for look in looks:
            look.start()
        join_all(looks, _LOOK_WITHIN_S)  # nobody waits for long: it is all in effect still

    def _is_in_effect(self, name: str) -> bool:
        record = self._records[name]
        return record.injected_s is not None and record.undone_s is None

    def _look_at(self, step: PlannedStep) -> None:
        try:
            calling.healthy(step.fault, step.role)
        except SeatrialError as error:
            self._update(step.name, unwell=str(error))

    def note_undos(self) -> None:
        """After the session has ended: note how the undo of each step came out."""
        for sighting in tuple(self._sightings.values()):
            sighting.await_end()
        lives = {life.entry.id: life for life in self._session.history()}
        for name, prepared in self._prepared.items():
            if prepared.id in lives:
                self._note_undo(name, lives[prepared.id])

    def _note_undo(self, name: str, life: Life) -> None:
        self._update(name, undone_s=self._undone_s(life), **_verdict_of(life.undo))
        if life.error:
            self._update(name, error=life.error)

    # steps

    def _fire(self, moment: _Moment) -> None:
        step = moment.step
        if not self._wait_until(moment.at_s - _PREPARE_EARLY_S):
            return
        length_s = step.for_s if step.for_s is not None else self._end_s - step.at_s
        fault = self._continued(step)
        prepared = self._session.prepare(fault, step.role, length_s + _TTL_MARGIN_S, label=step.name)
        self._prepared[step.name] = prepared
        output.keep(prepared.undo.token, self._journal.beside(f"step-{step.name}.log"))
        self._note(step, undo=UndoOutcome.NOT_INJECTED, by_hand=prepared.undo.by_hand)
        if isinstance(fault, Following):
            self._first.setdefault(step.role.name, prepared.undo)
        self._write("step.prepared", step, touches=prepared.undo.touches)
        if not self._wait_until(moment.at_s):
            return
        self._note(step, undo=UndoOutcome.IN_EFFECT)  # from here on it may be there, whatever happens to us
        injection = self._session.fire(prepared)
        self._look_for_effect(step, prepared)
        before_s, after_s = self._instants(injection)
        self._note(step, before_s=before_s, injected_s=after_s)
        self._write("step.fired", step, before_s=before_s, after_s=after_s)

    def _undo(self, moment: _Moment) -> None:
        prepared = self._prepared.get(moment.step.name)
        if prepared is None or not self._wait_until(moment.at_s):
            return
        if sighting := self._sightings.get(moment.step.name):
            sighting.end()
        outcome = self._session.take_back(prepared)
        undone_s = self._undone_s(self._session.life(prepared))
        self._note(moment.step, undone_s=undone_s, **_verdict_of(outcome.undo_outcome))
        self._write("step.undone", moment.step, undone_s=undone_s)
        self._session.verify_beside(outcome, functools.partial(self._verified, moment.step))

    def _verified(self, step: PlannedStep, outcome: Outcome) -> None:
        """Take in what the verification beside the timeline has found."""
        if outcome.state is EntryState.UNDO_FAILED:
            self._fail(step, UndoFailedError([outcome]))
            return
        self._note(step, **_verdict_of(outcome.undo_outcome))
        self._write("step.verified", step, verified=outcome.verified)

    def _undone_s(self, life: Life) -> float | None:
        """The instant of the undo by the fault journal; verification comes after it."""
        undone = life.instants.get(What.UNDONE)
        return None if undone is None else undone.monotonic_ns / 1e9 - self._zero

    def _look_for_effect(self, step: PlannedStep, prepared: Prepared) -> None:
        def seen(instant: Instant) -> None:
            observed_s = instant.monotonic_ns / 1e9 - self._zero
            self._note(step, observed_s=observed_s)
            self._write("step.observed", step, observed_s=observed_s)
            with contextlib.suppress(SeatrialError):  # busy, or closed: the run's own journal has it
                self._session.observed(prepared, instant)

        if isinstance(prepared.fault, Observable):
            sighting = Sighting(prepared.fault, prepared.undo, seen)
            sighting.start()
            self._sightings[step.name] = sighting

    def _continued(self, step: PlannedStep) -> Fault:
        first = self._first.get(step.role.name)
        if first is None or not isinstance(step.fault, Following):
            return step.fault
        return cast("Fault", step.fault.following(first))

    def _instants(self, injection: Injection) -> tuple[float, float]:
        before, after = injection.before.monotonic_ns, injection.after.monotonic_ns
        return before / 1e9 - self._zero, after / 1e9 - self._zero

    def _wait_until(self, at_s: float) -> bool:
        """Whether the instant was reached; False when the run is being ended."""
        return not self._stopping.wait(max(0.0, self._zero + at_s - self._clock.now()))

    # records

    def _note(self, step: PlannedStep, **changes: float | str | None) -> None:
        self._update(step.name, **changes)

    def _update(self, name: str, **changes: float | str | None) -> None:
        with self._lock:
            self._records[name] = replace(self._records[name], **shown_in(changes))  # type: ignore[arg-type]

    def _write(self, event: str, step: PlannedStep, **details: object) -> None:
        now = self._clock.now()
        described = {"step": step.name, "does": step.fault.name, "role": step.role.name}
        self._journal.write(event, now, self._clock.wall(now), **described, **details)
