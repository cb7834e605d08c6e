"""Policies' own tests: the rules `test_*`, as `opa test` and `conftest verify` run them.

A test passes when it is true. One that is undefined, false or ends in an error fails; `todo_test_*` is told
as skipped.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import regorus

from seatrial.model.problems import BadInput
from seatrial.policy.module import problem_of
from seatrial.policy.ruleset import data_of, sources_of


class Outcome(StrEnum):
    """Of a test."""

    PASS = "pass"  # noqa: S105  # an outcome, not a password
    FAIL = "fail"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Tested:
    """One test. `file`: where it stands. `why`: of a failure."""

    file: str
    name: str
    outcome: Outcome
    why: str = ""


def run_tests(policies: Sequence[Path], data: Sequence[Path]) -> tuple[Tested, ...]:
    """Run every test, by file. Raises BadInput, also when there is none."""
    sources = sources_of(policies)
    engine = regorus.Engine()
    for source in sources:
        engine.add_policy(source.name, source.text)
    engine.add_data_json(json.dumps(data_of(data)))
    found = [
        _tested(engine, source.name, source.module.package, rule)
        for source in sources
        for rule in source.module.rules
        if rule.startswith(("test_", "todo_test_"))
    ]
    if not found:
        raise BadInput(f"no tests (rules test_* of files *_test.rego) in {', '.join(map(str, policies))}")
    return tuple(found)


def failed(tested: Sequence[Tested]) -> Iterator[Tested]:
    """Those that failed."""
    return (each for each in tested if each.outcome is Outcome.FAIL)


def _tested(engine: regorus.Engine, file: str, package: str, rule: str) -> Tested:
    if rule.startswith("todo_"):
        return Tested(file, rule, Outcome.SKIPPED)
    engine.set_input_json("null")
    try:
        value = json.loads(engine.eval_rule_as_json(f"{package}.{rule}"))
    except RuntimeError as error:
        return Tested(file, rule, Outcome.FAIL, str(problem_of(error, file)))
    if value is True:
        return Tested(file, rule, Outcome.PASS)
    return Tested(
        file, rule, Outcome.FAIL, "undefined" if value == "<undefined>" else f"it is {json.dumps(value)}"
    )
