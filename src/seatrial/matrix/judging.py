"""Rows from findings: pure, so that a matrix can be judged again from a bundle, years later and elsewhere.

findings of a row          row
one fails                  fail
else one is unknown        unknown        (none at all is unknown, too)
else one is stale          stale          expired, or its evidence is gone
else all pass              pass
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from seatrial.matrix.finding import Finding, Kind
from seatrial.model.exitcodes import ExitCode
from seatrial.model.noticing import Detection
from seatrial.model.readiness import Readiness, Row
from seatrial.model.verdict import Verdict


class RowVerdict(StrEnum):
    """Of a row. Stale: it passed, and that was too long ago or can no longer be shown."""

    PASS = "pass"  # noqa: S105  # a verdict, not a password
    STALE = "stale"
    UNKNOWN = "unknown"
    FAIL = "fail"


_SEVERITY = (RowVerdict.PASS, RowVerdict.STALE, RowVerdict.UNKNOWN, RowVerdict.FAIL)


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """A row, judged. `reason`: why it is not a pass."""

    id: str
    requirement: str
    risk: str
    owner: str
    target: str
    verdict: RowVerdict
    reason: str
    findings: tuple[Finding, ...]
    at: datetime  # when it was judged

    @property
    def key(self) -> Finding | None:
        """The finding to show first: the one that keeps it from passing, else the first with a figure."""
        deciding = next(
            (each for each in self.findings if told(each, self.at) == (self.verdict, self.reason)), None
        )
        with_figure = next((each for each in self.findings if each.figure), None)
        return deciding if self.verdict is not RowVerdict.PASS else with_figure or deciding

    @property
    def measured(self) -> bool:
        """Whether it passes on measurements alone: no other tool's word, and no person's."""
        return self.verdict is RowVerdict.PASS and all(each.kind is Kind.MEASURED for each in self.findings)

    @property
    def detections(self) -> tuple[Detection, ...]:
        """Who noticed what was broken in the runs that it rests on, each once."""
        return tuple(dict.fromkeys(one for each in self.findings for one in each.detections))

    @property
    def costed(self) -> Finding | None:
        """The first finding whose run tells what a million requests cost."""
        return next((each for each in self.findings if each.cost), None)

    @property
    def expires_at(self) -> datetime | None:
        """When the first of its evidence expires."""
        return min((each.expires_at for each in self.findings if each.expires_at), default=None)

    @property
    def oldest_at(self) -> datetime | None:
        """When the oldest of its evidence was made."""
        return min((each.at for each in self.findings if each.at), default=None)

    @property
    def blocks(self) -> bool:
        """Whether it keeps the service from going live: a high risk that is not shown to be dealt with."""
        return self.risk == "high" and self.verdict is not RowVerdict.PASS


@dataclass(frozen=True, slots=True)
class Matrix:
    """All rows at one instant. `sha256`: of the readiness file that they were judged by."""

    readiness: str
    title: str
    sha256: str
    at: datetime
    rows: tuple[MatrixRow, ...]
    sign_off: tuple[str, ...]

    @property
    def blockers(self) -> tuple[MatrixRow, ...]:
        """The rows that block."""
        return tuple(row for row in self.rows if row.blocks)

    @property
    def notes(self) -> dict[str, list[str]]:
        """What nobody knows of the evidence of rows that pass all the same, and which rows these are."""
        found: dict[str, list[str]] = {}
        for row in self.rows:
            if row.verdict is RowVerdict.PASS:
                for note in dict.fromkeys(each.note for each in row.findings if each.note):
                    found.setdefault(note, []).append(row.id)
        return found

    def count(self, verdict: RowVerdict) -> int:
        """How many rows have it."""
        return sum(row.verdict is verdict for row in self.rows)

    @property
    def measured(self) -> int:
        """How many rows pass on measurements alone; of `len(rows)`, whatever the others are."""
        return sum(row.measured for row in self.rows)

    @property
    def exit_code(self) -> int:
        """0: every row passes. 1: one fails. 2: none fails, and one is unknown or stale."""
        worst = max((row.verdict for row in self.rows), key=_SEVERITY.index)
        return {RowVerdict.PASS: ExitCode.PASS, RowVerdict.FAIL: ExitCode.FAIL}.get(worst, ExitCode.UNKNOWN)


def judge(
    readiness: Readiness, sha256: str, findings: Mapping[str, Sequence[Finding]], now: datetime
) -> Matrix:
    """The matrix at an instant. `findings`: by the id of their row, in the order of its evidence."""
    rows = tuple(_judged(row, tuple(findings.get(row.id, ())), now) for row in readiness.rows)
    return Matrix(readiness.readiness, readiness.title, sha256, now, rows, readiness.sign_off)


def _judged(row: Row, findings: tuple[Finding, ...], now: datetime) -> MatrixRow:
    verdicts = [told(finding, now) for finding in findings]
    if len(findings) < len(row.evidence) or not row.evidence:
        verdicts.append((RowVerdict.UNKNOWN, "" if row.evidence else "nothing counts as evidence for it yet"))
    verdict, reason = max(verdicts, key=lambda each: _SEVERITY.index(each[0]))
    return MatrixRow(row.id, row.requirement, row.risk, row.owner, row.target, verdict, reason, findings, now)


def told(finding: Finding, now: datetime) -> tuple[RowVerdict, str]:
    """What a finding says now, and why that is no pass. A fail does not heal by growing old."""
    if finding.verdict is not Verdict.PASS:
        verdict = RowVerdict(finding.verdict.value)
        return verdict, f"{finding.what}: {finding.reason or verdict.value}"
    if finding.gone:
        return RowVerdict.STALE, f"{finding.what}: {finding.gone}"
    if finding.at is None or finding.expires_at is None:
        return RowVerdict.UNKNOWN, f"{finding.what}: nobody knows when it was made"
    if finding.at > now:
        return (
            RowVerdict.UNKNOWN,
            f"{finding.what}: it is dated {finding.at:%Y-%m-%d %H:%M} UTC, which is to come",
        )
    if finding.expires_at <= now:
        return RowVerdict.STALE, f"{finding.what}: expired on {finding.expires_at:%Y-%m-%d}"
    return RowVerdict.PASS, ""
