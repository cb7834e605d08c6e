"""Policies' own tests: the rules `test_*`, as `opa test` and `conftest verify` run them.

A test passes when it is true. One that is undefined, false, ends in an error or has to be stopped fails;
`todo_test_*` is told as skipped.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from seatrial.model.problems import BadInput
from seatrial.policy.engines import LIMIT_S
from seatrial.policy.engines.regorus_process import EndedError, Failed, Question, RegorusProcess, loaded
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


def run_tests(policies: Sequence[Path], data: Sequence[Path], limit_s: float = LIMIT_S) -> tuple[Tested, ...]:
    """Run every test, by file, each within limit_s. Raises BadInput, also when there is none; Unavailable."""
    sources = sources_of(policies)
    documents = json.dumps(data_of(data))
    tests = [
        (source.name, source.module.package, rule)
        for source in sources
        for rule in source.module.rules
        if rule.startswith(("test_", "todo_test_"))
    ]
    if not tests:
        raise BadInput(f"no tests (rules test_* of files *_test.rego) in {', '.join(map(str, policies))}")

    def started() -> RegorusProcess:
        return loaded([(source.name, source.text) for source in sources], documents)

    found: list[Tested] = []
    process = started()
    for file, package, rule in tests:
        try:
            found.append(_tested(process, file, f"{package}.{rule}", rule, limit_s))
        except EndedError as ended:
            found.append(Tested(file, rule, Outcome.FAIL, ended.why))
            process = started()
    return tuple(found)


def failed(tested: Sequence[Tested]) -> Iterator[Tested]:
    """Those that failed."""
    return (each for each in tested if each.outcome is Outcome.FAIL)


def _tested(process: RegorusProcess, file: str, reference: str, rule: str, limit_s: float) -> Tested:
    if rule.startswith("todo_"):
        return Tested(file, rule, Outcome.SKIPPED)
    (answer,) = process.answers([Question(reference, "null", limit_s)])
    if isinstance(answer, Failed):
        return Tested(file, rule, Outcome.FAIL, str(problem_of(RuntimeError(answer.why), file)))
    value = json.loads(answer)
    if value is True:
        return Tested(file, rule, Outcome.PASS)
    why = "undefined" if value == "<undefined>" else f"it is {json.dumps(value)}"
    return Tested(file, rule, Outcome.FAIL, why)
