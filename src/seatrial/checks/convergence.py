"""Regions that both write have come to the same end, and lost nothing but what they declare.

    convergence: {max_drift: 30s}

Two accounts are held against each other: what clients were told (the request log) and what each replica says
it holds and has done (the recording, see `replicas`). After everything has been passed on,

* the replicas are equal, byte for byte, and hold what their operations come to and nothing else (no phantom);
* every acknowledged write is among the operations once, as it was asked for; no refused one is;
* an acknowledged write of a setting has won, or was overwritten: a later write was made where it was held; or
  else it was discarded for a greater stamp by a write that knew nothing of it, before anybody replaced it.
  The last is what last-writer-wins means: declared, and counted, whatever was written afterwards;
* a counter is the sum of the acknowledged additions (and of the indeterminate ones that are there), a set has
  the members whose addition no removal had seen;
* a stamp is greater than those of all that its operation builds on, by the replicas' account and by the
  clients'; and not further ahead of its region's clock than declared.

Anything else is a failure. A scenario gives each write a key of the form

    ID KIND TENANT NAME VALUE [after=ID …]       KIND: setting.put, counter.add, set.add, set.remove

where `after` names the write whose result the client had read. Operations on settings, counters and sets that
no write of this run names are other people's: they are replayed with the rest and otherwise left alone.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from seatrial.checks.causality import Dot, pasts_of, replaced
from seatrial.checks.protocol import History, RecordingCheck
from seatrial.checks.replicas import FAMILIES, Item, Operation, Recording, Replica, ReplicaState, expected
from seatrial.checks.write_outcomes import ACKNOWLEDGED, INDETERMINATE, REFUSED, WriteOutcomes
from seatrial.model.quantities import Duration
from seatrial.model.result import CheckResult
from seatrial.model.verdict import Verdict

if TYPE_CHECKING:
    from seatrial.model.requestlog import RequestLog
# What is wrong only once everything has been passed on; a run that was cut short may not have come to that.
_OF_THE_END = frozenset({
    "never arrived in a region", "replica differs from the first", "vector does not count the operations",
    "holding what no operation gives", "holding the wrong content", "counters off",
})  # fmt: skip

Outcome = Literal["acknowledged", "refused", "indeterminate"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """A write as its client tells of it."""

    identity: str
    kind: str
    tenant: str
    name: str
    value: str
    outcome: Outcome
    after: tuple[str, ...] = ()

    @property
    def item(self) -> Item:
        """What it was meant for."""
        return FAMILIES[self.kind], self.tenant, self.name

    def is_done_by(self, operation: Operation) -> bool:
        """Whether `operation` is what was asked for."""
        asked = (self.kind, self.tenant, self.name, self.value)
        return asked == (operation.kind, operation.tenant, operation.name, str(operation.value))


def attempts_of(log: RequestLog) -> list[Attempt]:
    """The writes of `log` to settings, counters and sets. Raises ValueError for a malformed key."""
    writes = WriteOutcomes.of(log)
    outcomes: tuple[tuple[Outcome, int], ...] = (
        ("acknowledged", ACKNOWLEDGED),
        ("refused", REFUSED),
        ("indeterminate", INDETERMINATE),
    )
    return [
        _attempt(identity, content, outcome)
        for outcome, ended in outcomes
        for identity, content in writes.told(ended)
        if content.partition(" ")[0] in FAMILIES
    ]


def _attempt(identity: str, content: str, outcome: Outcome) -> Attempt:
    kind, *words = content.split(" ")
    after = [word.removeprefix("after=") for word in words[3:]]
    if len(words) < 3 or any(not word.startswith("after=") for word in words[3:]):
        raise ValueError(f"the key '{identity} {content}' is not ID KIND TENANT NAME VALUE [after=ID …]")
    return Attempt(identity, kind, words[0], words[1], words[2], outcome, tuple(after))


@dataclass(slots=True)
class Findings:
    """What is wrong, how often, and the first instance of each; and the figures."""

    wrong: Counter[str] = field(default_factory=Counter)
    first: dict[str, str] = field(default_factory=dict)
    figures: dict[str, float] = field(default_factory=dict)

    def add(self, what: str, instance: object) -> None:
        """One more instance of something wrong."""
        self.wrong[what] += 1
        self.first.setdefault(what, str(instance))

    def __str__(self) -> str:
        return ", ".join(
            f"{count:,} {what} (first: {self.first[what]})" for what, count in self.wrong.items()
        )


def judge_replicas(recording: Recording, attempts: Sequence[Attempt], max_drift_s: float) -> Findings:
    """All that is wrong with `recording`, given what clients attempted.

    Raises ValueError for a state that cannot be read.
    """
    findings = Findings()
    operations = _united(recording.replicas, findings)
    _judge_agreement(recording.replicas, operations, findings)
    _judge_stamps(operations, max_drift_s, findings)
    by_key: dict[str, list[Operation]] = {}
    for operation in operations.values():
        by_key.setdefault(operation.key, []).append(operation)
    _judge_writes(attempts, by_key, findings)
    _judge_dependencies(attempts, by_key, findings)
    _judge_counters(recording.replicas, attempts, by_key, findings)
    _account_for_settings(attempts, operations, by_key, findings)
    return findings


# what replicas say of themselves and of each other


def _united(replicas: Sequence[Replica], findings: Findings) -> dict[Dot, Operation]:
    """The operations of all histories. Each must stand in each once, unaltered, in its region's order."""
    united: dict[Dot, Operation] = {}
    for replica in replicas:
        upto: dict[str, int] = {}
        for operation in replica.history:
            origin, number = operation.dot
            if number != upto.get(origin, 0) + 1:
                findings.add("out of order in a history", f"{operation} in {replica.region}")
            upto[origin] = number
            if united.setdefault(operation.dot, operation) != operation:
                findings.add("told differently by two replicas", operation)
    for replica in replicas:
        missing = united.keys() - {operation.dot for operation in replica.history}
        for dot in sorted(missing):
            findings.add("never arrived in a region", f"{united[dot]} in {replica.region}")
    return united


def _judge_agreement(
    replicas: Sequence[Replica], operations: Mapping[Dot, Operation], findings: Findings
) -> None:
    must_hold = expected(operations.values())
    counts = dict(Counter(origin for origin, _ in operations))
    crdts_wrong = 0
    for replica in replicas:
        if replica.state != replicas[0].state:
            findings.add("replica differs from the first", replica.region)
        if hashlib.sha256(replica.state.encode()).hexdigest() != replica.digest:
            findings.add("digest is not that of the state", replica.region)
        state = ReplicaState.parse(replica.state)
        if dict(state.vector) != counts:
            findings.add("vector does not count the operations", replica.region)
        held = state.held()
        for item in sorted(must_hold.keys() | held.keys()):
            if held.get(item) != must_hold.get(item):
                what = (
                    "holding what no operation gives"
                    if item not in must_hold
                    else "holding the wrong content"
                )
                crdts_wrong += item[0] != "settings"
                findings.add(what, f"{replica.region}: {'/'.join(item)}: {_shown(held.get(item))}")
    findings.figures["crdts_wrong"] = crdts_wrong


def _judge_stamps(operations: Mapping[Dot, Operation], max_drift_s: float, findings: Findings) -> None:
    """Stamps follow causality and stay near physical time.

    Along a region stamps must grow; so it is enough to look at the last operation of each region that an
    operation had seen.
    """
    violations, furthest_us = 0, 0
    for operation in operations.values():
        seen = {**operation.context, operation.origin: operation.number - 1}
        for origin, number in seen.items():
            before = operations.get((origin, number))
            if number and (before is None or before.stamp >= operation.stamp):
                violations += 1
                findings.add("stamped before what it builds on", operation)
        ahead_us = operation.stamp[0] - operation.physical_us
        furthest_us = max(furthest_us, ahead_us)
        if not 0 <= ahead_us <= max_drift_s * 1e6:
            findings.add("stamped too far from its clock", f"{operation}: {ahead_us / 1e6:+.3f} s")
    findings.figures["causality_violations"] = violations
    findings.figures["drift_max_s"] = furthest_us / 1e6


# what clients were told


def _judge_writes(
    attempts: Sequence[Attempt], by_key: Mapping[str, Sequence[Operation]], findings: Findings
) -> None:
    outcomes = Counter(attempt.outcome for attempt in attempts)
    lost: Counter[str] = Counter()
    kept = 0
    for attempt in attempts:
        done = by_key.get(attempt.identity, ())
        if attempt.outcome == "acknowledged" and not done:
            lost[FAMILIES[attempt.kind]] += 1
            findings.add("acknowledged and lost", attempt.identity)
        elif attempt.outcome == "refused" and done:
            findings.add("refused and carried out all the same", attempt.identity)
        if len(done) > 1:
            findings.add("carried out more than once", attempt.identity)
        if any(not attempt.is_done_by(operation) for operation in done):
            findings.add("carried out as something else", attempt.identity)
        kept += attempt.outcome == "indeterminate" and bool(done)
    mine = {attempt.item for attempt in attempts}
    keys = {attempt.identity for attempt in attempts}
    strange = [each for key, done in by_key.items() if key not in keys for each in done]
    for operation in strange:
        if operation.item in mine:
            findings.add("of unknown origin", operation)
    findings.figures |= {
        "acknowledged": outcomes["acknowledged"],
        "refused": outcomes["refused"],
        "indeterminate": outcomes["indeterminate"],
        "indeterminate_there": kept,
        "lost": lost.total(),
        "lost_from_crdts": lost["counters"] + lost["sets"],
        "others": sum(operation.item not in mine for operation in strange),
    }


def _judge_dependencies(
    attempts: Sequence[Attempt], by_key: Mapping[str, Sequence[Operation]], findings: Findings
) -> None:
    """By the clients' account: who writes after reading is stamped after what was read."""
    dependencies = 0
    for attempt in attempts:
        for operation in by_key.get(attempt.identity, ()):
            for before in (known for key in attempt.after for known in by_key.get(key, ())):
                dependencies += 1
                if before.stamp >= operation.stamp:
                    findings.figures["causality_violations"] += 1
                    findings.add("stamped before what its client had read", operation)
    findings.figures["client_dependencies"] = dependencies


def _judge_counters(
    replicas: Sequence[Replica],
    attempts: Sequence[Attempt],
    by_key: Mapping[str, Sequence[Operation]],
    findings: Findings,
) -> None:
    """A counter is the sum that clients were promised, exactly, up to what is indeterminate and there."""
    promised: Counter[Item] = Counter()
    for attempt in attempts:
        there = attempt.outcome == "indeterminate" and attempt.identity in by_key
        if attempt.kind == "counter.add" and (attempt.outcome == "acknowledged" or there):
            promised[attempt.item] += int(attempt.value)
    difference = 0
    for replica in replicas:
        held = ReplicaState.parse(replica.state).held()
        for item, amount in promised.items():
            value = held.get(item, 0)
            if value != amount:
                difference += abs(value - amount) if isinstance(value, int) else 0
                findings.add("counters off", f"{replica.region}: {'/'.join(item)}: {value}, not {amount}")
    findings.figures["counter_difference"] = difference


def _account_for_settings(
    attempts: Sequence[Attempt],
    operations: Mapping[Dot, Operation],
    by_key: Mapping[str, Sequence[Operation]],
    findings: Findings,
) -> None:
    """What became of each acknowledged write of a setting: won, overwritten, or discarded."""
    carried = {attempt.identity: attempt.after for attempt in attempts if attempt.after}
    pasts = pasts_of(operations, carried, by_key)
    settings: dict[Item, list[Operation]] = {}
    for operation in sorted(operations.values(), key=lambda each: each.rank):
        if operation.kind == "setting.put":
            settings.setdefault(operation.item, []).append(operation)
    won = {writes[-1].dot for writes in settings.values()}
    gone = {dot for writes in settings.values() for dot in replaced(writes, pasts)}
    fates: Counter[str] = Counter()
    for attempt in attempts:
        if attempt.kind != "setting.put" or attempt.outcome != "acknowledged":
            continue
        for operation in by_key.get(attempt.identity, ())[:1]:
            over = "overwritten" if operation.dot in gone else "discarded_by_lww"
            fates["won" if operation.dot in won else over] += 1
    findings.figures |= {fate: fates[fate] for fate in ("won", "overwritten", "discarded_by_lww")}


def _shown(content: object) -> str:
    text = str(sorted(content) if isinstance(content, frozenset) else content)
    return text if len(text) <= 80 else text[:80] + "…"


# the check


class Convergence(RecordingCheck):
    """Regions that both write, after the run."""

    name: ClassVar[str] = "convergence"
    recorder: ClassVar[str] = "replicas"

    role: str = Field(default="regions", examples=["regions"])
    """The role through which the replicas are asked."""
    max_drift: Duration = Duration(30.0)
    """By how much the clocks of the regions may differ."""

    def judge(self, history: History) -> CheckResult:
        read = self.recorded(history, lambda data: self._read(data, history))
        return read if isinstance(read, CheckResult) else self._verdict(*read, history.cut)

    def _read(self, data: bytes, history: History) -> tuple[Recording, Findings]:
        recording, attempts = Recording.parse(data), attempts_of(history.log)
        return recording, judge_replicas(recording, attempts, self.max_drift.seconds)

    def _verdict(self, recording: Recording, findings: Findings, cut: str) -> CheckResult:
        figures = findings.figures
        agreed_s = recording.agreed_after_s
        figures["agreed_after_s"] = math.nan if agreed_s is None else agreed_s
        said = f"{figures['acknowledged']:,.0f} acknowledged in {len(recording.replicas)} regions"
        if findings.wrong and cut and findings.wrong.keys() <= _OF_THE_END:
            return self.found(
                Verdict.UNKNOWN, f"the run was cut short ({cut}): {said}: {findings}", **figures
            )
        if findings.wrong:
            return self.found(Verdict.FAIL, f"{said}: {findings}", **figures)
        if not figures["acknowledged"] or len(recording.replicas) < 2:
            return self.found(Verdict.UNKNOWN, f"{said}: nothing could have come apart", **figures)
        return self.found(
            Verdict.PASS,
            f"{said}, replicas equal, nothing lost from counters and sets; "
            f"discarded by declared LWW: {figures['discarded_by_lww']:,.0f}; "
            f"{figures['indeterminate']:,.0f} indeterminate, {figures['indeterminate_there']:,.0f} there",
            **figures,
        )
