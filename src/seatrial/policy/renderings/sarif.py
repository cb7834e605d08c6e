"""A report as SARIF 2.1.0, which code hosts show beside the lines of a change.

A denial is an `error`, a warning a `warning`. A file that could not be judged is a notification of the tool,
and the run then did not end well: whoever takes a SARIF file without results for a pass is told otherwise.
A result's line is where its document begins, for Rego does not know lines.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from seatrial import __version__
from seatrial.policy.combined import ALL
from seatrial.policy.outcome import Finding, Level, Report

_LEVELS = {Level.DENY: "error", Level.WARN: "warning"}


def sarif(report: Report) -> dict[str, Any]:
    """The log, with one run."""
    found = [*report.findings(Level.DENY), *report.findings(Level.WARN)]
    rules: dict[str, dict[str, Any]] = {}
    for _, finding in found:
        rules.setdefault(finding.id, _rule(finding))
    for name in report.rules:
        rules.setdefault(name, {"id": name})
    index = {name: number for number, name in enumerate(rules)}
    driver = {"name": "seatrial", "version": __version__, "rules": list(rules.values())}
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "invocations": [_invocation(report)],
                "results": [_result(path, each, index[each.id]) for path, each in found],
            }
        ],
    }


def _rule(finding: Finding) -> dict[str, Any]:
    rule: dict[str, Any] = {"id": finding.id}
    if finding.control:
        rule["shortDescription"] = {"text": finding.control}
    if finding.comply:
        rule["help"] = {"text": finding.comply}
    return rule


def _result(path: str, finding: Finding, index: int) -> dict[str, Any]:
    message = f"{finding.message} ({finding.control})" if finding.control else finding.message
    if finding.comply:
        message += f". To comply: {finding.comply}"
    print_of = sha256(json.dumps([path, finding.id, finding.message]).encode()).hexdigest()
    return {
        "ruleId": finding.id,
        "ruleIndex": index,
        "level": _LEVELS[finding.level],
        "message": {"text": message},
        "locations": _locations(path, finding.line),
        "partialFingerprints": {"seatrialPolicy/v1": print_of},
    }


def _locations(path: str, line: int | None, column: int | None = None) -> list[dict[str, Any]]:
    """None for what is told of all files together."""
    if path == ALL:
        return []
    physical: dict[str, Any] = {"artifactLocation": {"uri": quote(path.replace("\\", "/"))}}
    if line:
        physical["region"] = {"startLine": line, **({"startColumn": column} if column else {})}
    return [{"physicalLocation": physical}]


def _invocation(report: Report) -> dict[str, Any]:
    started = datetime.fromisoformat(report.started_at)
    ended = started + timedelta(seconds=report.elapsed_s)
    return {
        "executionSuccessful": not report.broken,
        "startTimeUtc": _utc(started),
        "endTimeUtc": _utc(ended),
        "toolExecutionNotifications": [
            {
                "level": "error",
                "message": {"text": broken.why},
                "locations": _locations(path, broken.line, broken.column),
            }
            for path, broken in report.broken
        ],
    }


def _utc(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
