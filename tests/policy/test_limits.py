"""What a policy may take: a rule without an end, without measure or with a crash is told, and never a pass."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest
from tests.support.command import seatrial
from tests.support.opa_program import program

from seatrial import processes
from seatrial.model.verdict import Verdict
from seatrial.policy import Report, Request, check
from seatrial.policy.engines import Document, NotEvaluated, regorus_process
from seatrial.policy.engines.opa import Opa
from seatrial.policy.engines.regorus import Regorus
from seatrial.policy.engines.regorus_process import EndedError, Question, RegorusProcess
from seatrial.policy.outcome import Level
from seatrial.policy.ruleset import load
from seatrial.policy.testing import Outcome, run_tests

ENDLESS = """some i in numbers.range(1, 3000)
    some j in numbers.range(1, 3000)
    some k in numbers.range(1, 3000)
    i * j * k == -1"""
POLICY = f"""package main
deny contains "A is denied" if input.kind == "A"
deny_loop contains "x" if {{
    input.kind == "LOOP"
    {ENDLESS}
}}
warn_large contains x if {{ input.kind == "LARGE"; x := json.marshal(numbers.range(1, 30000000)) }}
"""


@pytest.fixture(autouse=True)
def little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regorus_process, "MEMORY", 256 * 1024**2)


def written(place: Path, **files: str) -> Path:
    (place / "policy").mkdir(exist_ok=True)
    (place / "policy/p.rego").write_text(POLICY)
    (place / "in").mkdir(exist_ok=True)
    for name, kind in files.items():
        (place / f"in/{name}.yaml").write_text(f"kind: {kind}\n")
    return place


def checked(place: Path, limit_s: float = 0.2) -> Report:
    policies, memory = (place / "policy",), place / "m.sqlite"
    return check(Request((str(place / "in"),), policies, engine="regorus", limit_s=limit_s, memory=memory))


def test_a_rule_without_an_end_is_stopped_and_named_and_the_other_files_are_judged(tmp_path: Path) -> None:
    found = checked(written(tmp_path, a="C", b="LOOP", c="A"))
    assert found.verdict is Verdict.FAIL
    ((path, broken),) = found.broken
    assert Path(path).name == "b.yaml"
    policy = tmp_path / "policy/p.rego"
    assert f"main.deny_loop ({policy}) was not done after 0.2 s and was stopped" in broken.why
    assert "--limit" in broken.why
    (tmp_path / "in/c.yaml").unlink()
    again = checked(tmp_path)
    assert (again.verdict, again.exit_code(), again.evaluated) == (Verdict.UNKNOWN, 64, 1)


def test_what_was_stopped_is_asked_again_and_never_remembered(tmp_path: Path) -> None:
    first = checked(written(tmp_path, a="LOOP"))
    (tmp_path / "policy/p.rego").write_text(POLICY)  # the same
    assert (first.evaluated, checked(tmp_path).evaluated) == (1, 1)


def test_a_rule_without_measure_ends_at_its_memory_and_not_at_the_machines(tmp_path: Path) -> None:
    ((_, broken),) = checked(written(tmp_path, a="LARGE"), limit_s=20).broken
    assert f"main.warn_large ({tmp_path / 'policy/p.rego'}) needed more than 0.25 GiB of memory" in broken.why


def test_after_a_few_nothing_more_is_tried(tmp_path: Path) -> None:
    found = checked(written(tmp_path, a="A", **{f"l{number}": "LOOP" for number in range(6)}), limit_s=0.1)
    whys = [broken.why for _, broken in found.broken]
    assert ["not tried, after 3 documents" in why for why in whys] == [False] * 3 + [True] * 3
    assert [each.message for _, each in found.findings(Level.DENY)] == ["A is denied"]


def test_all_files_at_once_have_the_limit_too(tmp_path: Path) -> None:
    written(tmp_path, a="A")
    (tmp_path / "policy/p.rego").write_text(f'package main\ndeny contains "x" if {{\n    {ENDLESS}\n}}\n')
    policies, memory = (tmp_path / "policy",), tmp_path / "m.sqlite"
    request = Request((str(tmp_path / "in"),), policies, combine=True, limit_s=0.2, memory=memory)
    for _ in range(2):
        found = check(request)
        assert (found.exit_code(), found.evaluated) == (64, 1)


def test_a_crash_of_the_engine_is_told_of_the_document_and_survived(tmp_path: Path) -> None:
    rules = load([written(tmp_path) / "policy"], [], ["main"])
    evaluator = Regorus().load(rules)
    for number, told in ((signal.SIGSEGV, "SIGSEGV"), (signal.SIGKILL, "no memory left")):
        os.kill(evaluator.pid, number)
        stopped, judged = evaluator.answers([Document('{"kind": "A"}')] * 2)
        assert isinstance(stopped, NotEvaluated)
        assert told in stopped.why
        assert "all rules together" in stopped.why
        assert not isinstance(judged, NotEvaluated)


def test_nothing_goes_on_when_whoever_asked_is_gone(tmp_path: Path) -> None:
    process = RegorusProcess([("p.rego", POLICY)], "{}")
    worker = processes.identify(process.pid)
    assert worker is not None
    answers = process.answers([Question("data.main.deny_loop", '{"kind": "LOOP"}', 0.2)])
    with pytest.raises(EndedError, match="was not done after"):
        next(answers)
    assert not processes.is_running(worker)
    idle = RegorusProcess([("p.rego", POLICY)], "{}")
    worker = processes.identify(idle.pid)
    assert worker is not None
    del idle
    assert not processes.await_gone([worker], 5)


def test_a_process_that_is_stopped_by_others_is_ended_from_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(regorus_process, "_GRACE_S", 0.3)
    process = RegorusProcess([("p.rego", POLICY)], "{}")
    os.kill(process.pid, signal.SIGSTOP)
    with pytest.raises(EndedError, match="was not done after"):
        list(process.answers([Question("data.main.deny", "{}", 0.1)]))


def test_a_test_without_an_end_fails_and_the_next_one_runs(tmp_path: Path) -> None:
    (tmp_path / "a_test.rego").write_text(
        f"package main\ntest_loop if {{\n    {ENDLESS}\n}}\ntest_well if 1 == 1\n"
    )
    loop, well = run_tests([tmp_path], [], 0.2)
    assert (loop.outcome, well.outcome) == (Outcome.FAIL, Outcome.PASS)
    assert "was not done after 0.2 s" in loop.why


def test_opa_has_the_same_limit(tmp_path: Path) -> None:
    """A program in its place, which answers all but one document at once."""
    found = tmp_path / "opa"
    found.write_text(
        "#!/bin/sh\ninput=$(cat)\n"
        'case "$input" in *LOOP*) exec sleep 30;; esac\n'
        "count=$(printf %s \"$input\" | grep -o contents | wc -l)\nlist=''\n"
        'while [ $count -gt 0 ]; do list="$list,[]"; count=$((count-1)); done\n'
        'echo "{\\"result\\": [{\\"expressions\\": [{\\"value\\": [${list#,}]}]}]}"\n'
    )
    found.chmod(0o755)
    rules = load([written(tmp_path) / "policy"], [], ["main"])
    began = time.monotonic()
    documents = [Document(json.dumps({"kind": kind})) for kind in ("A", "LOOP", "B")]
    first, stopped, last = Opa(str(found), "1.9.0", limit_s=1.0).load(rules).answers(documents)
    assert (first, last) == ([], [])
    assert isinstance(stopped, NotEvaluated)
    assert "was not done after 1 s and was stopped" in stopped.why
    assert not stopped.lasting
    assert time.monotonic() - began < 25


def test_a_real_opa_is_stopped_and_its_rule_named(tmp_path: Path) -> None:
    found = program(tmp_path)
    if not found:
        pytest.skip("neither opa nor its library is here")
    rules = load([written(tmp_path) / "policy"], [], ["main"])
    evaluator = Opa(found, "1.9.0", limit_s=2.0).load(rules)
    judged, stopped = evaluator.answers([Document('{"kind": "A"}'), Document('{"kind": "LOOP"}')])
    assert not isinstance(judged, NotEvaluated)
    assert isinstance(stopped, NotEvaluated)
    assert "main.deny_loop" in stopped.why


def test_the_limit_is_an_option_and_no_limit_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    written(tmp_path, a="LOOP")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEATRIAL_HOME", str(tmp_path / "home"))
    asked = ("policy", "check", "in", "--policies", "policy", "--engine", "regorus", "--limit")
    assert seatrial(monkeypatch, *asked, "100ms") == 64
    assert "main.deny_loop (policy/p.rego) was not done after 0.1 s" in capsys.readouterr().out
    assert seatrial(monkeypatch, *asked, "0s") == 64
    assert "--limit: must be longer than 0s" in capsys.readouterr().err
