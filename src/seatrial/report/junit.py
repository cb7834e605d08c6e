"""A run as JUnit XML, the format that CI systems read.

CI knows success, failure, error and skipped, and most systems colour *skipped* green. An unknown verdict is
therefore an error: it must stop a pipeline as surely as a failure does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from seatrial.model.figures import NOT_MEASURED, allowed, instant
from seatrial.model.result import ObjectiveResult, RunResult, StepRecord
from seatrial.model.undo import UndoOutcome
from seatrial.model.verdict import Verdict
from seatrial.report.steps import left_behind, undone
from seatrial.report.views import measured_text

_OUTCOME = {Verdict.FAIL: "failure", Verdict.UNKNOWN: "error"}
# What XML 1.0 forbids even when escaped (https://www.w3.org/TR/xml/#charsets)
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class _Case:
    group: str
    name: str
    verdict: Verdict
    message: str


def junit(result: RunResult, revision: str = "") -> str:
    """One test suite: the run's verdict, then a case for each objective, check and step.

    `revision`: of the git repository that the experiment stands in.
    """
    cases = [
        _Case("run", "verdict", result.verdict, "\n".join(result.reasons) or result.verdict),
        *_cases(result),
    ]
    counts = {
        outcome: sum(_OUTCOME.get(case.verdict) == outcome for case in cases) for outcome in _OUTCOME.values()
    }
    totals = {
        "tests": str(len(cases)),
        "failures": str(counts["failure"]),
        "errors": str(counts["error"]),
        "skipped": "0",
        **_time(result),
    }
    root = ET.Element("testsuites", {"name": "seatrial", **totals})
    suite = ET.SubElement(
        root,
        "testsuite",
        {"name": _clean(result.experiment), "timestamp": _clean(result.started_at), **totals},
    )
    properties = ET.SubElement(suite, "properties")
    for name, value in _properties(result, revision):
        ET.SubElement(properties, "property", {"name": name, "value": _clean(value)})
    for case in cases:
        _append(suite, result.experiment, case)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _properties(result: RunResult, revision: str) -> Iterator[tuple[str, str]]:
    """What the run was made with; what is not known is left out."""
    yield from (("run", result.run), ("target", result.target), ("covers", " ".join(result.covers)))
    if result.version is not None:
        yield "version", str(result.version)
    if revision:
        yield "revision", revision


def _cases(result: RunResult) -> Iterator[_Case]:
    for objective in result.objectives:
        yield _Case("objective", objective.name, objective.verdict, _objective(objective))
    for check in result.checks:
        yield _Case("check", check.name, check.verdict, check.detail)
    for step in result.steps:
        yield _Case("step", step.name, *_step(step))
    for error in result.scenario.errors if result.scenario else ():
        yield _Case("scenario", error.during or error.error, _of_the_scenario(result), str(error))


def _of_the_scenario(result: RunResult) -> Verdict:
    """Errors that the experiment tolerates are listed, and are no failure."""
    return Verdict.PASS if result.verdict is Verdict.PASS else Verdict.UNKNOWN


def _append(suite: ET.Element, experiment: str, case: _Case) -> None:
    attributes = {"classname": _clean(f"{experiment}.{case.group}"), "name": _clean(case.name)}
    element = ET.SubElement(suite, "testcase", attributes)
    text = _clean(case.message)
    if case.verdict in _OUTCOME:
        first = text.partition("\n")[0]
        outcome = ET.SubElement(element, _OUTCOME[case.verdict], {"type": case.verdict, "message": first})
        outcome.text = text
    else:
        ET.SubElement(element, "system-out").text = text


def _objective(result: ObjectiveResult) -> str:
    parts = (
        NOT_MEASURED if result.lower is None else f"measured {measured_text(result)}",
        f"target {allowed(result.target, result.unit)}",
        result.reason,
    )
    return ", ".join(part for part in parts if part)


def _step(step: StepRecord) -> tuple[Verdict, str]:
    """What is left behind is a failure, with the command for a person; what did not happen is an error."""
    if step.left_behind:
        hand = [f"by hand: {step.by_hand}"] if step.by_hand else []
        return Verdict.FAIL, "\n".join([left_behind(step), *hand, "then: seatrial recover"])
    if step.error or step.injected_s is None:
        return Verdict.UNKNOWN, step.error or "did not happen"
    if step.undo_outcome is UndoOutcome.UNRECORDED:
        return Verdict.UNKNOWN, undone(step)
    return Verdict.PASS, f"{step.does} on {step.role} at {instant(step.injected_s)}; {undone(step)}"


def _time(result: RunResult) -> dict[str, str]:
    """How long was measured. A case has no time of its own, nor has a run that measured nothing."""
    return {"time": f"{result.measurement.length_s:.3f}"} if result.measurement else {}


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)
