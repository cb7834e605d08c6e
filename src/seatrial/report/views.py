"""Records as the rows that templates show: every figure already text, every position already per cent."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from seatrial.model.figures import (
    NOT_MEASURED,
    UNKNOWN,
    allowed,
    at_least,
    bounds,
    count,
    exactly,
    instant,
    measured,
    seconds,
    share,
)  # fmt: skip
from seatrial.model.figures import latency as latency_text
from seatrial.model.result import Failover, Latency, ObjectiveResult, Outage, RunResult, StepRecord
from seatrial.model.undo import UndoOutcome
from seatrial.model.verdict import Verdict
from seatrial.report.overview import NameRow
from seatrial.report.sentences import phase_length
from seatrial.report.steps import left_behind, undone

_LONGEST_TEXT = 400
_SHORT_REVISION = 12  # digits, of which git needs 10 to 12 in the largest repositories


@dataclass(frozen=True, slots=True)
class Scale:
    """An interval drawn against its target, from zero; all positions in per cent of the width."""

    left: float
    width: float
    target: float


@dataclass(frozen=True, slots=True)
class ObjectiveView:
    """One objective as shown."""

    name: str
    allowed: str
    target: str
    at_least: bool
    measured: str
    verdict: Verdict
    reason: str
    scale: Scale | None


def measured_text(result: ObjectiveResult) -> str:
    """What was measured, in brackets, for places without drawings."""
    shown = measured(result)
    return NOT_MEASURED if shown is None else shown.bracketed


def objective(result: ObjectiveResult) -> ObjectiveView:
    """Text and scale of an objective."""
    shown = measured(result)
    return ObjectiveView(
        name=clip(result.name),
        allowed=allowed(result.target, result.unit),
        target=exactly(result.target, result.unit),
        at_least=at_least(result.unit),
        measured=NOT_MEASURED if shown is None else str(shown),
        verdict=result.verdict,
        reason=clip(result.reason),
        scale=_scale(result),
    )


def _scale(result: ObjectiveResult) -> Scale | None:
    """Zero at the left, the largest finite end an eighth short of the right edge."""
    if result.lower is None:
        return None
    lower, target = result.lower, result.target
    upper = math.inf if result.upper is None else result.upper
    full = max(end for end in (lower, upper, target) if math.isfinite(end)) * 8 / 7
    if full <= 0:
        return None
    left, right = (100 * min(max(value, 0.0), full) / full for value in (lower, upper))
    return Scale(round(left, 3), round(right - left, 3), round(100 * max(target, 0.0) / full, 3))


def key_objective(result: RunResult) -> ObjectiveResult | None:
    """The figure that the run was made for: its worst downtime or recovery objective, else its first."""
    times = [one for one in result.objectives if one.unit == "s"]
    severity = (Verdict.FAIL, Verdict.UNKNOWN, Verdict.PASS)
    return min(times or result.objectives, key=lambda one: severity.index(one.verdict), default=None)


@dataclass(frozen=True, slots=True)
class OutageView:
    """One outage as shown."""

    number: int
    after: str
    began: str
    perceived: str
    server: str
    equivalent: str
    bad: str
    runs: str


def outage(number_: int, one: Outage) -> OutageView:
    """Text of an outage."""
    return OutageView(
        number=number_,
        after=clip(one.name),
        began=instant(one.start_s),
        perceived=str(bounds(one.perceived)),
        server=str(bounds(one.server)),
        equivalent=seconds(one.equivalent_s),
        bad=count(one.bad),
        runs=count(one.runs),
    )


@dataclass(frozen=True, slots=True)
class StepView:
    """One step of the timeline as shown. `verified`: None when nothing happened, or nobody could tell."""

    number: int
    name: str
    does: str
    kind: str
    planned: str
    happened: str
    seen: str  # how long after it was asked for the effect showed from outside; empty: nobody saw it
    undone: str
    verified: bool | None
    error: str
    left: str  # what is left behind, in a sentence; empty when nothing is
    by_hand: str  # the command that undoes what is left


def step(number_: int, one: StepRecord) -> StepView:
    """Text of a step."""
    happened = one.injected_s if one.injected_s is not None else one.before_s
    return StepView(
        number=number_,
        name=clip(one.name or one.does),
        does=clip(f"{one.does} on {one.role}" if one.role else one.does),
        kind=clip(one.kind),
        planned=instant(one.planned_s),
        happened="did not happen" if happened is None else _happened(one),
        seen=_seen(one),
        undone=_undone(one),
        verified=one.verified,
        error="" if one.left_behind else clip(one.error),
        left=clip(left_behind(one)) if one.left_behind else "",
        by_hand=one.by_hand if one.left_behind else "",
    )


def _happened(one: StepRecord) -> str:
    """Between just before and just after the effect."""
    if one.before_s is None or one.injected_s is None:
        return instant(one.before_s if one.injected_s is None else one.injected_s)
    return f"{instant(one.before_s).removesuffix(' s')} … {instant(one.injected_s)}"


def _seen(one: StepRecord) -> str:
    if one.observed_s is None or one.before_s is None:
        return ""
    return f"effect seen {seconds(one.observed_s - one.before_s)} after"


def _undone(one: StepRecord) -> str:
    """When it was undone, or why not. An action has this too: what it changed is put back at the end."""
    if one.undone_s is not None and one.undo_outcome is not UndoOutcome.NOT_INJECTED:
        return instant(one.undone_s)
    return undone(one)


@dataclass(frozen=True, slots=True)
class PhaseView:
    """One phase of a failover as shown."""

    name: str
    took: str
    over: str
    source: str


@dataclass(frozen=True, slots=True)
class FailoverView:
    """One failover as shown."""

    step: str
    phases: tuple[PhaseView, ...]
    whole: str  # "" when not every end is known


def failover(one: Failover) -> FailoverView:
    """Text of a failover."""
    phases = (
        PhaseView(phase.name, phase_length(phase), instant(phase.end_s), clip(phase.source or UNKNOWN))
        for phase in one.phases
    )
    return FailoverView(clip(one.step), tuple(phases), "" if one.length_s is None else seconds(one.length_s))


@dataclass(frozen=True, slots=True)
class Fact:
    """A name and its value; nested facts are indented by `depth`."""

    name: str
    value: str
    depth: int = 0


def facts(mapping: Mapping[str, Any], depth: int = 0) -> Iterator[Fact]:
    """A JSON mapping of any shape as rows; what is deeper than two levels is shown as JSON."""
    for key, value in mapping.items():
        name = clip(str(key).replace("_", " "))
        if isinstance(value, Mapping) and depth < 2:
            yield Fact(name, "", depth)
            yield from facts(value, depth + 1)
        else:
            yield Fact(name, clip(_value(value)), depth)


def _value(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return f"{value:.6g}"
    return json.dumps(value, ensure_ascii=False, default=str)


@dataclass(frozen=True, slots=True)
class EventView:
    """One line of the journal as shown."""

    wall: str
    event: str
    details: str


def event(line: Mapping[str, Any]) -> EventView:
    """Text of a journal line."""
    details = {key: value for key, value in line.items() if key not in ("event", "wall", "mono")}
    shown = ", ".join(f"{key} {_value(value)}" for key, value in details.items())
    return EventView(clip(_value(line.get("wall", ""))), clip(_value(line.get("event", ""))), clip(shown))


@dataclass(frozen=True, slots=True)
class FileView:
    """One evidence file as shown."""

    what: str
    file: str
    sha256: str


def files(evidence: Mapping[str, str], digests: Mapping[str, str]) -> Sequence[FileView]:
    """Evidence files with the digests that are known; `sha256` in `evidence` is that of the request log."""
    known = dict(digests)
    if "sha256" in evidence and "requests" in evidence:
        known.setdefault(evidence["requests"], evidence["sha256"])
    rows = {file: what for what, file in evidence.items() if what != "sha256"}
    rows |= {file: "" for file in digests if file not in rows}
    return [FileView(clip(what), clip(file), clip(known.get(file, ""))) for file, what in rows.items()]


@dataclass(frozen=True, slots=True)
class LatencyView:
    """Latencies as shown."""

    p50: str
    p90: str
    p95: str
    p99: str
    max: str


def latency(found: Latency) -> LatencyView:
    """Text of latencies; it says where answers were too few, or a figure is only a lower bound."""
    figures = (found.p50_ms, found.p90_ms, found.p95_ms, found.p99_ms, found.max_ms)
    known = found.answers, found.at_least_from_ms, found.off_by_ms
    return LatencyView(*(latency_text(each, *known) for each in figures))


@dataclass(frozen=True, slots=True)
class NameView:
    """One request name as shown."""

    name: str
    requests: str
    bad: str
    good: str
    latency: LatencyView | None  # None: nobody was answered


def name(row: NameRow) -> NameView:
    """Text of a request name."""
    return NameView(
        clip(row.name or "no name"),
        count(row.requests),
        count(row.bad),
        share(row.good_share),
        None if row.latency is None else latency(row.latency),
    )


def moment(text: str) -> str:
    """An instant as it was recorded, for people: `2026-11-29 09:32:37 UTC`."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return clip(text)
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if at.tzinfo else clip(text)


def revision(text: str) -> str:
    """A git revision as people write it: short, and still with the mark of changes to files."""
    digest, mark, changes = text.partition("+")
    return clip(f"{digest[:_SHORT_REVISION]}{mark}{changes}")


def clip(text: str) -> str:
    """Text from outside, at a length that a table can hold."""
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"
