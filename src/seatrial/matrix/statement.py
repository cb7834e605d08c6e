"""What a signature is about: a matrix as canonical bytes, and how two of them differ.

A statement holds everything that a signer saw and relied on: the hash of the readiness file, and of each row
its verdict and its evidence, with figures, limits and hashes. It does not hold ages, which change by
themselves; a row that expires changes its verdict, and with it the statement.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from seatrial.ledger import canonical
from seatrial.matrix.finding import Figure, Finding
from seatrial.matrix.judging import Matrix, MatrixRow
from seatrial.model.figures import exactly


@dataclass(frozen=True, slots=True)
class Statement:
    """A matrix as JSON-ready data without fractions, which have no canonical form."""

    data: Mapping[str, Any]

    @property
    def sha256(self) -> str:
        """Of its canonical form (RFC 8785); what is signed."""
        return sha256(canonical(dict(self.data))).hexdigest()


def statement_of(matrix: Matrix) -> Statement:
    """The statement that a signature on this matrix is about."""
    return Statement(
        {
            "readiness": matrix.readiness,
            "readiness_sha256": matrix.sha256,
            "rows": {row.id: _row(row) for row in matrix.rows},
        }
    )


def _row(row: MatrixRow) -> dict[str, Any]:
    return {
        "requirement": row.requirement,
        "risk": row.risk,
        "target": row.target,
        "verdict": row.verdict.value,
        "evidence": [_finding(each) for each in row.findings],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "what": finding.what,
        "kind": finding.kind.value,
        "verdict": finding.verdict.value,
        "figure": _figure(finding.figure),
        "run": finding.run,
        "on": finding.target,
        "by": finding.by,
        "sha256": finding.sha256,
        "made": finding.at.isoformat() if finding.at else "",
        "expires": finding.expires_at.isoformat() if finding.expires_at else "",
        "gone": finding.gone,
    }


def _figure(figure: Figure | None) -> dict[str, Any] | None:
    if figure is None:
        return None
    bounds = {"lower": figure.lower, "upper": figure.upper, "limit": figure.limit}
    exact = {name: None if value is None else repr(value) for name, value in bounds.items()}
    return {"name": figure.name, "unit": figure.unit, "at_least": figure.at_least, **exact}


def differences(signed: Statement, current: Statement) -> Iterator[str]:
    """What has changed since it was signed: a sentence for each row, and for the readiness file."""
    before, after = signed.data, current.data
    if before["readiness_sha256"] != after["readiness_sha256"]:
        yield "the readiness file was changed"
    rows_before, rows_after = before["rows"], after["rows"]
    for row in rows_before.keys() - rows_after.keys():
        yield f"{row}: is no longer a row"
    for row, now in rows_after.items():
        then = rows_before.get(row)
        if then is None:
            yield f"{row}: is a new row"
        elif then != now:
            yield f"{row}: {'; '.join(_changes(then, now))}"


def _changes(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    for key in ("requirement", "risk", "target"):
        if then[key] != now[key]:
            yield f"its {key} was '{then[key]}' and is '{now[key]}'"
    if then["verdict"] != now["verdict"]:
        yield f"was {then['verdict']}, is {now['verdict']}"
    before = {each["what"]: each for each in then["evidence"]}
    after = {each["what"]: each for each in now["evidence"]}
    for what in before.keys() | after.keys():
        yield from _change(what, before.get(what), after.get(what))


def _change(what: str, then: Mapping[str, Any] | None, now: Mapping[str, Any] | None) -> Iterator[str]:
    if then is None or now is None:
        yield f"{what} {'no longer counts' if now is None else 'counts now'}"
    elif then["run"] != now["run"]:
        yield f"{what} rests on {now['run'] or 'no run'} and not on {then['run'] or 'none'}"
    elif now["gone"] and not then["gone"]:
        yield f"{what}: {now['gone']}"
    elif then["sha256"] != now["sha256"]:
        yield f"{what} has another hash"
    elif then != now:
        yield f"{what}: {' and '.join(_parts(then, now))}"


def _parts(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """What of a piece of evidence is not as it was, where it rests on the same run and the same file."""
    changed = [key for key in then if then[key] != now.get(key)]
    if "verdict" in changed:
        changed.remove("verdict")
        yield f"was {then['verdict']}, is {now['verdict']}"
    before, after = (_limit(each.get("figure")) for each in (then, now))
    if before and after and before != after:
        changed.remove("figure")
        yield f"its limit was {before} and is {after}"
    yield from (f"its {key} changed" for key in changed)


def _limit(figure: Mapping[str, Any] | None) -> str:
    """As people read it; empty where there is none."""
    limit = figure.get("limit") if figure else None
    if figure is None or limit is None:
        return ""
    return f"{'≥' if figure['at_least'] else '≤'} {exactly(float(limit), figure['unit'])}"
