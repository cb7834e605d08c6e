"""The matrix as JSON-ready data: the contract of `seatrial matrix --json`, which the page reads as well."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from seatrial.matrix.finding import Figure, Finding
from seatrial.matrix.judging import Matrix, MatrixRow, told
from seatrial.matrix.signing import SignOff
from seatrial.matrix.statement import statement_of
from seatrial.model.result import plain


def matrix_document(matrix: Matrix, signed: Sequence[SignOff]) -> dict[str, Any]:
    """Rows, blockers and sign-offs; ages count from the matrix's own instant."""
    return {
        "readiness": matrix.readiness,
        "title": matrix.title,
        "at": _text(matrix.at),
        "sha256": statement_of(matrix).sha256,
        "measured": {"rows": len(matrix.rows), "measured": matrix.measured},
        "rows": [_row(row, matrix.at) for row in matrix.rows],
        "blockers": [row.id for row in matrix.blockers],
        "signed": [_sign_off(each) for each in signed],
    }


def _row(row: MatrixRow, now: datetime) -> dict[str, Any]:
    key, oldest = row.key, row.oldest_at
    return {
        "id": row.id,
        "requirement": row.requirement,
        "risk": row.risk,
        "owner": row.owner,
        "verdict": row.verdict.value,
        "target": row.target,
        "measured": _figure(key.figure) if key else None,
        "run": key.run if key else "",
        "age_s": (now - oldest).total_seconds() if oldest else None,
        "expires_at": _text(row.expires_at),
        "detections": plain(row.detections),
        "cost": _cost(row.costed),
        "reason": row.reason,
        "renew": next((each.renew for each in row.findings if each.renew), ""),
        "evidence": [_finding(each, row.at) for each in row.findings],
    }


def _finding(finding: Finding, now: datetime) -> dict[str, Any]:
    return {
        "what": finding.what,
        "kind": finding.kind.value,
        "verdict": told(finding, now)[0].value,
        "reason": finding.reason,
        "measured": _figure(finding.figure),
        "run": finding.run,
        "target": finding.target,
        "by": finding.by,
        "sha256": finding.sha256,
        "at": _text(finding.at),
        "expires_at": _text(finding.expires_at),
        "gone": finding.gone,
        "note": finding.note,
        "noticed": finding.noticed,
        "renew": finding.renew,
    }


def _figure(figure: Figure | None) -> dict[str, Any] | None:
    if figure is None:
        return None
    return {
        "name": figure.name,
        "lower": figure.lower,
        "upper": figure.upper,
        "unit": figure.unit,
        "limit": figure.limit,
        "trend": figure.trend,
        "text": str(figure),
    }


def _cost(finding: Finding | None) -> dict[str, Any] | None:
    """What a million requests cost in the run that tells it."""
    if finding is None or finding.cost is None:
        return None
    cost = finding.cost
    return {
        "lower": cost.lower,
        "upper": cost.upper if math.isfinite(cost.upper) else None,
        "currency": cost.unit,
        "run": finding.run,
        "trend": finding.cost_trend,
        "text": str(cost.shown),
    }


def _sign_off(each: SignOff) -> dict[str, Any]:
    word = each.word
    return {
        "role": each.role,
        "name": word.name if word else "",
        "at": word.at if word else None,
        "key": word.key if word else "",
        "sha256": word.about if word else "",
        "stands": each.stands,
        "voided": list(each.voided),
    }


def _text(instant: datetime | None) -> str | None:
    return instant.isoformat(timespec="seconds") if instant else None
