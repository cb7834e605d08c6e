"""A report as JSON-ready data: the contract of `seatrial policy check --format json`."""

from __future__ import annotations

from typing import Any

from seatrial.policy.outcome import Finding, Level, Report


def document(report: Report) -> dict[str, Any]:
    """Everything; `verdict` is pass, fail (a denial) or unknown (a file could not be judged)."""
    return {
        "verdict": report.verdict.value,
        "denied": [_finding(path, each) for path, each in report.findings(Level.DENY)],
        "warned": [_finding(path, each) for path, each in report.findings(Level.WARN)],
        "unreadable": [
            {"path": path, "line": broken.line, "column": broken.column, "why": broken.why}
            for path, broken in report.broken
        ],
        "exempted": report.exempted,
        "inputs": report.inputs,
        "evaluated": report.evaluated,
        "read": report.read,
        "rules": list(report.rules),
        "policies": report.policies,
        "engine": report.engine,
        "started_at": report.started_at,
        "elapsed_s": round(report.elapsed_s, 3),
        "notes": list(report.notes),
    }


def _finding(path: str, finding: Finding) -> dict[str, Any]:
    return {
        "path": path,
        "line": finding.line,
        "rule": finding.id,
        "message": finding.message,
        **{key: value for key, value in finding.more.items() if key not in ("path", "line", "rule")},
    }
