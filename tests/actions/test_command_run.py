"""The action command.run: a program as a step; without an undo it stays, and what it says is kept."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.support.waiting import wait_until

from seatrial.drivers import output
from seatrial.model import secrets
from seatrial.model.problems import BadInput, TooLate, Unavailable
from seatrial.model.role import Role
from seatrial.processes import tagged
from seatrial.undo import Undo, registry


def action(**parameters: Any) -> Any:
    return registry.build("command.run", parameters, "action")


def test_one_name_is_a_fault_with_an_undo_and_an_action_that_may_have_none() -> None:
    registry.require_kind("command.run", "action")
    registry.require_kind("command.run", "fault")
    assert registry.find("command.run", "action") is not registry.find("command.run", "fault")
    with pytest.raises(BadInput, match="undo: is required and missing"):
        registry.build("command.run", {"inject": ["true"]}, "fault")
    with pytest.raises(BadInput, match="unknown parameter 'inject'"):
        action(inject=["true"])


def test_what_was_run_is_put_back_by_another_process(role: Role) -> None:
    live = Path(role.directory, "live")
    deploy = action(
        run=["sh", "-c", "echo green > live"],
        undo=["sh", "-c", "echo blue > live"],
        probe=["grep", "blue", "live"],
    )
    undo = deploy.prepare(role)
    assert not live.exists(), "looking touches nothing"
    assert (undo.kind, undo.lasting, undo.by_hand) == (
        "action",
        False,
        f"cd {role.directory} && sh -c 'echo blue > live'",
    )
    deploy.inject(undo)
    assert live.read_text() == "green\n"
    with pytest.raises(Unavailable):
        deploy.gone(undo)
    recorded = Undo.from_json(undo.to_json())
    again: Any = registry.rebuild(recorded)
    for _ in range(2):
        again.undo(recorded)
    assert (live.read_text(), again.gone(recorded)) == ("blue\n", True)


def test_without_an_undo_it_stays(role: Role) -> None:
    deploy = action(run=["touch", "deployed"], probe=["test", "-e", "deployed"])
    undo = deploy.prepare(role)
    assert (undo.lasting, undo.by_hand) == (True, "")
    deploy.inject(undo)
    deploy.undo(undo)
    assert Path(role.directory, "deployed").exists()
    assert deploy.gone(undo) is None, "nothing was to go"
    assert deploy.healthy(role)


def test_what_goes_wrong_is_told_with_the_last_lines(role: Role) -> None:
    deploy = action(run=["sh", "-c", "seq 1 9; echo no such image >&2; exit 7"])
    with pytest.raises(Unavailable, match=r"sh failed with 7: 8 \| 9 \| no such image"):
        deploy.inject(deploy.prepare(role))
    for lacking in ({"run": ["no-such-program"]}, {"run": ["true"], "undo": ["no-such-program"]}):
        with pytest.raises(Unavailable, match="there is no program no-such-program"):
            action(**lacking).prepare(role)


def test_what_it_says_is_kept_without_secrets(
    role: Role, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEPLOY_TOKEN", "hush-hush-4711")
    deploy = action(run=["sh", "-c", "echo the token is ${DEPLOY_TOKEN}"], undo=["echo", "back"])
    undo = deploy.prepare(role)
    output.keep(undo.token, kept := tmp_path / "step-deploy.log")
    deploy.inject(undo)
    deploy.undo(undo)
    assert secrets.shown("hush-hush-4711") == "${DEPLOY_TOKEN}"
    assert kept.read_text() == "the token is ${DEPLOY_TOKEN}\nback\n"
    assert kept.stat().st_mode & 0o077 == 0


def test_of_a_flood_the_beginning_and_the_end_are_kept(role: Role, tmp_path: Path) -> None:
    deploy = action(run=["seq", "1", "400000"])
    undo = deploy.prepare(role)
    output.keep(undo.token, kept := tmp_path / "step-deploy.log")
    deploy.inject(undo)
    lines = kept.read_text().splitlines()
    assert lines[:2] == ["1", "2"]
    assert lines[-1] == "400000"
    assert any(line.endswith("lines left out]") for line in lines)
    assert kept.stat().st_size < output.KEPT_BYTES + 10_000


def test_a_service_that_it_leaves_behind_is_waited_for_by_nobody(role: Role) -> None:
    deploy = action(run=["sh", "-c", "sleep 600 & echo started"], within="30s")
    undo = deploy.prepare(role)
    deploy.inject(undo)
    deploy.undo(undo)
    assert tagged(undo.token), "what a finished deploy has started is the service"
    deploy.cut_short(undo)
    assert not tagged(undo.token)


def test_who_takes_too_long_is_ended(role: Role) -> None:
    deploy = action(run=["sh", "-c", "echo waiting; sleep 600"], within="200ms")
    undo = deploy.prepare(role)
    with pytest.raises(TooLate, match=r"sh was not through within 0\.2s"):
        deploy.inject(undo)
    assert tagged(undo.token) == []


CONDUCTOR = """
import sys
from seatrial.undo import Undo, registry
undo = Undo.from_json(sys.argv[1])
registry.rebuild(undo).inject(undo)
"""


def test_a_deploy_whose_conductor_dies_is_ended_and_put_back(role: Role) -> None:
    deploy = action(
        run=["sh", "-c", "touch begun; sleep 600; touch finished"], undo=["rm", "begun"], within="1h"
    )
    undo = deploy.prepare(role)
    conductor = subprocess.Popen([sys.executable, "-c", CONDUCTOR, undo.to_json()])
    begun = Path(role.directory, "begun")
    wait_until(begun.exists)
    conductor.kill()
    conductor.wait()
    assert tagged(undo.token)
    deploy.cut_short(undo)
    deploy.undo(undo)
    assert not begun.exists()
    assert tagged(undo.token) == []
    assert not Path(role.directory, "finished").exists()
