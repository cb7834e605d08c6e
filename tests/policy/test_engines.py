"""Both engines answer alike: the same messages for the same policies, data and inputs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.opa_program import program

from seatrial.model.problems import BadInput, Unavailable
from seatrial.policy.convention import told_of
from seatrial.policy.engines import Document, Engine, NotEvaluated, engine_named
from seatrial.policy.engines.opa import Opa
from seatrial.policy.engines.regorus import Regorus
from seatrial.policy.ruleset import Ruleset, load

POLICY = r"""
package main
import rego.v1

deny contains msg if {
    some container in input.spec.containers
    not container.secure
    msg := sprintf("%s: %v is not secure (%d)", [input.name, container.image, count(input.spec.containers)])
}
deny_quote contains "a quote" if contains(input.name, "\"")
deny_line contains "two lines" if count(split(input.name, "\n")) > 1
deny_backslash contains "a backslash" if input.name == "a\\b"
deny_space contains {"msg": concat(",", ["white", `space \n`]), "control": "C"} if regex.match(`^a\s`, input.name)
deny_length contains sprintf("length %d", [count(input.name)])
deny_large contains "large" if input.n > data.limit
warn_lower contains lower(input.name) if input.name != lower(input.name)
warn contains name if some name in data.names
warn_file contains data.conftest.file.name if input.file
exception contains ["large"] if input.exempt
helper(x) := y if { y := x + 1 }
violation_helper contains "helper" if helper(input.n) == 3
"""
DATA = {"limit": 5, "names": ["x", "é"]}


@pytest.fixture(scope="module")
def opa(tmp_path_factory: pytest.TempPathFactory) -> Opa:
    found = program(tmp_path_factory.mktemp("opa"))
    if not found:
        pytest.skip("neither opa nor its library is here")
    return Opa.found(found)


def ruleset(place: Path, policy: str = POLICY) -> Ruleset:
    (place / "policy").mkdir(exist_ok=True)
    (place / "policy" / "p.rego").write_text(policy)
    (place / "d.json").write_text(json.dumps(DATA))
    return load([place / "policy"], [place / "d.json"], ["main"])


def answers(engine: Engine, rules: Ruleset, inputs: Sequence[Any]) -> list[Any]:
    documents = [Document(json.dumps(each, ensure_ascii=False), "f.yaml", "/d") for each in inputs]
    found = engine.load(rules).answers(documents)
    return ["error" if isinstance(each, NotEvaluated) else told_of(each, 1) for each in found]


texts = st.text(alphabet=st.sampled_from('aB "\\\n\té{}%'), max_size=6) | st.sampled_from(
    ["a\\b", 'say "x"', "a b"]
)
containers = st.lists(st.fixed_dictionaries({"image": texts}, optional={"secure": st.booleans()}), max_size=3)
manifests = st.fixed_dictionaries(
    {"name": texts, "n": st.integers(-3, 9), "spec": st.fixed_dictionaries({"containers": containers})},
    optional={"exempt": st.booleans(), "file": st.booleans()},
)
inputs = st.lists(
    manifests | st.none() | st.lists(st.integers(), max_size=2) | st.just({"name": 3}), max_size=6
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(inputs)
def test_opa_and_regorus_say_the_same(opa: Opa, tmp_path: Path, given: list[Any]) -> None:
    rules = ruleset(tmp_path)
    assert answers(opa, rules, given) == answers(Regorus(), rules, given)


@pytest.mark.parametrize(
    "policy",
    [
        'package main\ndeny contains "x" if to_number(input.name) > 3\n',
        'package main\nf := 1 if input.n > 1\nf := 2 if input.n > 2\ndeny contains "x" if f == 1\n',
    ],
)
def test_an_error_is_an_error_of_that_input_alone(opa: Opa, tmp_path: Path, policy: str) -> None:
    rules = ruleset(tmp_path, policy)
    given = [{"name": "4", "n": 2}, {"name": "no number", "n": 5}, {"name": "1", "n": 0}]
    by_opa, by_regorus = (answers(engine, rules, given) for engine in (opa, Regorus()))
    assert by_opa == by_regorus
    assert [each == "error" for each in by_opa] == [False, True, False]


def test_an_error_names_the_policy_as_people_know_it(opa: Opa, tmp_path: Path) -> None:
    rules = ruleset(tmp_path, 'package main\n\ndeny contains "x" if to_number(input.name) > 3\n')
    for engine in (opa, Regorus()):
        (found,) = engine.load(rules).answers([Document('{"name": "x"}')])
        assert isinstance(found, NotEvaluated)
        assert f"{tmp_path / 'policy' / 'p.rego'}:3:" in found.why


def test_a_policy_that_calls_what_is_not_there_is_refused_by_both(opa: Opa, tmp_path: Path) -> None:
    rules = ruleset(tmp_path, 'package main\ndeny contains "x" if conjure(input)\n')
    with pytest.raises(BadInput, match=r"p\.rego:2:"):
        opa.load(rules)
    (found,) = Regorus().load(rules).answers([Document("{}")])
    assert isinstance(found, NotEvaluated)


def test_an_engine_is_part_of_the_identity_of_a_result(tmp_path: Path) -> None:
    rules = ruleset(tmp_path)
    assert rules.identity(Regorus().identity) != rules.identity("opa 1.20.2")
    assert Regorus().identity.startswith("regorus ")


def opa_saying(place: Path, text: str, code: int = 0) -> str:
    file = place / "opa"
    file.write_text(f"#!/bin/sh\nprintf '%s\\n' '{text}'\nexit {code}\n")
    file.chmod(0o755)
    return str(file)


@pytest.mark.parametrize(
    ("text", "code", "told"),
    [
        ("Version: 0.64.1", 0, "reads Rego v0; 1.0 or newer is needed"),
        ("what?", 0, "it does not tell: what"),
        ("", 1, "it says nothing"),
    ],
)
def test_a_program_that_is_no_opa_of_today_is_told(tmp_path: Path, text: str, code: int, told: str) -> None:
    with pytest.raises(Unavailable, match=told):
        Opa.found(opa_saying(tmp_path, text, code))


def test_an_answer_that_is_no_json_is_told(tmp_path: Path) -> None:
    found = Opa.found(opa_saying(tmp_path, "Version: 1.9.0"))
    with pytest.raises(Unavailable, match=r"opa eval: Version: 1\.9\.0"):
        found.load(ruleset(tmp_path))


def test_opa_on_path_is_taken_and_can_be_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert engine_named("auto").identity.startswith("regorus")
    with pytest.raises(Unavailable, match="no opa on PATH"):
        engine_named("opa")
    opa_saying(tmp_path, "Version: 1.9.0")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert engine_named("auto").identity == "opa 1.9.0"
    assert engine_named("regorus").identity.startswith("regorus")
