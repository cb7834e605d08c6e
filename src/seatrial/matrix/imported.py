"""Results of other tools: JUnit, SARIF and JSON files, read as data and kept by their hash.

| format | passes                                        | made at                                   |
|--------|-----------------------------------------------|-------------------------------------------|
| junit  | it holds tests, none failed, not all skipped   | the earliest `timestamp` of its suites     |
| sarif  | it holds runs that ended well, and no `error`  | the earliest `endTimeUtc` of its runs      |
| json   | the value that a pointer names is true, or     | `made`, an instant or a pointer to one     |
|        | within `max` and `min`                         |                                           |

A file that does not say when it was made can be given `made`; without either nobody knows its age, and it
never counts. An instant without a zone is taken for UTC.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from seatrial.matrix.finding import Figure, Finding, Kind
from seatrial.model.readiness import Evidence
from seatrial.model.verdict import Verdict


@dataclass(frozen=True, slots=True)
class _Told:
    """What a file tells of itself."""

    verdict: Verdict
    reason: str
    at: datetime | None = None
    figure: Figure | None = None


def from_file(spec: Evidence, data: bytes) -> Finding:
    """The finding of a file's bytes, without its expiry."""
    assert spec.file is not None
    assert spec.format is not None
    try:
        told = _READERS[spec.format](spec, data)
        told = replace(told, at=_made(spec, data) or told.at)
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        ParseError,
        DefusedXmlException,
        RecursionError,
    ) as error:
        told = _Told(Verdict.UNKNOWN, f"not {spec.format} that can be read ({error or type(error).__name__})")
    return Finding(
        what=spec.file,
        kind=Kind.IMPORTED,
        verdict=told.verdict,
        reason=told.reason,
        figure=told.figure,
        sha256=sha256(data).hexdigest(),
        at=told.at,
    )


def _junit(_spec: Evidence, data: bytes) -> _Told:
    root = fromstring(data, forbid_dtd=True)
    cases = list(root.iter("testcase"))
    bad = [case for case in cases if _has(case, "failure") or _has(case, "error")]
    skipped = sum(_has(case, "skipped") for case in cases)
    at = _earliest(suite.get("timestamp") for suite in root.iter("testsuite"))
    if root.tag not in ("testsuites", "testsuite"):
        raise ValueError(f"its root is <{root.tag}>")
    if bad:
        return _Told(
            Verdict.FAIL, f"{len(bad)} of {len(cases)} tests failed, {bad[0].get('name', '?')} first", at
        )
    if len(cases) == skipped:
        return _Told(Verdict.UNKNOWN, "all its tests were skipped" if cases else "it holds no test", at)
    return _Told(Verdict.PASS, f"{len(cases) - skipped} tests passed, {skipped} skipped", at)


def _has(case: Element, child: str) -> bool:
    return case.find(child) is not None


def _sarif(_spec: Evidence, data: bytes) -> _Told:
    runs = json.loads(data)["runs"]
    endings = [each for run in runs for each in run.get("invocations", [])]
    at = _earliest(each.get("endTimeUtc") for each in endings)
    errors = [result for run in runs for result in run.get("results", []) if _is_error(result, run)]
    if errors:
        rule = errors[0].get("ruleId", "a rule without id")
        return _Told(Verdict.FAIL, f"{len(errors)} errors, {rule} first", at)
    if not runs or not all(each.get("executionSuccessful") for each in endings):
        return _Told(Verdict.UNKNOWN, "the tool did not end well" if runs else "it holds no run", at)
    return _Told(Verdict.PASS, "no errors", at)


def _is_error(result: dict[str, Any], run: dict[str, Any]) -> bool:
    """Whether a result is an error that stands: SARIF 2.1.0, 3.27.9, 3.27.10 and 3.27.23."""
    if result.get("kind", "fail") != "fail" or result.get("suppressions"):
        return False
    return bool((result.get("level") or _level_of_rule(result, run)) == "error")


def _level_of_rule(result: dict[str, Any], run: dict[str, Any]) -> str:
    rules = run.get("tool", {}).get("driver", {}).get("rules", [])
    of_id = {rule.get("id"): rule for rule in rules}
    rule = of_id.get(result.get("ruleId")) or {}
    return str(rule.get("defaultConfiguration", {}).get("level", "warning"))


def _json(spec: Evidence, data: bytes) -> _Told:
    if not spec.value:
        return _Told(Verdict.UNKNOWN, "which value of it counts is not said (value: /pointer)")
    value = _at(json.loads(data), spec.value)
    if isinstance(value, bool):
        limited = spec.max is not None or spec.min is not None
        if limited:
            return _Told(Verdict.UNKNOWN, f"{spec.value} is {value}, which no limit is about")
        return _Told(Verdict.PASS if value else Verdict.FAIL, "" if value else f"{spec.value} is false")
    if not isinstance(value, (int, float)):
        return _Told(Verdict.UNKNOWN, f"{spec.value} is neither true nor false nor a number")
    limits = [(limit, low) for limit, low in ((spec.max, False), (spec.min, True)) if limit]
    figures = [Figure(spec.value, value, value, "", limit.value, at_least=low) for limit, low in limits]
    if not figures:
        return _Told(Verdict.UNKNOWN, f"{spec.value} is {value:g}, and no limit is named")
    verdict = Verdict.merge(figure.verdict for figure in figures)
    return _Told(verdict, "" if verdict is Verdict.PASS else f"{spec.value} is {value:g}", None, figures[0])


def _at(document: Any, pointer: str) -> Any:
    """The value that a JSON Pointer (RFC 6901) names. Raises ValueError."""
    if not pointer.startswith("/"):
        raise ValueError(f"'{pointer}' is no pointer: it begins with /")
    for written in pointer[1:].split("/"):
        part = written.replace("~1", "/").replace("~0", "~")
        try:
            document = document[int(part)] if isinstance(document, list) else document[part]
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise ValueError(f"there is nothing at {pointer}") from error
    return document


def _made(spec: Evidence, data: bytes) -> datetime | None:
    if not spec.made:
        return None
    if not spec.made.startswith("/"):
        return _instant(spec.made)
    return _instant(str(_at(json.loads(data), spec.made)))


def _earliest(texts: Iterator[str | None]) -> datetime | None:
    """The earliest instant; None when one of those that should say does not."""
    found = list(texts)
    if not found or not all(found):
        return None
    return min(_instant(text) for text in found if text)


def _instant(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


_READERS: dict[str, Callable[[Evidence, bytes], _Told]] = {"junit": _junit, "sarif": _sarif, "json": _json}
