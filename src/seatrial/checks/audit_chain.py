"""The audit log is whole, unaltered and signed, and was signed again soon after each fault.

    audit-chain: {catch_up: 10s}

What the target said of its log was written down as a ledger (see `seatrial.lookups.audit`) and is verified as
one: every entry continues the one before, from the first; every checkpoint is signed by a declared key, over
the entries that are there. `seatrial ledger verify` says the same of the same directory. Beside it stands

    {"entries": 600000, "asked_at": 1700000099.5,             instants in seconds since 1970
     "checkpoints": [{"size": 8000, "signed_at": 1700000000.9}, …],
     "ingested": [[120, 1700000000.2], …],                how long the log was when; may be missing
     "keys": ["example.org/audit+1c40…+AjBZ…"]}

A signer that was away has a backlog. When has it caught up with what was ingested before the fault's undo, at
T? With the first checkpoint over that many entries, if it is known how many they were. If not, the answer
lies between the first checkpoint signed after T and the first over the whole log, and is judged on the
latter. These instants are on the target's clock, which must go with ours.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field, TypeAdapter, ValidationError

from seatrial.checks.protocol import History, RecordingCheck
from seatrial.ledger import VerifierKey, VerifyReport, verify
from seatrial.model.figures import bounds as shown
from seatrial.model.problems import BadInput
from seatrial.model.quantities import Duration
from seatrial.model.result import Bounds, CheckResult
from seatrial.model.strict import counted_in
from seatrial.model.verdict import Verdict, judge_bounds


@dataclass(frozen=True, slots=True)
class Signed:
    """A checkpoint as it is told of: how many entries it covers, and when it was signed."""

    size: int
    signed_at: float


@dataclass(frozen=True, slots=True)
class AuditRecording:
    """What was told of the log."""

    entries: int
    asked_at: float  # the last time that it was looked at
    checkpoints: tuple[Signed, ...]  # by size
    keys: tuple[str, ...]
    ingested: tuple[tuple[int, float], ...] = ()  # entries, and when there were so many

    def covered_at(self, entries: int) -> float:
        """When the first so many entries were signed; never is infinity."""
        return next((each.signed_at for each in self.checkpoints if each.size >= entries), math.inf)


class AuditChain(RecordingCheck):
    """The audit log after the run."""

    name: ClassVar[str] = "audit-chain"
    recorder: ClassVar[str] = "audit-log"

    role: str = Field(default="audit", examples=["audit"])
    """The role through which the log is asked for."""
    catch_up: Duration = Duration(60.0)
    """The longest time from a fault's undo until all that was there before it is signed."""
    unsigned: Annotated[int, Field(ge=0), counted_in("entries")] = 0
    """How many entries may be unsigned at the end."""

    def judge(self, history: History) -> CheckResult:
        recorded = history.told(self.recording)
        if recorded.data is None:
            return self.found(Verdict.UNKNOWN, recorded.error)
        try:
            recording, report = _verified(recorded.data, recorded.directory)
        except (ValueError, BadInput) as error:
            return self.found(Verdict.UNKNOWN, f"the recording cannot be read: {error}")
        if not recording.entries and not recording.checkpoints:
            return self.found(Verdict.UNKNOWN, "the audit log is empty, so nothing could be lost or altered")
        return self._verdict(recording, report, history)

    def _verdict(self, recording: AuditRecording, report: VerifyReport, history: History) -> CheckResult:
        caught_up = dict(catching_up(recording, history))
        at_the_end = Verdict.UNKNOWN if history.cut else Verdict.FAIL  # whoever was cut short cannot catch up
        judged = [(_altered(report), Verdict.FAIL), (self._unsigned(report), at_the_end)]
        judged += [("no checkpoint vouches for it", Verdict.UNKNOWN)] if not report.checkpoints else []
        late = [self._late(step, bounds) for step, bounds in caught_up.items()]
        judged += [(text, at_the_end if verdict is Verdict.FAIL else verdict) for text, verdict in late]
        wrong = [(text, verdict) for text, verdict in judged if text]
        figures = {
            "entries": report.entries,
            "checkpoints": report.checkpoints,
            "unsigned": report.entries - report.signed,
            "fully_signed_after_s": max(
                recording.covered_at(recording.entries) - history.zero_wall_s - history.end_s, 0.0
            ),
            "longest_without_signature_s": longest_without_signature_s(recording, history),
        }
        if caught_up:
            figures["catch_up_lower_s"] = max(bounds.lower_s for bounds in caught_up.values())
            figures["catch_up_upper_s"] = max(bounds.upper_s for bounds in caught_up.values())
        said = f"{report.entries:,} entries chain; {report.checkpoints:,} checkpoints sign {report.signed:,}"
        if wrong:
            verdict = Verdict.merge(each for _, each in wrong)
            return self.found(verdict, f"{said}: {'; '.join(text for text, _ in wrong)}", **figures)
        after = "".join(f"; {shown(bounds).bracketed} after {step}" for step, bounds in caught_up.items())
        return self.found(Verdict.PASS, f"{said}{after and '; caught up' + after[1:]}", **figures)

    def _unsigned(self, report: VerifyReport) -> str:
        count = report.entries - report.signed
        return f"{count:,} entries are not signed, {self.unsigned:,} may be" if count > self.unsigned else ""

    def _late(self, step: str, bounds: Bounds) -> tuple[str, Verdict]:
        verdict = judge_bounds(bounds.lower_s, bounds.upper_s, self.catch_up.seconds)
        if verdict is Verdict.PASS:
            return "", verdict
        return f"caught up {shown(bounds).bracketed} after {step}, {self.catch_up} is allowed", verdict


def _verified(data: bytes, ledger: Path | None) -> tuple[AuditRecording, VerifyReport]:
    """Raises ValueError (an unreadable key is one) or BadInput when there is no ledger."""
    try:
        recording = _RECORDING.validate_json(data)
    except ValidationError as error:
        raise ValueError(error.errors()[0]["msg"]) from error
    if ledger is None or not recording.keys:
        raise ValueError("without a ledger and a key there is nothing to hold it against")
    keys = [VerifierKey.parse(key) for key in recording.keys]
    return recording, verify(ledger, keys)


_RECORDING = TypeAdapter(AuditRecording)


def _altered(report: VerifyReport) -> str:
    """What is wrong with the log itself; empty when nothing is.

    Lines and notes came whole from the target: one without its end was not torn by a crash.
    """
    bad = report.first_bad
    if bad is not None:
        entries = f"entry {bad.seq}" if bad.seq == bad.last else f"one of the entries {bad.seq} … {bad.last}"
        more = f" (and {len(report.findings) - 1} more)" if len(report.findings) > 1 else ""
        return f"{entries}: {bad.problem}{more}"
    return "the last line or checkpoint is not whole" if report.torn_bytes else ""


def catching_up(recording: AuditRecording, history: History) -> Iterator[tuple[str, Bounds]]:
    """For each fault that was undone, how long it took until all that was ingested before was signed."""
    for step in history.steps:
        if step.kind == "fault" and step.undone_s is not None:
            yield step.name, _catch_up(recording, history.zero_wall_s + step.undone_s)


def _catch_up(recording: AuditRecording, since: float) -> Bounds:
    """`since`: seconds since 1970, or not a number when nobody knows. See the derivation above."""
    if math.isnan(since):
        return Bounds(0.0, math.inf)
    if recording.ingested:
        entries = max((size for size, at in recording.ingested if at < since), default=0)
        upper = recording.covered_at(entries)
        lower = min(upper, recording.asked_at)
    else:
        upper = recording.covered_at(recording.entries)
        after = (each.signed_at for each in recording.checkpoints if each.signed_at >= since)
        lower = min(upper, next(after, recording.asked_at))
    return Bounds(max(0.0, lower - since), max(0.0, upper - since))


def longest_without_signature_s(recording: AuditRecording, history: History) -> float:
    """The longest time between two signatures of the run, or from its start to the first."""
    instants: Sequence[float] = sorted(each.signed_at - history.zero_wall_s for each in recording.checkpoints)
    during = [0.0, *(at for at in instants if at > 0)]
    return max((later - earlier for earlier, later in pairwise(during)), default=math.nan)
