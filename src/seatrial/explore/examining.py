"""A failure on its way to what it is: a flake, or a weakness with as little around it as possible.

    failed once ─► repeated ─┬─ never again ─► flake
                             ├─ now and then ─► made surer, if it can be, and then
                             └─ again ─► shrunk ─► repeated ─┬─ as surely ─► fact
                                  ▲                          ├─ more rarely ─► a step back, repeated
                                  └───── by another part ◄───┴─ never ─► that step had failed by chance

Runs are dear, so the whole is repeated only until it has failed twice in a row; what is left of it is
repeated as often as was asked for.
"""

from __future__ import annotations

import math
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from seatrial.explore.record import Finding, Outcome, Purpose, Standing, Trial
from seatrial.explore.schedule import Schedule, choices_of
from seatrial.explore.shrinking import fewer, shrink, surer
from seatrial.explore.space import Space
from seatrial.model.verdict import Verdict

Run = Callable[[Schedule, Purpose], Outcome]

_DOUBT = 0.05  # the probability with which a part that fails may be taken for one that does not
_MOST_TRIES = 8
_ENOUGH_TO_SHRINK = 2  # repetitions that all failed
_STEPS_BACK = 2  # at most, to what fails more surely
_ROUNDS = 3


def tries_needed(failed: int, of: int) -> int:
    """How often something that fails `failed` of `of` times is run until one that never failed is believed.

    It passes m times in a row by chance with (1 − p)^m; m is the least for which that is at most 5 %.
    """
    share = failed / of if of else 1.0
    if share >= 1.0:
        return 1
    return min(_MOST_TRIES, math.ceil(math.log(_DOUBT) / math.log(1 - share)) if share else _MOST_TRIES)


@dataclass(slots=True)
class Told:
    """What became of one schedule. `failed` of `of` repetitions; the rest counts all of its runs."""

    failed: int = 0
    of: int = 0
    broke: int = 0
    kept: int = 0
    unknown: int = 0

    @property
    def share(self) -> float:
        """Of its repetitions, those that failed."""
        return self.failed / self.of if self.of else 0.0

    @property
    def fared(self) -> str:
        """In words."""
        told = f"kept what this breaks, {self.kept} of {self.kept + self.broke + self.unknown} times"
        return told + (f", {self.unknown} unknown" if self.unknown else "")


@dataclass(slots=True)
class Examination:
    """Looks into one failure. `tried`: runs of one that was broken off, which are not run again.

    `passed`: schedules that were chosen earlier and kept their promises.
    """

    origin: Trial
    space: Space
    repeats: int
    run: Run
    tried: deque[Trial]
    passed: Sequence[Schedule] = ()
    runs: int = 0
    steps: list[Schedule] = field(
        default_factory=list
    )  # from the whole to the smallest, each of which failed
    told: dict[Schedule, Told] = field(default_factory=lambda: defaultdict(Told))
    by_chance: set[Schedule] = field(default_factory=set)  # steps that were taken and did not fail again
    untold: bool = False  # whether something was taken for needed because its runs proved nothing
    last: Outcome | None = None  # the newest that failed

    def finding(self) -> Finding:
        """What it turns out to be. Whatever `run` raises ends it; `so_far` is what is known then."""
        whole = self.origin.schedule
        self.steps = [whole]
        self._repeat(whole, surely=_ENOUGH_TO_SHRINK)
        if not self.told[whole].failed:
            return self._found(Standing.UNDECIDED if self.told[whole].of < self.repeats else Standing.FLAKE)
        if self.told[whole].share < 1.0:
            self._make_surer()
        for _ in range(_ROUNDS):
            tries, known = self._tries, len(self.by_chance)
            shrink(self.smallest, self.space, self._fails, self._smaller, self.passed)
            self._settle()
            if len(self.by_chance) == known:
                break
        if self._tries > tries:
            self._doubt()
        return self._found(Standing.FACT)

    def so_far(self) -> Finding:
        """What is known of it when time is up: of the smallest that was repeated."""
        failed = [each for each in self.steps if self.told[each].failed]
        self.steps = failed or [self.origin.schedule]
        return replace(self._found(Standing.FACT if failed else Standing.UNDECIDED), complete=False)

    @property
    def smallest(self) -> Schedule:
        """What is left as yet."""
        return self.steps[-1]

    @property
    def _tries(self) -> int:
        return tries_needed(self.told[self.smallest].failed, self.told[self.smallest].of)

    def _make_surer(self) -> None:
        """What fails now and then may fail each time if it lasts longer, and is soon shrunk then."""
        whole = self.smallest
        for candidate in surer(whole, self.space):
            self._repeat(candidate, surely=_ENOUGH_TO_SHRINK)
            if self.told[candidate].share > self.told[self.smallest].share:
                self.steps = [whole, candidate]
            if self.told[candidate].share == 1.0:
                return

    def _settle(self) -> None:
        """Repeat what is left, and go back to what failed more surely.

        A fault can be made so short that it is just enough, now and then, and who has to mend it wants to see
        it. What does not fail again at all had failed by chance.
        """
        seen = []
        spare = _STEPS_BACK
        while True:
            left = self.smallest
            self._repeat(left, surely=self.repeats)
            seen.append(left)
            told = self.told[left]
            if told.share == 1.0 or len(self.steps) == 1:
                break
            if told.failed:
                if not spare or len(self.steps[-2]) > len(left):
                    break
                spare -= 1
            elif told.of:
                self.by_chance.add(left)
            self.steps.pop()
        best = max(seen, key=lambda each: self.told[each].share)
        if best != self.smallest:
            self._smaller(best)

    def _doubt(self) -> None:
        """What is left fails more rarely than was thought: a part that passed may fail as well."""
        left = fewer(self.smallest, self._fails)
        if left != self.smallest:
            self._smaller(left)
            self._settle()

    def _smaller(self, schedule: Schedule) -> None:
        self.steps.append(schedule)
        self.untold = False

    def _repeat(self, schedule: Schedule, surely: int) -> None:
        """Until it was judged as often as was asked for, or `surely` times when it failed each time.

        What proved nothing is run once more.
        """
        told = self.told[schedule]
        for _ in range(2 * self.repeats):
            if told.of >= self.repeats or told.failed == told.of >= surely:
                return
            outcome = self._try(schedule, Purpose.REPEAT)
            if outcome.verdict is not Verdict.UNKNOWN:
                told.of += 1
                told.failed += self._alike(outcome)

    def _fails(self, part: Schedule) -> bool:
        """Whether a part fails as the whole did, in one of as many tries as the whole would have shown it.

        What proved nothing is no try, and is run again as often as that.
        """
        if part in self.by_chance:
            return False
        tries = self._tries if self.told[self.smallest].of else tries_needed(*self._whole)
        passed = unknown = 0
        while passed < tries and unknown <= tries:
            outcome = self._try(part, Purpose.SHRINK)
            if self._alike(outcome):
                return True
            unknown += outcome.verdict is Verdict.UNKNOWN
            passed += outcome.verdict is not Verdict.UNKNOWN
        self.untold |= passed < tries
        return False

    @property
    def _whole(self) -> tuple[int, int]:
        return self.told[self.origin.schedule].failed, self.told[self.origin.schedule].of

    def _alike(self, outcome: Outcome) -> bool:
        violated = self.origin.outcome.violated
        return outcome.failed and bool(outcome.violated & violated or not violated)

    def _try(self, schedule: Schedule, purpose: Purpose) -> Outcome:
        self.runs += 1
        if self.tried and (self.tried[0].schedule, self.tried[0].purpose) == (schedule, purpose):
            outcome = self.tried.popleft().outcome
        else:
            self.tried.clear()  # the space or the settings are others now: from here on nothing is known
            outcome = self.run(schedule, purpose)
        told = self.told[schedule]
        if self._alike(outcome):
            self.last = outcome
            told.broke += 1
        elif outcome.verdict is Verdict.UNKNOWN:
            told.unknown += 1
        else:
            told.kept += 1
        return outcome

    def _found(self, standing: Standing) -> Finding:
        last = self.last or self.origin.outcome
        told = self.told[self.smallest]
        return Finding(
            standing=standing,
            schedule=self.smallest,
            origin=self.origin.schedule,
            violated=self.origin.outcome.violated,
            failed=told.failed,
            of=told.of,
            without=tuple(self._without()),
            reasons=last.reasons,
            run=last.run,
            runs=self.runs,
            complete=not self.untold,
        )

    def _without(self) -> Iterator[tuple[str, str]]:
        """Each fault of what is left, and how the rest fared when that was left out."""
        for each in self.smallest:
            rest = choices_of(self.smallest) - {each.choice}
            fared = next((told.fared for part, told in self.told.items() if choices_of(part) == rest), "")
            if fared:
                yield each.choice, fared
