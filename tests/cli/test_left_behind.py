"""What an earlier run left behind: every command that could inject refuses in one line, and `recover` tells."""

from __future__ import annotations

import json
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from tests.support.command import seatrial

from seatrial.model.role import Role
from seatrial.processes import ProcessId
from seatrial.trials.scheduled import run_scheduled
from seatrial.undo import registry
from seatrial.undo.journal import Journal, SessionRecord
from seatrial.undo.recover import LeftBehindError
from seatrial.undo.session import journal_path

DEAD = ProcessId(2**22 - 1, 1, "a boot long ago")


@pytest.fixture
def undo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The undo of a fault that a dead run has left: a program that fails, until it is told otherwise."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEATRIAL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "80")
    program = ["sh", "-c", "test -e mended || { echo 'the disk is made of cheese' >&2; exit 3; }"]
    fault = registry.build("command.run", {"inject": ["true"], "undo": program})
    record = fault.prepare(Role("cache", "command", {}, (), str(tmp_path)))
    journal = Journal(journal_path(tmp_path / "home"))
    journal.open_session(SessionRecord("dead", "shop", "crash", "an-earlier-run", DEAD, guardian=DEAD))
    number = journal.prepare("dead", "boom", record, 2**62)
    now = journal.clock.now()
    journal.activate(number, now, now, 2**62)
    journal.close()
    return program


@pytest.mark.usefixtures("undo")
@pytest.mark.parametrize(
    "command", [("run", "chaos/blue-green-rollback.yaml"), ("suite", "chaos/suites/monthly.yaml"), ("demo",)]
)
def test_a_command_that_could_inject_refuses_in_one_line(
    command: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    assert seatrial(monkeypatch, *command) == 2
    said = capfd.readouterr()
    (line,) = said.err.splitlines()
    assert said.out == ""
    for part in (
        "nothing was started",
        "command.run on cache, left by an-earlier-run, is not undone",
        "sh failed with 3: the disk is made of cheese",
        f"by hand: cd {tmp_path} && sh -c ",
        "seatrial recover",
    ):
        assert part in line
    assert not (tmp_path / "runs").exists()


@pytest.mark.usefixtures("undo")
def test_an_occurrence_of_a_schedule_is_refused_with_the_same_line() -> None:
    nobody: Any = None
    with pytest.raises(
        LeftBehindError, match=r"nothing was started; command\.run on cache, left by"
    ) as caught:
        run_scheduled(nobody, Event(), nobody)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.usefixtures("undo")
def test_recover_tells_what_is_left_until_it_is_gone(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for _ in range(2):
        assert seatrial(monkeypatch, "recover") == 1
        said = capfd.readouterr().err
        assert "Traceback" not in said
        assert "NOT undone: command.run on cache, left by an-earlier-run: sh failed with 3" in said
        assert f"by hand: cd {tmp_path} && sh -c " in said
    assert seatrial(monkeypatch, "recover", "--json") == 1
    (found,) = json.loads(capfd.readouterr().out)["recovered"]
    assert (found["undone"], found["undo"]) == (False, "failed")
    assert found["by_hand"].startswith(f"cd {tmp_path} && sh -c ")
    (tmp_path / "mended").touch()
    assert seatrial(monkeypatch, "recover") == 0
    assert "undone, not verified: command.run on cache, left by an-earlier-run" in capfd.readouterr().err
    assert seatrial(monkeypatch, "recover") == 0
    assert "nothing was left to undo" in capfd.readouterr().err
