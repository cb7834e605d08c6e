"""What came of an exploration: the record behind `exploration.json`, `explore --json` and what is shown."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seatrial.explore.coverage import Coverage, interval
from seatrial.explore.record import Finding, Outcome, Purpose, Standing
from seatrial.explore.schedule import Schedule
from seatrial.explore.search import End, Exploration
from seatrial.explore.space import Space
from seatrial.explore.weaknesses import Weakness, weaknesses_of
from seatrial.model.exitcodes import ExitCode
from seatrial.model.reasons import Reason
from seatrial.model.result import RunResult
from seatrial.model.verdict import Verdict
from seatrial.trials.fault_choices import LeftOut


@dataclass(frozen=True, slots=True)
class Done:
    """An exploration that has ended; `end` is None as long as it goes on. `files`: of what was found now."""

    exploration: Exploration
    end: End | None
    directory: Path
    left_out: list[LeftOut]
    took_s: float
    files: dict[Schedule, Path] = field(default_factory=dict)

    @property
    def runs(self) -> dict[str, int]:
        """How many runs came out how. Those that proved nothing are no findings, and no proof either."""
        seen = Counter(trial.outcome.verdict for trial in self.exploration.trials)
        return {"total": len(self.exploration.trials), **{each.value: seen[each] for each in Verdict}}

    @property
    def weaknesses(self) -> list[Weakness]:
        """What stands, each once, whatever it was seen as."""
        return weaknesses_of(self.exploration.standing)

    @property
    def undecided(self) -> list[Finding]:
        """Failures of which nobody can tell yet what they are."""
        interim = [self.exploration.interim] if self.exploration.interim else []
        return [each for each in (*self.exploration.found, *interim) if each.standing is Standing.UNDECIDED]

    @property
    def exit_code(self) -> ExitCode:
        """1 when a weakness stands or something is left behind; 2 when nothing was proven."""
        if self.end is End.INTERRUPTED:
            return ExitCode.INTERRUPTED
        if self.exploration.standing or self.end in (End.CONTROL_FAILED, End.LEFT_BEHIND):
            return ExitCode.FAIL
        looked_at = (Purpose.SEARCH, Purpose.KNOWN)
        proven = any(
            trial.outcome.verdict is Verdict.PASS and trial.purpose in looked_at
            for trial in self.exploration.trials
        )
        return ExitCode.PASS if proven and not self.undecided else ExitCode.UNKNOWN


def account_of(done: Done) -> dict[str, Any]:
    """It as JSON-ready data."""
    exploration = done.exploration
    interim = [exploration.interim] if exploration.interim else []
    told = [*exploration.found, *interim]
    return {
        "seed": exploration.seed,
        "ended": done.end.value if done.end else None,
        "took_s": round(done.took_s, 3),
        "runs": done.runs,
        "coverage": coverage_of(exploration.space, Coverage.of(exploration.record.trials)),
        "weaknesses": [_weakness(each, done) for each in done.weaknesses],
        "not_looked_at": [_schedule(each.schedule, exploration.space) for each in exploration.unseen],
        "flakes": [_finding(each, done) for each in told if each.standing is Standing.FLAKE],
        "undecided": [_finding(each, done) for each in done.undecided],
        "mended": [_finding(each, done) for each in told if each.standing is Standing.MENDED],
        "not_here": [{"what": each.what, "why": each.why} for each in done.left_out],
        "directory": str(done.directory),
    }


def coverage_of(space: Space, coverage: Coverage) -> dict[str, Any]:
    """Of the faults, pairs and orders of a space how many were tried, and each fault how often."""
    return {
        **{name: {"tried": tried, "of": of} for name, (tried, of) in coverage.share(space).items()},
        "each": {key: coverage.faults[key] for key in space.keys},
    }


def _weakness(weakness: Weakness, done: Done) -> dict[str, Any]:
    """The plainest of its findings, and the others beside it."""
    plainest, *others = weakness.witnesses
    return {**_finding(plainest, done), "witnesses": [_finding(each, done) for each in others]}


def _finding(finding: Finding, done: Done) -> dict[str, Any]:
    low, high = interval(finding.failed, finding.of)
    file = done.files.get(finding.schedule)
    return {
        "standing": finding.standing.value,
        "schedule": _schedule(finding.schedule, done.exploration.space),
        "violated": sorted(finding.violated),
        "failed": finding.failed,
        "of": finding.of,
        "probability": [round(low, 4), round(high, 4)],
        "shrunk": finding.complete,
        "runs": finding.runs,
        "without": [{"fault": one, "then": fared} for one, fared in finding.without],
        "reasons": list(finding.reasons),
        "first_seen_as": _schedule(finding.origin, done.exploration.space),
        "evidence": finding.run,
        "experiment": str(file) if file else None,
    }


def _schedule(schedule: Schedule, space: Space) -> list[dict[str, Any]]:
    return [
        {
            "fault": each.choice,
            "at_s": round(each.at * space.slot_s, 6),
            "for_s": round(each.length * space.slot_s, 6),
        }
        for each in schedule
    ]


def outcome_of(result: RunResult, run: str) -> Outcome:
    """What exploration has to know of a run."""
    violated = {each.name for each in result.objectives if each.verdict is Verdict.FAIL}
    violated |= {each.name for each in result.checks if each.verdict is Verdict.FAIL}
    for reason in result.reasons:
        if Reason.NOT_STEADY_AGAIN.is_in(reason):
            violated.add("steady state")
        elif Reason.GUARD_HELD.is_in(reason):
            violated.add("guard")
    left = tuple(f"{step.does} on {step.role}: {step.undo_outcome}" for step in result.left_behind)
    failed = result.verdict is Verdict.FAIL
    return Outcome(result.verdict, _general(violated) if failed else frozenset(), result.reasons, run, left)


def _general(violated: set[str]) -> frozenset[str]:
    """Names of promises without the step that they count from, which is another in each schedule."""
    return frozenset(name.partition(" after ")[0] for name in violated)
