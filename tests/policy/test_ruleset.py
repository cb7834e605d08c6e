"""Policies and data as they are loaded, and what belongs to their identity."""

from __future__ import annotations

from pathlib import Path

import pytest

from seatrial.model.problems import BadInput
from seatrial.policy.ruleset import load

DENY = 'package main\nimport rego.v1\ndeny contains "x" if input.x\n'


def written(place: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text)
    return place


def test_rules_of_all_files_of_a_package_count_once(tmp_path: Path) -> None:
    place = written(
        tmp_path,
        {
            "a.rego": DENY,
            "b/c.rego": DENY + "warn_b contains 1\nhelper := 1\nexception contains []\n",
            "o.rego": 'package other["x-y"]\nviolation contains "v" if true\n',
        },
    )
    assert load([place], [], ["main"]).names == ("main.deny", "main.warn_b")
    assert load([place], [], ["*"]).names == ("main.deny", "main.warn_b", 'other["x-y"].violation')


def test_tests_are_left_out(tmp_path: Path) -> None:
    place = written(
        tmp_path,
        {"a.rego": DENY, "a_test.rego": "package main\ntest_it if parse_config('x')\n".replace("'", '"')},
    )
    assert [source.name for source in load([place], [], ["main"]).sources] == [str(place / "a.rego")]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            'package main\ndeny[msg] { msg := "x" }\n',
            "a.rego:2:11: `if` keyword is required before rule body; Rego v0",
        ),
        ("package main\nallowed { input.x }\ndeny contains 1\n", "a.rego:2:9: `if` keyword is required"),
        ("package main\n\ndeny contains msg if {\n", "a.rego:4:1: expecting"),
        ("", "a.rego:1:1: expecting `package`"),
    ],
)
def test_what_is_no_rego_v1_is_told_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    place = written(tmp_path, {"a.rego": text})
    with pytest.raises(BadInput) as found:
        load([place], [], ["main"])
    assert told in str(found.value)


def test_problems_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    place = written(tmp_path, {"a.rego": "package", "b.rego": "package main\nx {", "c.rego": DENY})
    with pytest.raises(BadInput) as found:
        load([place], [], ["main"])
    assert [Path(each.location.file).name for each in found.value.problems if each.location] == [
        "a.rego",
        "b.rego",
    ]


@pytest.mark.parametrize(
    ("files", "namespaces", "told"),
    [
        ({}, ["main"], "no policies"),
        ({"a.rego": DENY}, ["mian"], "there is no package mian"),
        ({"a.rego": "package main\nallow := true\n"}, ["main"], "nothing would be judged"),
        ({"a.rego": "package main\nexception contains []\n"}, ["main"], "nothing would be judged"),
    ],
)
def test_nothing_to_judge_by_is_a_mistake(
    tmp_path: Path, files: dict[str, str], namespaces: list[str], told: str
) -> None:
    with pytest.raises(BadInput) as found:
        load([written(tmp_path, files)], [], namespaces)
    assert told in str(found.value)


def test_data_has_its_directories_as_keys(tmp_path: Path) -> None:
    policies = written(tmp_path / "p", {"a.rego": DENY})
    data = written(tmp_path / "d", {"x.yaml": "a: 1\nb: {c: 2}\n", "b/y.json": '{"d": 3}'})
    assert load([policies], [data], ["main"]).data == {"a": 1, "b": {"c": 2, "d": 3}}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: 1\n", "in another data file"),
        ("- 1\n", "a mapping"),
        ("a: [\n", "z.yaml:2:1"),
        ("b: 1\n---\n", "one document"),
    ],
)
def test_data_that_cannot_be_is_told(tmp_path: Path, text: str, told: str) -> None:
    policies = written(tmp_path / "p", {"a.rego": DENY})
    data = written(tmp_path / "d", {"x.yaml": "a: 1\n", "z.yaml": text})
    with pytest.raises(BadInput) as found:
        load([policies], [data], ["main"])
    assert told in str(found.value)


@pytest.mark.parametrize(
    "text",
    ["main: {deny: []}\n", "main: []\n", "seatrial_gate: {found: []}\n"],
    ids=["what a rule would find", "the package", "what all rules would find"],
)
def test_data_that_would_speak_for_a_rule_is_refused(tmp_path: Path, text: str) -> None:
    policies = written(tmp_path / "p", {"a.rego": DENY})
    with pytest.raises(BadInput, match="call it otherwise"):
        load([policies], [written(tmp_path / "d", {"x.yaml": text})], ["main"])
    beside = written(tmp_path / "beside", {"x.yaml": "main: {allowed: [a]}\nother: {deny: []}\n"})
    assert load([policies], [beside], ["main"]).names == ("main.deny",)
    gate = written(tmp_path / "p", {"b.rego": "package seatrial_gate\nfound := []\n"})
    with pytest.raises(BadInput, match="the package seatrial_gate, through which"):
        load([gate], [], ["*"])


def test_whatever_decides_a_verdict_is_part_of_the_identity(tmp_path: Path) -> None:
    policies = written(
        tmp_path / "p", {"a.rego": DENY, "o.rego": 'package other\ndeny contains "x" if true\n'}
    )
    data = written(tmp_path / "d", {"x.yaml": "a: 1\n"})
    known = {load([policies], [data], ["main"]).identity("opa 1.0.0")}
    for other in (
        load([policies], [data], ["main"]).identity("opa 1.0.1"),
        load([policies], [], ["main"]).identity("opa 1.0.0"),
        load([policies], [data], ["*"]).identity("opa 1.0.0"),
        load([written(tmp_path / "p", {"a.rego": DENY + "# c\n"})], [data], ["main"]).identity("opa 1.0.0"),
        load([policies], [written(tmp_path / "d", {"x.yaml": "a: 2\n"})], ["main"]).identity("opa 1.0.0"),
    ):
        assert other not in known
        known.add(other)


@pytest.mark.parametrize(
    ("rule", "steady", "by_name"),
    [
        ("input.x", True, False),
        ("time.now_ns() > 5", False, False),
        ('data.conftest.file.name == "x"', True, True),
    ],
)
def test_what_a_result_depends_on_beside_the_input_is_known(
    tmp_path: Path, rule: str, steady: bool, by_name: bool
) -> None:
    found = load(
        [written(tmp_path, {"a.rego": f'package main\ndeny contains "x" if {rule}\n'})], [], ["main"]
    )
    assert (found.steady, found.asks_for_the_file) == (steady, by_name)
