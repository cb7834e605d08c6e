"""Files of other tools."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.matrix import Kind
from seatrial.matrix.imported import from_file
from seatrial.model.readiness import Evidence, Limit
from seatrial.model.verdict import Verdict

AT = "2026-11-02T08:00:00"
JUNIT = Evidence(file="r.xml", format="junit")
SARIF = Evidence(file="r.sarif", format="sarif")


def junit(*cases: str, at: str = f' timestamp="{AT}"') -> bytes:
    inside = "".join(f'<testcase name="t{number}">{case}</testcase>' for number, case in enumerate(cases))
    return f'<testsuites><testsuite name="s"{at}>{inside}</testsuite></testsuites>'.encode()


def sarif(*results: dict[str, object], well: bool = True) -> bytes:
    rules = [{"id": "grave", "defaultConfiguration": {"level": "error"}}]
    run = {
        "tool": {"driver": {"name": "scanner", "rules": rules}},
        "invocations": [{"executionSuccessful": well, "endTimeUtc": f"{AT}Z"}],
        "results": list(results),
    }
    return json.dumps({"version": "2.1.0", "runs": [run]}).encode()


@pytest.mark.parametrize(
    ("data", "verdict"),
    [
        (junit("", ""), Verdict.PASS),
        (junit("", "<skipped/>"), Verdict.PASS),
        (junit("", "<failure/>"), Verdict.FAIL),
        (junit("<error/>"), Verdict.FAIL),
        (junit(), Verdict.UNKNOWN),
        (junit("<skipped/>"), Verdict.UNKNOWN),
        (b"<html><body/></html>", Verdict.UNKNOWN),
        (b"<testsuite", Verdict.UNKNOWN),
        (b'<!DOCTYPE x [<!ENTITY a "b">]><testsuite/>', Verdict.UNKNOWN),
    ],
)
def test_junit(data: bytes, verdict: Verdict) -> None:
    assert from_file(JUNIT, data).verdict is verdict


@pytest.mark.parametrize(
    ("data", "verdict"),
    [
        (sarif(), Verdict.PASS),
        (sarif({"ruleId": "r", "level": "warning"}), Verdict.PASS),
        (sarif({"ruleId": "r", "level": "error"}), Verdict.FAIL),
        (sarif({"ruleId": "grave"}), Verdict.FAIL),
        (sarif({"ruleId": "grave", "kind": "pass"}), Verdict.PASS),
        (sarif({"ruleId": "grave", "suppressions": [{"kind": "inSource"}]}), Verdict.PASS),
        (sarif(well=False), Verdict.UNKNOWN),
        (b'{"runs": []}', Verdict.UNKNOWN),
        (b"[]", Verdict.UNKNOWN),
    ],
)
def test_sarif(data: bytes, verdict: Verdict) -> None:
    assert from_file(SARIF, data).verdict is verdict


@pytest.mark.parametrize(
    ("value", "limits", "verdict"),
    [
        (True, {}, Verdict.PASS),
        (False, {}, Verdict.FAIL),
        (7, {}, Verdict.UNKNOWN),
        (7, {"max": 8}, Verdict.PASS),
        (7, {"max": 6}, Verdict.FAIL),
        (7, {"min": 8}, Verdict.FAIL),
        ("pass", {}, Verdict.UNKNOWN),
        (True, {"max": 8}, Verdict.UNKNOWN),
    ],
)
def test_json(value: object, limits: dict[str, int], verdict: Verdict) -> None:
    given_limits = {name: Limit.read(number) for name, number in limits.items()}
    spec = Evidence.model_validate(
        {"file": "r.json", "format": "json", "value": "/a~1b/0", "made": "/at", **given_limits}
    )
    found = from_file(spec, json.dumps({"a/b": [value], "at": f"{AT}Z"}).encode())
    assert found.verdict is verdict
    assert found.at is not None


def test_a_file_is_as_old_as_it_says_and_known_by_its_hash() -> None:
    found = from_file(JUNIT, junit(""))
    assert found.kind is Kind.IMPORTED
    assert found.at is not None
    assert found.at.isoformat() == f"{AT}+00:00"
    assert len(found.sha256) == 64
    assert from_file(JUNIT, junit("", at="")).at is None
    told = Evidence(file="r.xml", format="junit", made="2026-10-01T00:00:00+02:00")
    assert str(from_file(told, junit("", at="")).at) == "2026-09-30 22:00:00+00:00"


@given(
    st.sampled_from([JUNIT, SARIF, Evidence(file="r", format="json", value="/a")]), st.binary(max_size=200)
)
def test_no_bytes_are_a_traceback_or_a_pass(spec: Evidence, data: bytes) -> None:
    assert from_file(spec, data).verdict is Verdict.UNKNOWN


@given(st.integers(0, 300), st.binary(max_size=3))
def test_a_damaged_file_is_never_a_traceback(place: int, junk: bytes) -> None:
    for spec, whole in ((JUNIT, junit("", "<failure/>")), (SARIF, sarif({"ruleId": "grave"}))):
        from_file(spec, whole[:place] + junk + whole[place + 2 :])
