"""What is said after a run: a rehearsal is told as one, and what to do next is a list of commands."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.support.command import seatrial
from tests.support.results import result

from seatrial.cli.attended import rehearse
from seatrial.cli.running import _AFTER_THE_DEMO
from seatrial.model.verdict import Verdict


def test_a_rehearsal_is_not_mistaken_for_a_broken_promise(capsys: pytest.CaptureFixture[str]) -> None:
    execution: Any = SimpleNamespace(result=result(Verdict.PASS))
    rehearse(execution, "chaos/x.yaml")
    first, summary, *more = capsys.readouterr().err.strip().splitlines()
    assert first.startswith("A rehearsal of the other case: nothing was sent.")
    assert "REHEARSAL: the promise was kept, and nobody is told" in summary
    assert more[-1].endswith("seatrial run chaos/x.yaml")


def test_the_commands_that_are_named_after_the_demo_lead_from_one_to_the_next(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEATRIAL_HOME", str(tmp_path / "home"))
    begin, run, explain = (command.split()[1:] for command in _AFTER_THE_DEMO)
    assert seatrial(monkeypatch, *begin[:-1], "http://127.0.0.1:1") == 0
    assert seatrial(monkeypatch, *run, "--dry-run") == 0
    assert seatrial(monkeypatch, *explain) == 0
