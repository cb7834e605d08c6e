"""Policies' own tests: what passes, what fails and why."""

from __future__ import annotations

from pathlib import Path

import pytest

from seatrial.model.problems import BadInput
from seatrial.policy.testing import Outcome, run_tests


def test_only_what_is_true_passes(tmp_path: Path) -> None:
    (tmp_path / "p.rego").write_text('package main\ndeny contains "x" if input.x\n')
    (tmp_path / "p_test.rego").write_text(
        'package main\ntest_good if count(deny) == 1 with input as {"x": 1}\ntest_undefined if count(deny) == 1\n'
        'test_false := false\ntest_error if to_number("x") > 1\ntodo_test_later if 1 == 2\nhelper := 1\n'
        "test_data if data.limit == 3\n"
    )
    (tmp_path / "d.yaml").write_text("limit: 3\n")
    found = {each.name: (each.outcome, each.why) for each in run_tests([tmp_path], [tmp_path / "d.yaml"])}
    assert found["test_good"] == found["test_data"] == (Outcome.PASS, "")
    assert found["test_undefined"] == (Outcome.FAIL, "undefined")
    assert found["test_false"] == (Outcome.FAIL, "it is false")
    assert found["test_error"][0] is Outcome.FAIL
    assert "p_test.rego:5:" in found["test_error"][1]
    assert found["todo_test_later"] == (Outcome.SKIPPED, "")
    assert len(found) == 6


def test_no_tests_is_no_pass(tmp_path: Path) -> None:
    (tmp_path / "p.rego").write_text("package main\n")
    with pytest.raises(BadInput, match="no tests"):
        run_tests([tmp_path], [])
