"""`seatrial policy`, as a person and a pipeline use it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.support.command import seatrial
from tests.support.hidden import without

from seatrial.extras import POLICY

RULES = 'package main\ndeny contains msg if { input.kind == "A"; msg := "A is denied" }\nwarn contains "B" if input.kind == "B"\n'


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEATRIAL_HOME", str(tmp_path / "home"))
    (tmp_path / "chaos/policies").mkdir(parents=True)
    (tmp_path / "chaos/policies/p.rego").write_text(RULES)
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.yaml").write_text("kind: C\n")
    return tmp_path


def test_a_pass_and_a_denial(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert seatrial(monkeypatch, "policy", "check", "in") == 0
    assert capsys.readouterr().out.startswith("pass: 0 denied, 0 warned; 1 files by 2 rules")
    (here / "in/b.json").write_text('{"kind": "A"}')
    assert seatrial(monkeypatch, "policy", "check", "in") == 1
    assert "✗ denied  in/b.json:1: A is denied [main.deny]" in capsys.readouterr().out


def test_a_warning_fails_only_where_that_is_asked_for(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "in/b.yaml").write_text("kind: B\n")
    assert seatrial(monkeypatch, "policy", "check", "in") == 0
    assert seatrial(monkeypatch, "policy", "check", "in", "--fail-on-warn") == 1


def test_a_broken_file_is_bad_input(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "in/b.yaml").write_text("a: 1\na: 2\n")
    assert seatrial(monkeypatch, "policy", "check", "in") == 64
    assert "? not judged  in/b.yaml:2:1: the key 'a' stands twice in one mapping" in capsys.readouterr().out


@pytest.mark.parametrize("form", ["json", "sarif", "junit"])
def test_a_report_goes_to_a_file_and_the_text_to_the_terminal(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    assert seatrial(monkeypatch, "policy", "check", "in", "--format", form, "--out", "report") == 0
    assert capsys.readouterr().out.startswith("pass: ")
    written = (here / "report").read_text()
    assert written.startswith("<?xml" if form == "junit" else "{")
    assert seatrial(monkeypatch, "policy", "check", "in", "--format", form) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("<?xml") if form == "junit" else json.loads(printed)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("nowhere",), "nowhere: no such file or directory"),
        (("in", "--policies", "nowhere"), "nowhere: no such file or directory of policies"),
        (("in", "--namespace", "mian"), "there is no package mian"),
        (("in", "--engine", "conftest"), "--engine conftest: not one of auto, opa, regorus"),
        (("in", "--ignore", "("), "--ignore (: no regular expression"),
        (("in", "--ignore", "yaml"), "no file that can be judged in in"),
        (("in", "--memory", "in"), "in is a directory; name a file, such as in/policy.sqlite"),
        (("in", "--memory", "in/a.yaml"), "in/a.yaml is no memory of policy checks"),
        (("in", "--all", "--changed-since", "HEAD"), "one of them"),
        (("chaos/policies/p.rego",), "no reader for a file of this name"),
    ],
)
def test_what_cannot_be_asked_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], told: str
) -> None:
    assert seatrial(monkeypatch, "policy", "check", *arguments) == 64
    assert told in capsys.readouterr().err


def test_a_file_that_is_no_memory_is_left_as_it_is(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert seatrial(monkeypatch, "policy", "check", "in", "--memory", "in/a.yaml") == 64
    assert (here / "in/a.yaml").read_text() == "kind: C\n"
    assert seatrial(monkeypatch, "policy", "check", "in", "--memory", "m.sqlite") == 0
    assert seatrial(monkeypatch, "policy", "check", "in", "--memory", "m.sqlite") == 0


def test_a_mistake_in_a_policy_is_told_with_its_place(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "chaos/policies/p.rego").write_text('package main\ndeny[msg] { msg := "x" }\n')
    assert seatrial(monkeypatch, "policy", "check", "in") == 64
    assert "chaos/policies/p.rego:2:11: `if` keyword is required" in capsys.readouterr().err


def test_without_policies_of_ones_own_the_shipped_ones_judge(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "chaos/policies/p.rego").unlink()
    (here / "chaos/policies").rmdir()
    (here / "in/Dockerfile").write_text("FROM debian:latest\n")
    for named in ((), ("--policies", "chaos/policies")):
        assert seatrial(monkeypatch, "policy", "check", "in", *named) == 1
        assert "main.deny_soc2_image" in capsys.readouterr().out
    assert seatrial(monkeypatch, "policy", "check", "in", "--evidence") == 1
    (sealed,) = (here / "home/policy-checks").glob("*/policy.json")
    assert json.loads(sealed.read_text())["policies"] == "chaos/policies"


def test_bench_measures_three_checks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert seatrial(monkeypatch, "policy", "check", "in", "--bench") == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [line[-2] for line in lines[1:]] == ["1", "0", "1"]  # evaluated


def test_without_the_extra_it_says_what_to_install(here: Path) -> None:
    done = without(POLICY.packages, here, "-m", "seatrial", "policy", "check", "in")
    assert done.returncode == 2
    assert (
        "seatrial policy needs the policy engine and its readers: pip install 'seatrial[policy]'"
        in done.stderr
    )
