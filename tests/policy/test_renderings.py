"""A report as others read it: SARIF by the rules that code hosts hold it to, JUnit as CI systems do."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from xml.etree import ElementTree as ET

import pytest

from seatrial.matrix.imported import from_file
from seatrial.model.readiness import Evidence
from seatrial.model.verdict import Verdict
from seatrial.policy.combined import ALL
from seatrial.policy.outcome import Broken, Exempted, Finding, Level, Report, Told
from seatrial.policy.renderings import document, junit, sarif, text

DENIED = Finding(
    "main", "deny_enc", Level.DENY, "not encrypted", 7, {"control": "GDPR Art. 32", "comply": "encrypt it"}
)
WARNED = Finding("main", "warn", Level.WARN, "old � <image>", 1)
BROKEN = Broken("not valid YAML", 2, 5)


def report(**told: Told) -> Report:
    paths = {"denied": "a b/ü.yaml", "warned": "w.yaml", "broken": "x.yaml", "combined": ALL}
    return Report(
        {paths[name]: each for name, each in told.items()}, 9, 4, 5, ("main.deny_enc", "main.warn"), "abc",
        "regorus 0.13.0", "2026-11-29T10:00:00.000+00:00", 1.5,
    )  # fmt: skip


FULL = report(
    denied=Told((DENIED,), (Exempted("main", "deny_x"),)), warned=Told((WARNED,)), broken=Told(broken=BROKEN)
)


def test_sarif_says_rule_place_and_level() -> None:
    (run,) = sarif(FULL)["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert rules == ["main.deny_enc", "main.warn"]
    assert run["tool"]["driver"]["rules"][0]["help"]["text"] == "encrypt it"
    denied, warned = run["results"]
    assert (denied["ruleId"], denied["level"], rules[denied["ruleIndex"]]) == (
        "main.deny_enc",
        "error",
        "main.deny_enc",
    )
    assert (warned["ruleId"], warned["level"]) == ("main.warn", "warning")
    assert denied["message"]["text"] == "not encrypted (GDPR Art. 32). To comply: encrypt it"
    physical = denied["locations"][0]["physicalLocation"]
    assert physical == {"artifactLocation": {"uri": "a%20b/%C3%BC.yaml"}, "region": {"startLine": 7}}


def test_sarif_of_a_file_that_cannot_be_judged_did_not_end_well() -> None:
    (invocation,) = sarif(FULL)["runs"][0]["invocations"]
    assert invocation["executionSuccessful"] is False
    (told,) = invocation["toolExecutionNotifications"]
    assert told["level"] == "error"
    assert told["locations"][0]["physicalLocation"]["region"] == {"startLine": 2, "startColumn": 5}


def test_sarif_is_held_to_what_the_standard_requires() -> None:
    log = sarif(FULL)
    assert (log["version"], log["$schema"].rpartition("/")[2]) == ("2.1.0", "sarif-2.1.0.json")
    for run in log["runs"]:
        rules = run["tool"]["driver"]["rules"]
        assert len({rule["id"] for rule in rules}) == len(rules)  # 3.49.3: ids are distinct
        for result in run["results"]:
            assert result["message"]["text"]  # 3.27.11, 3.11.8
            assert result["level"] in ("none", "note", "warning", "error")  # 3.27.10
            assert rules[result["ruleIndex"]]["id"] == result["ruleId"]  # 3.27.6
            for location in result["locations"]:
                physical = location["physicalLocation"]
                assert re.fullmatch(
                    r"[A-Za-z0-9._~/%-]+", physical["artifactLocation"]["uri"]
                )  # 3.4.3: a URI
                assert physical["region"]["startLine"] >= 1  # 3.30.5
        for invocation in run["invocations"]:
            assert isinstance(invocation["executionSuccessful"], bool)  # 3.20.14, required
            for key in ("startTimeUtc", "endTimeUtc"):  # 3.9
                assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", invocation[key])
    json.dumps(log, allow_nan=False)


def test_a_message_about_all_files_has_no_location() -> None:
    assert sarif(report(combined=Told((DENIED,))))["runs"][0]["results"][0]["locations"] == []


def test_junit_counts_rules_and_what_could_not_be_judged() -> None:
    root = ET.fromstring(junit(FULL))
    assert {key: root.get(key) for key in ("tests", "failures", "errors", "skipped")} == {
        "tests": "3", "failures": "1", "errors": "1", "skipped": "0",
    }  # fmt: skip
    denied, warned, broken = root.iter("testcase")
    assert "a b/ü.yaml:7: not encrypted" in (denied.findtext("failure") or "")
    assert "\ufffd <image>" in (warned.findtext("system-out") or "")
    assert "x.yaml:2:5: not valid YAML" in (broken.findtext("error") or "")


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (FULL, Verdict.FAIL),
        (report(broken=Told(broken=BROKEN)), Verdict.UNKNOWN),
        (report(warned=Told((WARNED,))), Verdict.PASS),
        (report(), Verdict.PASS),
    ],
)
def test_the_matrix_reads_every_form_as_it_came_out(found: Report, verdict: Verdict) -> None:
    assert found.verdict is verdict
    told = from_file(Evidence(file="p.sarif", format="sarif"), json.dumps(sarif(found)).encode())
    assert told.verdict is verdict
    assert told.at is not None
    assert told.at.isoformat().startswith("2026-11-29T10:00:01.5")
    by_junit = from_file(Evidence(file="p.xml", format="junit"), junit(found).encode())
    # JUnit knows failed and not failed: what could not be judged is an error there, and errors fail
    assert by_junit.verdict is (Verdict.FAIL if verdict is Verdict.UNKNOWN else verdict)
    assert by_junit.at is not None
    assert told.at - by_junit.at == timedelta(seconds=1.5)


def test_text_says_how_to_comply_and_the_sum() -> None:
    lines = text(FULL).splitlines()
    assert "! warned  w.yaml:1: old � <image> [main.warn]" in lines
    at = lines.index("✗ denied  a b/ü.yaml:7: not encrypted [main.deny_enc]")
    assert lines[at + 1 : at + 3] == ["    control  GDPR Art. 32", "    comply   encrypt it"]
    assert "? not judged  x.yaml:2:5: not valid YAML" in lines
    assert lines[-1] == (
        "fail: 1 denied, 1 warned, 1 exempted, 1 not judged; 9 files by 2 rules, 4 of them evaluated now, "
        "in 1.50 s (regorus 0.13.0)"
    )


def test_json_keeps_what_a_message_carries() -> None:
    found = document(FULL)
    assert found["verdict"] == "fail"
    assert found["denied"] == [
        {"path": "a b/ü.yaml", "line": 7, "rule": "main.deny_enc", "message": "not encrypted", "control": "GDPR Art. 32",
         "comply": "encrypt it"}
    ]  # fmt: skip
    assert found["unreadable"] == [{"path": "x.yaml", "line": 2, "column": 5, "why": "not valid YAML"}]


def test_text_begins_no_line_and_moves_no_cursor_that_a_judged_file_asks_for() -> None:
    finding = Finding("main", "deny", Level.DENY, "no \x1b[2J\x00\r\npass: 0 denied", 1, {"comply": "a\nb"})
    lines = text(report(denied=Told((finding,)))).splitlines()
    assert lines[0].endswith("no \ufffd[2J\ufffd pass: 0 denied [main.deny]")
    assert lines[1] == "    comply   a b"
