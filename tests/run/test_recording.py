"""What checks have to be told is asked for once, kept as evidence, and at worst an unknown with its reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pyarrow.parquet as pq
import pytest
from tests.support.conducting import rows

from seatrial.checks.acknowledged_writes import AcknowledgedWrites
from seatrial.checks.protocol import History, Need, When
from seatrial.lookups.recorder import Columns, Recorder, RunFacts
from seatrial.model.problems import CannotStore, SeatrialError, Unavailable
from seatrial.model.requestlog import RequestLog
from seatrial.model.role import Role
from seatrial.model.verdict import Verdict
from seatrial.run.evidence import Evidence
from seatrial.run.losses import Losses
from seatrial.run.needs import BoundNeed
from seatrial.run.recording import Answers, ask, keep

WRITES = Role("writes", "http", {}, (), ".")
AUDIT = Role("audit", "audit-log", {}, (), ".")


@dataclass
class Copies(Recorder[tuple[tuple[str, str | None], ...]]):
    """Tells of each write what a test has it tell."""

    name: ClassVar[str] = "writes"
    drivers: ClassVar[tuple[str, ...]] = ("http",)
    kept_as: ClassVar[str] = "stored"

    tells: Callable[[str], tuple[str, str | None]]

    def record(self, role: Role, run: RunFacts) -> tuple[tuple[str, str | None], ...]:
        return tuple(map(self.tells, run.keys))

    def evidence(self, data: tuple[tuple[str, str | None], ...]) -> Columns:
        return {"id": [identity for identity, _ in data], "content": [content for _, content in data]}


class Log(Recorder[str]):
    """Writes a file of its own beside what it tells."""

    name: ClassVar[str] = "log"
    drivers: ClassVar[tuple[str, ...]] = ("audit-log",)

    def record(self, role: Role, run: RunFacts) -> str:
        run.directory.mkdir()
        (run.directory / "lines").write_text("many")
        return json.dumps({"entries": len(run.keys)})

    def evidence(self, data: str) -> str:
        return data


def faithful(key: str) -> tuple[str, str | None]:
    identity, _, content = key.partition(" ")
    return identity, content


def asked(
    *needs: BoundNeed, directory: Path, when: When = When.AFTER, log: RequestLog | None = None
) -> Answers:
    return ask(needs, when, Evidence(directory), rows(3) if log is None else log)


def writes(tells: Callable[[str], tuple[str, str | None]] = faithful) -> BoundNeed:
    return BoundNeed(Need("writes", "writes"), Copies(tells), WRITES)


def test_each_write_is_asked_for_and_the_answer_is_a_table_in_the_evidence(tmp_path: Path) -> None:
    need = writes()
    answers = asked(need, directory=tmp_path)
    assert answers[need.need].data == (("w0", "bolt"), ("w1", "bolt"), ("w2", "bolt"))
    losses = Losses(tmp_path)
    keep([need], answers, Evidence(tmp_path), losses)
    assert not losses
    assert pq.read_table(tmp_path / "stored-writes.parquet").to_pydict() == {
        "id": ["w0", "w1", "w2"],
        "content": ["bolt"] * 3,
    }


def test_what_is_too_large_for_memory_stands_beside_the_text(tmp_path: Path) -> None:
    need = BoundNeed(Need("log", "audit"), Log(), AUDIT)
    answers = asked(need, directory=tmp_path)
    assert answers[need.need].directory == tmp_path / "recorded-audit"
    keep([need], answers, Evidence(tmp_path), Losses(tmp_path))
    assert json.loads((tmp_path / "recorded-audit.json").read_text()) == {"entries": 3}


def test_before_a_run_no_write_is_known_and_files_have_names_of_their_own(tmp_path: Path) -> None:
    before = BoundNeed(Need("log", "audit", When.BEFORE), Log(), AUDIT)
    answers = asked(before, writes(), directory=tmp_path, when=When.BEFORE, log=RequestLog.empty())
    assert [answer.data for answer in answers.values()] == ['{"entries": 0}']
    keep([before], answers, Evidence(tmp_path), Losses(tmp_path))
    assert (tmp_path / "recorded-audit-before.json").exists()
    assert (tmp_path / "recorded-audit-before" / "lines").exists()


@pytest.mark.parametrize(
    "error", [ValueError("not JSON"), Unavailable("no answer"), KeyError("id"), MemoryError()]
)
def test_whatever_a_target_answers_is_at_worst_an_unknown(tmp_path: Path, error: Exception) -> None:
    def breaks(_: str) -> Any:
        raise error

    need = writes(breaks)
    answers = asked(need, directory=tmp_path)
    losses = Losses(tmp_path)
    keep([need], answers, Evidence(tmp_path), losses)
    assert not losses
    assert list(tmp_path.iterdir()) == []
    result = AcknowledgedWrites().judge(History(rows(3), (), 2.0, 1.0, answers))
    assert result.verdict is Verdict.UNKNOWN
    said = str(error) if isinstance(error, SeatrialError) else f"writes: {type(error).__name__}"
    assert said in result.detail


def test_an_answer_that_cannot_be_kept_is_judged_and_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise CannotStore("no space left")

    monkeypatch.setattr(Evidence, "create_file", full)
    need, losses = writes(), Losses(tmp_path)
    answers = asked(need, directory=tmp_path)
    keep([need], answers, Evidence(tmp_path), losses)
    assert "stored-writes" in losses
    assert AcknowledgedWrites().judge(History(rows(3), (), 2.0, 1.0, answers)).verdict is Verdict.PASS
