"""An open run is found by whoever comes next, once its conductor is gone and not before."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest

from seatrial.model.problems import CannotStore
from seatrial.run import openruns
from seatrial.run.openruns import OpenRun

RUN = OpenRun("20261101T023000Z-crash", "crash", "shop", "/evidence", "2026-11-01T02:30:00+00:00", "", 1)


def _begin_and_die(home: Path) -> None:
    openruns.begin(home, RUN)


def test_one_that_goes_on_is_nobody_elses(tmp_path: Path) -> None:
    with openruns.begin(tmp_path, RUN):
        assert list(openruns.left(tmp_path)) == []
    assert [held.run for held in openruns.left(tmp_path)] == [RUN]


def test_a_conductor_that_dies_lets_go(tmp_path: Path) -> None:
    conductor = multiprocessing.get_context("spawn").Process(target=_begin_and_die, args=(tmp_path,))
    conductor.start()
    conductor.join()
    assert [held.run for held in openruns.left(tmp_path)] == [RUN]


def test_two_who_finish_do_not_meet(tmp_path: Path) -> None:
    openruns.begin(tmp_path, RUN).close()
    first = openruns.left(tmp_path)
    assert next(first).run == RUN
    assert list(openruns.left(tmp_path)) == []


def test_one_that_has_come_to_its_end_leaves_nothing(tmp_path: Path) -> None:
    with openruns.begin(tmp_path, RUN) as held:
        held.forget()
    assert list((tmp_path / "open-runs").iterdir()) == []


@pytest.mark.parametrize("text", ["{", "[]", '{"run": "x", "of a later version": 1}'])
def test_a_record_that_cannot_be_read_blocks_no_run(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    (tmp_path / "open-runs").mkdir()
    (tmp_path / "open-runs" / "0.json").write_text(text)
    openruns.begin(tmp_path, RUN).close()
    assert [held.run for held in openruns.left(tmp_path)] == [RUN]
    assert "0.json is not a record that can be read" in caplog.text


def test_a_verdict_is_kept_for_whoever_comes_next(tmp_path: Path) -> None:
    with openruns.begin(tmp_path, RUN) as held:
        held.keep({"verdict": "unknown"})
    (found,) = openruns.left(tmp_path)
    assert found.run.verdict == {"verdict": "unknown"}


def test_without_room_for_the_record_nothing_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int, size: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("seatrial.disk.reserve", full)
    with pytest.raises(CannotStore, match="No space left"):
        openruns.begin(tmp_path, RUN)
    assert list((tmp_path / "open-runs").iterdir()) == []
