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

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum

from seatrial.explore.choosing import choose
from seatrial.explore.coverage import Coverage
from seatrial.explore.record import Finding, Outcome, Purpose, Record, Standing, Trial
from seatrial.explore.schedule import Schedule
from seatrial.explore.shrinking import shrink
from seatrial.explore.space import Space
from seatrial.model.verdict import Verdict

Run = Callable[[Schedule, Purpose], Outcome]
Keep = Callable[[Trial | Finding], None]

_DOUBT = 0.05  # the probability with which a part that fails may be taken for one that does not
_MOST_TRIES = 8


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
        examination = _Examination(self, origin, deque(tried))
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


def tries_needed(failed: int, of: int) -> int:
    """How often something that fails `failed` of `of` times is run until one that never failed is believed.

    It passes m times in a row by chance with (1 − p)^m; m is the least for which that is at most 5 %.
    """
    share = failed / of if of else 1.0
    if share >= 1.0:
        return 1
    return min(_MOST_TRIES, math.ceil(math.log(_DOUBT) / math.log(1 - share)) if share else _MOST_TRIES)


@dataclass(slots=True)
class _Examination:
    """A failure on its way to what it is: a flake, or a weakness with as little around it as possible."""

    exploration: Exploration
    origin: Trial
    tried: deque[Trial]  # by an exploration that ended before it was through
    runs: int = 0
    failed: int = 0
    of: int = 0
    whole: tuple[int, int] = (0, 0)  # the same of what failed first
    smallest: Schedule = ()
    passed: dict[Schedule, str] = field(default_factory=dict)
    last: Outcome | None = None  # the newest that failed

    def finding(self) -> Finding:
        """What it turns out to be. Raises TimeIsUp."""
        self.smallest = self.origin.schedule
        self.whole = self._repeated(self.origin.schedule)
        if not self.failed:
            return self._told(Standing.UNDECIDED if self.of < self.exploration.repeats else Standing.FLAKE)
        left = shrink(self.origin.schedule, self.exploration.space, self._fails, self._smaller)
        if left == self.origin.schedule:
            return self._told(Standing.FACT)
        self._repeated(left)
        if self.failed:
            return self._told(Standing.FACT)
        return self._of_the_whole()  # what was left failed by chance

    def so_far(self) -> Finding:
        """What is known of it when time is up."""
        if self.whole[0] and not self.failed:
            return self._of_the_whole()
        standing = Standing.FACT if self.failed else Standing.UNDECIDED
        return replace(self._told(standing), complete=False)

    def _of_the_whole(self) -> Finding:
        self.smallest, (self.failed, self.of) = self.origin.schedule, self.whole
        return replace(self._told(Standing.FACT), complete=False)

    def _told(self, standing: Standing) -> Finding:
        last = self.last or self.origin.outcome
        without = []
        for each in self.smallest:
            rest = {other.choice for other in self.smallest if other != each}
            fared = next(
                (said for part, said in self.passed.items() if {one.choice for one in part} == rest), ""
            )
            if fared:
                without.append((each.choice, fared))
        return Finding(
            standing=standing,
            schedule=self.smallest or self.origin.schedule,
            origin=self.origin.schedule,
            violated=self.origin.outcome.violated,
            failed=self.failed,
            of=self.of,
            without=tuple(without),
            reasons=last.reasons,
            run=last.run,
            runs=self.runs,
        )

    def _smaller(self, schedule: Schedule) -> None:
        self.smallest = schedule

    def _repeated(self, schedule: Schedule) -> tuple[int, int]:
        """How often it failed, of how many runs that were judged; what proved nothing is run once more."""
        repeats = self.exploration.repeats
        self.failed = self.of = 0
        for _ in range(2 * repeats):
            outcome = self._try(schedule, Purpose.REPEAT)
            if outcome.verdict is Verdict.UNKNOWN:
                continue
            self.of += 1
            self.failed += self._alike(outcome)
            if self.of == repeats:
                break
        return self.failed, self.of

    def _fails(self, part: Schedule) -> bool:
        """Whether a part fails as the whole did, in one of as many tries as the whole would have shown it."""
        passed = unknown = 0
        for _ in range(tries_needed(self.failed, self.of)):
            outcome = self._try(part, Purpose.SHRINK)
            if self._alike(outcome):
                return True
            unknown += outcome.verdict is Verdict.UNKNOWN
            passed += outcome.verdict is not Verdict.UNKNOWN
        told = f"kept what this breaks, {passed} of {passed + unknown} times"
        self.passed[part] = told + (f", {unknown} unknown" if unknown else "")
        return False

    def _alike(self, outcome: Outcome) -> bool:
        violated = self.origin.outcome.violated
        return outcome.failed and bool(outcome.violated & violated or not violated)

    def _try(self, schedule: Schedule, purpose: Purpose) -> Outcome:
        self.runs += 1
        if self.tried and (self.tried[0].schedule, self.tried[0].purpose) == (schedule, purpose):
            outcome = self.tried.popleft().outcome
        else:
            self.tried.clear()  # the space or the settings are others now: from here on nothing is known
            outcome = self.exploration.try_(schedule, purpose)
        if self._alike(outcome):
            self.last = outcome
        return outcome
