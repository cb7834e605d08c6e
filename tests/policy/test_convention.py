"""conftest's convention, by rules that are evaluated."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from seatrial.model.problems import BadInput
from seatrial.policy.convention import level_of, told_of
from seatrial.policy.engines import Document
from seatrial.policy.engines.regorus import Regorus
from seatrial.policy.outcome import Level, Told
from seatrial.policy.ruleset import load


def told(tmp_path: Path, policy: str, given: Any) -> Told:
    (tmp_path / "p.rego").write_text(f"package main\n{policy}")
    (answer,) = Regorus().load(load([tmp_path], [], ["main"])).answers([Document(json.dumps(given))])
    return told_of(answer, 1)


@pytest.mark.parametrize(
    ("rule", "level"),
    [
        ("deny", Level.DENY),
        ("deny_root_2", Level.DENY),
        ("violation", Level.DENY),
        ("violation_x", Level.DENY),
        ("warn", Level.WARN),
        ("warn_x", Level.WARN),
        ("denylist", None),
        ("deny_", None),
        ("allow", None),
        ("exception", None),
    ],
)
def test_the_names_that_count(rule: str, level: Level | None) -> None:
    assert level_of(rule) is level


def test_messages_are_text_or_objects(tmp_path: Path) -> None:
    policy = 'deny contains "b" if true\ndeny contains {"msg": "a", "control": "C 1", "comply": "do"} if true\nwarn_x := ["w"] if input.on\n'
    found = told(tmp_path, policy, {"on": True})
    assert [(each.id, each.level, each.message, each.control, each.comply) for each in found.findings] == [
        ("main.deny", Level.DENY, "b", "", ""),
        ("main.deny", Level.DENY, "a", "C 1", "do"),
        ("main.warn_x", Level.WARN, "w", "", ""),
    ]
    assert told(tmp_path, policy, {"on": False}).findings == found.findings[:2]


def test_exceptions_exempt_by_the_name_behind_the_prefix(tmp_path: Path) -> None:
    policy = (
        'deny_root contains "root" if true\nviolation_root contains "v" if true\ndeny contains "bare" if true\n'
        'exception contains ["root"] if input.exempt\n'
    )
    found = told(tmp_path, policy, {"exempt": True})
    assert [each.id for each in found.findings] == ["main.deny"]
    assert sorted(each.rule for each in found.exempted) == ["deny_root", "violation_root"]
    assert len(told(tmp_path, policy, {}).findings) == 3


def test_the_empty_name_exempts_the_bare_rules(tmp_path: Path) -> None:
    policy = (
        'deny_root contains "root" if true\ndeny contains "bare" if true\nexception contains [""] if true\n'
    )
    assert [each.id for each in told(tmp_path, policy, {}).findings] == ["main.deny_root"]


@pytest.mark.parametrize(
    ("policy", "told_as"),
    [
        ("deny if true", "main.deny: its value is true, where a set of messages is expected"),
        ('deny[msg] if { msg := "x" }', 'main.deny: its value is {"x": true}'),
        ("deny contains 3 if true", "main.deny: 3 is no message"),
        ('deny contains {"message": "x"} if true', "is no message: write text, or an object with msg"),
        ('deny contains "x" if true\nexception := "y"', "main.exception: its value is"),
    ],
)
def test_a_rule_that_gives_no_messages_is_a_mistake_and_never_a_pass(
    tmp_path: Path, policy: str, told_as: str
) -> None:
    with pytest.raises(BadInput) as found:
        told(tmp_path, policy, {})
    assert told_as in str(found.value)


def test_what_is_told_survives_being_remembered(tmp_path: Path) -> None:
    found = told(
        tmp_path,
        'deny contains {"msg": "a", "n": [1]} if true\nexception contains ["q"]\ndeny_q contains "q"',
        {},
    )
    assert Told.of_plain(json.loads(json.dumps(found.plain()))) == found
