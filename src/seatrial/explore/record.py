"""What was tried, and what came of it: one line of JSON each, so that a kill loses one line at most.

From these lines everything else follows: coverage, which schedule is next, how far a failure was looked into.
An exploration that is continued reads them and goes on as if it had never ended.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from seatrial.explore.schedule import SLOTS, Injection, Schedule, scheduled
from seatrial.model.verdict import Verdict


class Purpose(StrEnum):
    """What a run of an exploration is for."""

    CONTROL = "control"
    """The load alone, before anything: what keeps no promise without a fault need not be explored."""
    KNOWN = "known"
    """A weakness that was found earlier: is it still there?"""
    SEARCH = "search"
    """Faults that were not tried together yet."""
    REPEAT = "repeat"
    """A failure once more: a flake, or a fact?"""
    SHRINK = "shrink"
    """A part of what failed: does that fail too?"""


class Standing(StrEnum):
    """What a failure has turned out to be."""

    FACT = "fact"
    """It failed again when it was repeated: a weakness, shrunk and written as an experiment of its own. How
    often it failed, and between which shares its probability lies, stands beside it."""
    FLAKE = "flake"
    """It did not fail again when it was repeated. That is no proof that it cannot: the upper end of the
    interval says how often it may."""
    UNDECIDED = "undecided"
    """Its repetitions proved nothing, or time ran out before there were enough: not a finding, and no proof
    of the contrary either."""
    MENDED = "mended"
    """A weakness that was found earlier, and does not fail any more."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run. `violated`: the promises that it broke, by name; `run`: where its evidence is."""

    verdict: Verdict
    violated: frozenset[str] = frozenset()
    reasons: tuple[str, ...] = ()
    run: str = ""
    left_behind: tuple[str, ...] = ()  # what is not known to be undone: nothing else may be run

    @property
    def failed(self) -> bool:
        """Whether a promise was broken, and that is proven."""
        return self.verdict is Verdict.FAIL


@dataclass(frozen=True, slots=True)
class Trial:
    """One run: of which schedule, what for, with what outcome."""

    schedule: Schedule
    purpose: Purpose
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Finding:
    """A failure that was looked into. `origin`: what failed first; `schedule`: what is left of it.

    `failed` of `of` repetitions failed, the first failure not counted, for it was what led here. `without`:
    each of its faults, and how the rest fared when that was left out. `complete`: it was shrunk to the end.
    """

    standing: Standing
    schedule: Schedule
    origin: Schedule
    violated: frozenset[str]
    failed: int
    of: int
    without: tuple[tuple[str, str], ...] = ()
    reasons: tuple[str, ...] = ()
    run: str = ""
    runs: int = 0  # that were needed to tell and to shrink it
    complete: bool = True


@dataclass(slots=True)
class Record:
    """All trials and findings of a target, in their order."""

    trials: list[Trial] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    _open: list[Trial] = field(
        default_factory=list
    )  # since the last finding or the last search that was none

    def add(self, entry: Trial | Finding) -> None:
        """Take in what was just tried or found."""
        if isinstance(entry, Finding):
            self.findings.append(entry)
            self._open.clear()
            return
        self.trials.append(entry)
        if entry.purpose is Purpose.SEARCH:
            self._open = [entry] if entry.outcome.failed else []
        elif self._open and entry.purpose in (Purpose.REPEAT, Purpose.SHRINK):
            self._open.append(entry)

    @property
    def unfinished(self) -> tuple[Trial, ...]:
        """A failure that nobody has got to the bottom of, and what was tried of it since; empty for none."""
        return tuple(self._open)

    @property
    def known(self) -> list[Finding]:
        """The weaknesses that stand, each as it was told last; what was mended since is left out."""
        standing: dict[Schedule, Finding] = {}
        for finding in self.findings:
            if finding.standing is Standing.FACT:
                standing[finding.schedule] = finding
            elif finding.standing is Standing.MENDED:
                standing.pop(finding.schedule, None)
        return list(standing.values())

    @property
    def chosen(self) -> list[Trial]:
        """The schedules that were chosen, by which the next is.

        What was tried beside them, to repeat, to shrink, to look again, differs with how often an exploration
        was broken off; what is chosen must not.
        """
        return [trial for trial in self.trials if trial.purpose is Purpose.SEARCH]

    @property
    def searched(self) -> int:
        """How many schedules were chosen so far."""
        return len(self.chosen)


# as lines


def line_of(entry: Trial | Finding, slot_s: float) -> str:
    """One line of JSON; `slot_s`: the length of its slots in seconds."""
    if isinstance(entry, Trial):
        data: dict[str, Any] = {
            "kind": "trial",
            "purpose": entry.purpose.value,
            "schedule": _plain(entry.schedule),
            "verdict": entry.outcome.verdict.value,
            "violated": sorted(entry.outcome.violated),
            "reasons": list(entry.outcome.reasons),
            "run": entry.outcome.run,
        }
    else:
        data = {
            "kind": "finding",
            "standing": entry.standing.value,
            "schedule": _plain(entry.schedule),
            "origin": _plain(entry.origin),
            "violated": sorted(entry.violated),
            "failed": entry.failed,
            "of": entry.of,
            "without": [list(each) for each in entry.without],
            "reasons": list(entry.reasons),
            "run": entry.run,
            "runs": entry.runs,
            "complete": entry.complete,
        }
    return json.dumps({**data, "slot_s": slot_s}, ensure_ascii=False, separators=(",", ":"))


def record_of(lines: Iterable[str], slot_s: float) -> Record:
    """What lines tell, on a grid of slots of `slot_s` seconds. One that is torn or damaged is passed over."""
    record = Record()
    for line in lines:
        try:
            record.add(_entry(json.loads(line), slot_s))
        except (ValueError, KeyError, TypeError, ArithmeticError, RecursionError):
            continue
    return record


def _plain(schedule: Schedule) -> list[list[Any]]:
    return [[each.at, each.choice, each.length] for each in schedule]


def _entry(data: dict[str, Any], slot_s: float) -> Trial | Finding:
    scale = float(data["slot_s"]) / slot_s
    if not 0 < scale < math.inf:
        raise ValueError(f"no length of a slot: {data['slot_s']}")
    schedule = _scheduled(data["schedule"], scale)
    violated, reasons = frozenset(map(str, data["violated"])), tuple(map(str, data["reasons"]))
    if data["kind"] == "trial":
        outcome = Outcome(Verdict(data["verdict"]), violated, reasons, str(data["run"]))
        return Trial(schedule, Purpose(data["purpose"]), outcome)
    failed, of = int(data["failed"]), int(data["of"])
    if not 0 <= failed <= of:
        raise ValueError(f"{failed} of {of} repetitions failed")
    return Finding(
        standing=Standing(data["standing"]),
        schedule=schedule,
        origin=_scheduled(data["origin"], scale),
        violated=violated,
        failed=failed,
        of=of,
        without=tuple((str(one), str(fared)) for one, fared in data["without"]),
        reasons=reasons,
        run=str(data["run"]),
        runs=int(data["runs"]),
        complete=bool(data["complete"]),
    )


def _scheduled(written: list[list[Any]], scale: float) -> Schedule:
    """A schedule on another grid: what is longer than a slot there stays so, and nothing leaves the grid."""
    injections = []
    for at, choice, length in written:
        if int(at) < 0 or int(length) < 1:
            raise ValueError(f"no slots of any grid: {length} from {at}")
        there = min(round(int(at) * scale), SLOTS - 1)
        long = min(max(1, math.ceil(int(length) * scale - 1e-9)), SLOTS - there)
        injections.append(Injection(there, str(choice), long))
    return scheduled(injections)
