from collections.abc import Callable
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.model.result import CheckResult, RunResult
from seatrial.model.verdict import Verdict
from seatrial.report import Dossier, junit

Make = Callable[[str], Dossier]


def suite_of(result: RunResult) -> ET.Element:
    root = ET.fromstring(junit(result))
    assert root.tag == "testsuites"
    (suite,) = root
    assert suite.tag == "testsuite"
    return suite


@pytest.mark.parametrize("kind", ["pass", "fail", "unknown", "none", "empty"])
def test_the_counts_are_those_of_the_cases(kind: str, make: Make) -> None:
    suite = suite_of(make(kind).result)
    cases = suite.findall("testcase")
    assert int(suite.attrib["tests"]) == len(cases)
    assert int(suite.attrib["failures"]) == len(suite.findall("testcase/failure"))
    assert int(suite.attrib["errors"]) == len(suite.findall("testcase/error"))
    assert all(case.attrib["name"] and case.attrib["classname"] for case in cases)


def test_a_pass_is_green(make: Make) -> None:
    suite = suite_of(make("pass").result)
    assert suite.attrib["failures"] == suite.attrib["errors"] == suite.attrib["skipped"] == "0"


def test_a_failed_objective_is_a_failure_that_says_what_was_measured(make: Make) -> None:
    failure = suite_of(make("fail").result).find("testcase[@name='downtime after rollback']/failure")
    assert failure is not None
    assert "measured [7.39, 7.41] s, target ≤ 5 s" in failure.attrib["message"]


def test_an_objective_that_was_not_measured_says_so_once(make: Make) -> None:
    result = make("fail").result
    unmeasured = replace(
        result.objectives[0], lower=None, upper=None, verdict=Verdict.UNKNOWN, reason="nobody asked"
    )
    error = suite_of(replace(result, objectives=(unmeasured,))).find(
        "testcase[@name='downtime after rollback']/error"
    )
    assert error is not None
    assert error.attrib["message"] == "not measured, target ≤ 5 s, nobody asked"


def test_it_tells_the_version_of_the_target_and_the_revision_where_they_are_known(make: Make) -> None:
    def told(result: RunResult, revision: str) -> dict[str, str]:
        found = ET.fromstring(junit(result, revision)).findall("testsuite/properties/property")
        return {each.attrib["name"]: each.attrib["value"] for each in found}

    known = told(make("pass").result, "5e5e5e+changes")
    assert (known["version"], known["revision"]) == ("2.4.1, then 2.5.0", "5e5e5e+changes")
    assert told(make("empty").result, "").keys() == {"run", "target", "covers", "version"}
    assert "version" not in told(replace(make("pass").result, version=None), "")


@pytest.mark.parametrize("kind", ["unknown", "empty"])
def test_unknown_is_an_error_and_never_green_or_skipped(kind: str, make: Make) -> None:
    suite = suite_of(make(kind).result)
    assert suite.find("testcase[@name='verdict']/error") is not None
    assert int(suite.attrib["errors"]) > 0
    assert suite.find(".//skipped") is None


@pytest.mark.parametrize("verdict", list(Verdict))
def test_the_suite_is_green_just_when_the_run_passed(verdict: Verdict, make: Make) -> None:
    result = replace(make("empty").result, verdict=verdict, reasons=())
    suite = suite_of(result)
    assert (suite.attrib["failures"] == suite.attrib["errors"] == "0") == (verdict is Verdict.PASS)


def test_a_step_that_did_not_happen_is_an_error_and_a_fault_not_undone_a_failure(make: Make) -> None:
    result = make("pass").result
    steps = (replace(result.steps[0], injected_s=None), replace(result.steps[1], verified=False))
    suite = suite_of(replace(result, steps=steps))
    assert suite.find("testcase[@name='deploy.switch']/error") is not None
    assert suite.find("testcase[@name='crash']/failure") is not None


@given(st.text())
def test_any_text_makes_well_formed_xml(text: str) -> None:
    check = CheckResult(text, Verdict.FAIL, text)
    result = RunResult(text, text, text, text, Verdict.FAIL, (text,), text, False, None, checks=(check,))
    suite_of(result)
