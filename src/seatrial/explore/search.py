"""One exploration: the control, what is known, and then search, until time, schedules or patience run out.

    control ─ fails ─► nothing to explore          known weaknesses ─ pass ─► mended
       │ passes
       └─► choose ─► run ─┬─ pass or unknown ─► choose …
                          └─ fail ─► repeat ─┬─ never again ─► flake
                                             └─ again ─► shrink ─► repeat what is left ─► fact

Whoever runs a schedule raises `TimeIsUp` when there is no time for another, which ends all of this wherever
it stands. What was tried of a failure until then is in the record, and is gone through again, without being
run again, by whoever continues.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum

from seatrial.explore.choosing import choose
from seatrial.explore.coverage import Coverage
from seatrial.explore.examining import Examination, Run, tries_needed
from seatrial.explore.record import Finding, Outcome, Purpose, Record, Standing, Trial
from seatrial.explore.schedule import Schedule
from seatrial.explore.space import Space
from seatrial.model.verdict import Verdict

Keep = Callable[[Trial | Finding], None]


class TimeIsUp(Exception):  # noqa: N818  # what it is
    """There is no time for another run."""


class End(StrEnum):
    """Why an exploration ended."""

    TIME = "time"
    """The budget was over, with too little left for another run."""
    FOUND = "found"
    """A weakness was found, and the first was to be the last."""
    EXHAUSTED = "exhausted"
    """No schedule is left that does not hold a weakness that is known."""
    CONTROL_FAILED = "control-failed"
    """The load alone, without a fault, broke a promise: that has to be mended first."""
    CONTROL_UNKNOWN = "control-unknown"
    """The load alone proved nothing, so nothing else would."""
    LEFT_BEHIND = "left-behind"
    """A fault is not known to be undone, so nothing else may be injected."""
    INTERRUPTED = "interrupted"
    """Somebody asked for the end."""


class _Left(Exception):  # noqa: N818
    """A run left something behind."""


@dataclass(slots=True)
class Exploration:
    """What came of one. `interim`: the failure that was being looked into when time was up."""

    space: Space
    record: Record
    seed: int
    repeats: int
    run: Run
    keep: Keep
    first: bool = False  # whether the first weakness that is found ends it
    trials: list[Trial] = field(default_factory=list)
    found: list[Finding] = field(default_factory=list)
    interim: Finding | None = None
    unseen: list[Finding] = field(default_factory=list)  # known, and not looked at again

    def explore(self) -> End:
        """Until it ends; nothing is raised but by `run` and `keep`."""
        self.unseen = [each for each in self.record.known if self.space.has(each.schedule)]
        try:
            if (end := self._control()) is not None:
                return end
            for finding in list(self.unseen):
                self._look_again(finding)
                self.unseen.remove(finding)
            if self.record.unfinished:
                origin, *tried = self.record.unfinished
                if self.space.legal(origin.schedule):
                    self._examine(origin, tried)
            return End.FOUND if self._has_enough else self._search()
        except TimeIsUp:
            return End.TIME
        except _Left:
            return End.LEFT_BEHIND

    @staticmethod
    def foreseen(space: Space, record: Record, seed: int, count: int) -> list[Schedule]:
        """The schedules that come next, if each of them passes."""
        ahead = Record(list(record.trials), list(record.findings))
        coverage = Coverage.of(ahead.chosen)
        coming: list[Schedule] = []
        while len(coming) < count and (schedule := choose(space, ahead, coverage, seed)) is not None:
            trial = Trial(schedule, Purpose.SEARCH, Outcome(Verdict.PASS))
            ahead.add(trial)
            coverage.add(trial)
            coming.append(schedule)
        return coming

    @property
    def standing(self) -> list[Finding]:
        """Every weakness that is not known to be mended."""
        interim = [self.interim] if self.interim and self.interim.standing is Standing.FACT else []
        return [*(each for each in self.record.known if self.space.has(each.schedule)), *interim]

    def _control(self) -> End | None:
        for _ in range(2):  # a machine that was busy for a moment is no reason to give up
            outcome = self.try_((), Purpose.CONTROL)
            if outcome.verdict is Verdict.PASS:
                return None
        return End.CONTROL_FAILED if outcome.failed else End.CONTROL_UNKNOWN

    def _look_again(self, known: Finding) -> None:
        """A weakness that has passed as often as it takes to be believed is mended."""
        passed = 0
        for _ in range(tries_needed(known.failed, known.of)):
            outcome = self.try_(known.schedule, Purpose.KNOWN)
            if outcome.failed:
                return
            passed += outcome.verdict is Verdict.PASS
        if passed == tries_needed(known.failed, known.of):
            self._keep(replace(known, standing=Standing.MENDED, failed=0, of=passed, run=outcome.run))

    def _search(self) -> End:
        coverage = Coverage.of(self.record.chosen)
        while (schedule := choose(self.space, self.record, coverage, self.seed)) is not None:
            outcome = self.try_(schedule, Purpose.SEARCH)
            trial = self.trials[-1]
            coverage.add(trial)
            if outcome.failed:
                self._examine(trial, [])
            if self._has_enough:
                return End.FOUND
        return End.EXHAUSTED

    @property
    def _has_enough(self) -> bool:
        return self.first and any(each.standing is Standing.FACT for each in self.found)

    def _examine(self, origin: Trial, tried: list[Trial]) -> None:
        passed = [each.schedule for each in self.record.chosen if each.outcome.verdict is Verdict.PASS]
        examination = Examination(origin, self.space, self.repeats, self.try_, deque(tried), passed)
        try:
            finding = examination.finding()
        except (TimeIsUp, _Left):
            self.interim = examination.so_far()
            raise
        self._keep(finding)

    def try_(self, schedule: Schedule, purpose: Purpose) -> Outcome:
        """Run a schedule, and have it kept before anything follows from it."""
        outcome = self.run(schedule, purpose)
        trial = Trial(schedule, purpose, outcome)
        self.record.add(trial)
        self.trials.append(trial)
        self.keep(trial)
        if outcome.left_behind:
            raise _Left
        return outcome

    def _keep(self, finding: Finding) -> None:
        self.record.add(finding)
        self.found.append(finding)
        self.keep(finding)
