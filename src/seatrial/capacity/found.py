"""What a search for capacity has found, told as a sentence, as a run's result, and as `capacity.json`.

The document's keys are a contract: their names and meanings stay. A rate that is not known is null.

| key               | what it is                                                                            |
|-------------------|---------------------------------------------------------------------------------------|
| run, experiment   | the search's id, and the experiment whose load was offered                            |
| verdict, reasons  | against `from_per_s`: pass, it holds; fail, it is proven not to                       |
| over, stop        | whether the search came to its end, and why it ended                                  |
| answer            | the result in a sentence                                                              |
| objectives        | what a rate had to keep                                                               |
| lower_per_s       | the highest rate that held, in arrivals (or `counts`) a second                        |
| upper_per_s       | the lowest that did not; null when none was proven not to                             |
| generator_per_s   | the lowest rate that the load generator could not offer                               |
| undecided_per_s   | rates between them whose trials did not agree                                         |
| trials[]          | number, run, directory, rate, rate_per_s, outcome, why, and what was measured         |
| law               | the scalability law: peak_per_s, lower_per_s, upper_per_s, contention, coherency, none |
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from seatrial.capacity.law import Law, Point, fitted
from seatrial.capacity.search import Known, Outcome, Settings, Stop, Tried, known
from seatrial.model.capacity import name_of, objective_of
from seatrial.model.figures import exactly
from seatrial.model.result import ObjectiveResult, RunResult, plain
from seatrial.model.verdict import Verdict

_UNIT = "per_s"


@dataclass(frozen=True, slots=True)
class Trial:
    """One run of the experiment at one rate, and what it showed. None: not measured."""

    number: int
    run: str
    directory: str  # inside the search's
    rate: str  # as people write it
    rate_per_s: float
    outcome: Outcome
    why: str = ""
    offered_per_s: float | None = None
    good_per_s: float | None = None
    bad_share: float | None = None
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    at_least_from_ms: float | None = None  # percentiles from here on are lower bounds
    in_flight: float | None = None  # requests under way on the mean
    late_p99_ms: float | None = None

    @property
    def tried(self) -> Tried:
        """What the search has to know of it."""
        well = None if self.bad_share is None else 1.0 - self.bad_share
        return Tried(self.rate_per_s, self.outcome, well if well is None else self.rate_per_s * well)


@dataclass(frozen=True, slots=True)
class Found:
    """A search as far as it has come. `stop` is None while it goes on."""

    run: str
    experiment: str
    title: str
    target: str
    started_at: str
    objectives: tuple[str, ...]
    counts: str  # what the rates count, arrivals or requests
    settings: Settings
    trials: tuple[Trial, ...] = ()
    stop: Stop | None = None
    interrupted: bool = False
    covers: tuple[str, ...] = ()
    left_behind: tuple[str, ...] = field(default=())  # what a trial could not undo
    changed: str = ""  # what trials are made of, and is not any more what it was

    @property
    def known(self) -> Known:
        """The interval."""
        return known([trial.tried for trial in self.trials], self.settings)

    @property
    def law(self) -> Law:
        """The scalability law through the trials that the generator did well in."""
        good = (trial for trial in self.trials if trial.outcome in (Outcome.HELD, Outcome.BROKEN))
        return fitted([
            Point(trial.in_flight, trial.good_per_s)
            for trial in good
            if trial.in_flight is not None and trial.good_per_s is not None
        ])  # fmt: skip

    @property
    def verdict(self) -> Verdict:
        """Whether `from` holds: proven, proven not to, or neither."""
        now = self.known
        if self.left_behind:
            return Verdict.FAIL
        if self.stop is None or self.interrupted:
            return Verdict.UNKNOWN
        if now.lower_per_s is not None and now.lower_per_s >= self.settings.from_per_s:
            return Verdict.PASS
        broken = now.upper_per_s is not None and now.upper_per_s <= self.settings.from_per_s
        return Verdict.FAIL if broken else Verdict.UNKNOWN


def rate_text(per_s: float) -> str:
    """A rate with a second and a minute of it: people speak of either."""
    return f"{exactly(per_s, 'per_s')} ({exactly(round(per_s * 60, 3), 'per_min')})"


def answer(found: Found) -> str:
    """What is known of the capacity, in a sentence that claims no more."""
    now = found.known
    lower, upper = now.lower_per_s, now.upper_per_s
    if lower is None and upper is None:
        return f"not known: no rate was decided{_because(found)}"
    if lower is None:
        assert upper is not None
        return f"below {rate_text(upper)}: no rate that was tried held{_because(found)}"
    if upper is None:
        return f"at least {rate_text(lower)}{_because(found)}"
    told = f"between {rate_text(lower)}, which held, and {rate_text(upper)}, which did not"
    if now.undecided_per_s:
        rates = ", ".join(exactly(rate, "per_s") for rate in now.undecided_per_s)
        told += f"; trials at {rates} did not agree"
    return told + (_because(found) if found.stop is not Stop.FOUND else "")


_ENDED = {
    Stop.FOUND: "",
    Stop.HIGHEST: "the highest rate that was to be tried",
    Stop.UNDECIDED: "trials of the same rate do not agree",
    Stop.LOWEST: "even a small part of the first rate was not held",
    Stop.BUDGET: "there was no time for more trials",
    Stop.WORKERS: "the load workers could not be had for another trial",
    Stop.LEFT_BEHIND: "a trial left something behind",
}


def _because(found: Found) -> str:
    limit = found.known.generator_per_s
    if limit is not None and found.known.upper_per_s is None:
        why = next(
            trial.why
            for trial in found.trials
            if trial.rate_per_s == limit and trial.outcome is Outcome.GENERATOR
        )
        return f": the load generator was the limit, at {exactly(limit, 'per_s')} {why}"
    if found.interrupted:
        return ": the search was interrupted"
    if found.stop is None:
        return ": the search is not over"
    if found.stop is Stop.CHANGED:
        return f": {found.changed}, and further trials would be of something else"
    if found.stop is Stop.UNDECIDED and (last := found.trials[-1]).outcome is Outcome.UNKNOWN:
        return f": what came of trials at {exactly(last.rate_per_s, 'per_s')} is not known: {last.why}"
    return f": {_ENDED[found.stop]}" if _ENDED.get(found.stop) else ""


def result_of(found: Found, evidence: dict[str, str]) -> RunResult:
    """The search as a run: for the history, the matrix and comparisons over months."""
    now, verdict = found.known, found.verdict
    decided = now.lower_per_s is not None or now.upper_per_s is not None
    capacity = ObjectiveResult(
        name=objective_of(found.objectives),
        target=found.settings.from_per_s,
        lower=(now.lower_per_s or 0.0) if decided else None,
        upper=(math.inf if now.upper_per_s is None else now.upper_per_s) if decided else None,
        unit=_UNIT,
        verdict=Verdict.UNKNOWN if found.left_behind else verdict,
        reason=answer(found),
    )
    reasons = () if verdict is Verdict.PASS else (*found.left_behind, f"capacity: {answer(found)}")
    return RunResult(
        run=found.run,
        experiment=name_of(found.experiment),
        title=f"Capacity: {found.title or found.experiment}",
        target=found.target,
        verdict=verdict,
        reasons=reasons,
        started_at=found.started_at,
        interrupted=found.interrupted,
        measurement=None,
        objectives=(capacity,),
        covers=found.covers,
        evidence=evidence,
    )


def capacity_document(found: Found, directory: str) -> dict[str, Any]:
    """`capacity.json`."""
    now = found.known
    settings = found.settings
    return {
        "run": found.run,
        "experiment": found.experiment,
        "title": found.title,
        "target": found.target,
        "verdict": found.verdict.value,
        "reasons": list(result_of(found, {}).reasons),
        "started_at": found.started_at,
        "interrupted": found.interrupted,
        "over": found.stop is not None,
        "stop": found.stop.value if found.stop else None,
        "answer": answer(found),
        "objectives": list(found.objectives),
        "counts": found.counts,
        "from_per_s": settings.from_per_s,
        "to_per_s": plain(settings.to_per_s),
        "width": settings.width,
        "repeats": settings.repeats,
        "lower_per_s": now.lower_per_s,
        "upper_per_s": now.upper_per_s,
        "generator_per_s": now.generator_per_s,
        "undecided_per_s": list(now.undecided_per_s),
        "trials": plain(found.trials),
        "law": plain(found.law),
        "directory": directory,
    }


def in_order(trials: Sequence[Trial]) -> list[Trial]:
    """By rate, for charts and tables."""
    return sorted(trials, key=lambda trial: (trial.rate_per_s, trial.number))
