"""A report as JUnit XML: a case for each rule, and one for each file that could not be judged.

A rule that denies is a failure. A file without a verdict is an error, which stops a pipeline as surely:
many CI systems colour *skipped* green.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from seatrial.policy.outcome import Finding, Level, Report

# What XML 1.0 forbids even when escaped (https://www.w3.org/TR/xml/#charsets)
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(report: Report) -> str:
    """One suite."""
    denied = report.findings(Level.DENY)
    failing = {finding.id for _, finding in denied}
    totals = {
        "tests": str(len(report.rules) + len(report.broken)),
        "failures": str(len(failing)),
        "errors": str(len(report.broken)),
        "skipped": "0",
        "time": f"{report.elapsed_s:.3f}",
    }
    root = ET.Element("testsuites", {"name": "seatrial", **totals})
    suite = ET.SubElement(root, "testsuite", {"name": "policy", "timestamp": report.started_at, **totals})
    properties = ET.SubElement(suite, "properties")
    for name, value in (
        ("policies", report.policies),
        ("engine", report.engine),
        ("inputs", str(report.inputs)),
    ):
        ET.SubElement(properties, "property", {"name": name, "value": _clean(value)})
    for rule in report.rules:
        case = ET.SubElement(suite, "testcase", {"classname": "policy", "name": _clean(rule)})
        _told(case, [each for each in denied if each[1].id == rule])
        warned = [each for each in report.findings(Level.WARN) if each[1].id == rule]
        if warned:
            ET.SubElement(case, "system-out").text = _clean(_lines(warned))
    for path, broken in report.broken:
        case = ET.SubElement(suite, "testcase", {"classname": "policy.unreadable", "name": _clean(path)})
        place = ":".join(str(part) for part in (path, broken.line, broken.column) if part is not None)
        error = ET.SubElement(case, "error", {"type": "unknown", "message": _clean(broken.why)})
        error.text = _clean(f"{place}: {broken.why}")
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _told(case: ET.Element, denied: Sequence[tuple[str, Finding]]) -> None:
    if denied:
        message = f"{len(denied)} denied, {denied[0][0]} first: {denied[0][1].message}"
        failure = ET.SubElement(case, "failure", {"type": "fail", "message": _clean(message)})
        failure.text = _clean(_lines(denied))


def _lines(found: Sequence[tuple[str, Finding]]) -> str:
    return "\n".join(f"{path}:{each.line}: {each.message}" for path, each in found)


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)
