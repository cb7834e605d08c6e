"""Spools that are settled while they grow: nobody who reads them can tell, whoever was killed meanwhile."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.rows import rows_of

from seatrial import disk
from seatrial.load import inorder, settling, spool
from seatrial.load.offer import Offer, Share
from seatrial.load.recorder import NEVER, Recorder
from seatrial.load.settled import Settled
from seatrial.load.settling import Settling, settle
from seatrial.load.spool import SpoolHeader, SpoolReader
from seatrial.load.spools import Spools
from seatrial.model.arrivals import RateStep
from seatrial.model.problems import BadInput, Unavailable
from seatrial.model.quantities import Rate
from seatrial.model.requestlog import RequestLog
from seatrial.model.scenarioaccount import ScenarioAccount, ScenarioError
from seatrial.waiting import wait_until

OFFER = Offer((RateStep(0.0, Rate(2, 1.0)),), "even", 5, 0.0, 50.0)
HEADER = SpoolHeader("0", 1, 500.0, 1.7e9, OFFER, Share(), 1.0, "s.py", "http://here")
AT_A_TIME = 3


def put_down(recorder: Recorder, number: int, key: str | None, tenant: str, answered: bool) -> None:
    """A row that is told from all others by its number; they come out of order by a few."""
    due_s = (number ^ 3) / 4
    ended_s = due_s + 0.1 if answered else NEVER
    error = "" if answered else f"failed {number % 5}"
    recorder.add(due_s, due_s, ended_s, answered, 200, f"GET /{number % 4}", "", error, key, tenant)


class Grown:
    """The same rows in a spool that is settled and in one that is not, as they grow."""

    def __init__(self, folder: Path) -> None:
        self.path, self.plain = folder / "a" / "worker-0.spool", folder / "b" / "worker-0.spool"
        self.recorders = [Recorder(path, HEADER) for path in (self.path, self.plain)]
        self.rows = 0

    def flush(self, drawn: list[tuple[str | None, str, bool]]) -> None:
        for recorder in self.recorders:
            for number, row in enumerate(drawn, self.rows):
                put_down(recorder, number, *row)
            errors = (ScenarioError("raised", "s.py:1", "GET /", self.rows + 1),) if len(drawn) % 2 else ()
            told = ScenarioAccount(self.rows, errors) if errors else None
            recorder.flush([(self.rows / 4, self.rows / 4, "GET /open")], told)
        self.rows += len(drawn)


def told_by(path: Path) -> tuple[list[dict[str, object]], object, object, list[tuple[str, ...]]]:
    """All that is read of a test's spools."""
    spools = Spools(path.parent)
    found = spools.whole()
    assert found.spoiled == ""
    texts = [getattr(found.log, name).values for name in ("name", "served_by", "error", "worker")]
    return rows_of(found.log), spools.scenario, spools.offer, texts


ROW = st.tuples(st.none() | st.sampled_from(["k", "", "ö"]), st.sampled_from(["", "", "acme"]), st.booleans())
STEP = st.lists(ROW, max_size=5) | st.sampled_from(["settle", "follow", "peek"])


@pytest.fixture(autouse=True, scope="module")
def small_parts() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inorder, "PART", AT_A_TIME)
        patch.setattr(os, "fsync", lambda _: None)  # no power is cut here, and others wait for the disk
        yield


@settings(max_examples=25)
@given(st.lists(STEP, max_size=10))
def test_nobody_can_tell_that_a_spool_was_settled(steps: list[object]) -> None:
    with tempfile.TemporaryDirectory() as name:
        grown = Grown(Path(name))
        readers = [SpoolReader(grown.path), SpoolReader(grown.plain)]
        read: tuple[list[RequestLog], list[RequestLog]] = ([], [])
        for step in steps:
            if isinstance(step, list):
                grown.flush(step)
            elif step == "settle":
                settle(grown.path, grown.path.stat().st_size, AT_A_TIME)
            else:
                for reader, rows in zip(readers, read, strict=True):  # the first part of it, or all
                    parts = reader.parts(1)
                    rows.extend(parts if step == "follow" else [each for each in [next(parts, None)] if each])
        for reader, rows in zip(readers, read, strict=True):
            rows.extend(reader.parts(AT_A_TIME))
        followed, plain = (rows_of(RequestLog.joined(rows)) for rows in read)
        assert followed == plain
        assert readers[0].last_s == readers[1].last_s
        assert rows_of(readers[0].unaccounted(9.0)) == rows_of(readers[1].unaccounted(9.0))
        assert told_by(grown.path) == told_by(grown.plain)


class Killed(BaseException):
    """What ends a process without its having a say; only tests catch it."""


@contextmanager
def killed_before(step: int) -> Iterator[Callable[[], int]]:
    """Of the calls that change what is on the disk, the one of this number is never made."""
    calls = 0

    def counted(real: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **named: object) -> object:
            nonlocal calls
            calls += 1
            if calls >= step:
                raise Killed
            return real(*arguments, **named)

        return call

    with mock.patch.multiple(os, fsync=counted(os.fsync)), mock.patch.multiple(
        Path, replace=counted(Path.replace), unlink=counted(Path.unlink)
    ), mock.patch.object(disk, "forget", counted(disk.forget)):  # fmt: skip
        yield lambda: calls


def test_killed_between_any_two_steps_it_leaves_each_row_once(tmp_path: Path) -> None:
    grown = Grown(tmp_path)
    for row in range(4 * AT_A_TIME):
        grown.flush([(None, "", row % 3 > 0)])
    step, was_killed = 0, True
    while was_killed:
        step += 1
        with killed_before(step):
            try:
                settle(grown.path, grown.path.stat().st_size, AT_A_TIME)
                was_killed = False
            except Killed:
                pass
        assert told_by(grown.path) == told_by(grown.plain)
        grown.flush([(None, "", True)] * AT_A_TIME)  # the next one has something to do as well
    assert step > 8
    assert len(Settled.of(grown.path).stretches) >= 4


def test_whoever_is_killed_at_any_instant_each_row_is_there_once() -> None:
    """Of some seeded instants; `python -m tests.bench.bench_soak kills` tries hundreds."""
    command = [sys.executable, "-m", "tests.support.settling_kills", "6", "1"]
    came = json.loads(subprocess.run(command, check=True, capture_output=True, timeout=100).stdout)
    assert (came["lost"], came["doubled"], came["troubles"]) == (0, 0, 0)
    assert came["kills"] == 6
    assert came["rows"] > 0


def bulky(folder: Path, rows: int) -> Path:
    """A spool of so many rows, quickly made."""
    recorder = Recorder(folder / "worker-0.spool", HEADER)
    recorder.add(0.0, 0.0, 0.1, True, 200, "GET /", "", "")
    recorder.flush()
    table = np.zeros(rows - 1, dtype=spool.ROW_TYPE)
    table["intended"] = table["sent"] = np.arange(1, rows) / 100
    table["ended"] = table["sent"] + 0.01
    with (folder / "worker-0.spool").open("ab") as file:
        file.write(spool.rows_frame(table.tobytes(), b"", b""))
    return folder / "worker-0.spool"


def test_a_process_beside_the_run_settles_what_was_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settling, "AT_ONCE", settling.ROWS)
    monkeypatch.setattr(settling, "_LATER", 0)  # or it waits for all other tests
    path = bulky(tmp_path / "spool", settling.ROWS)
    spools, work = Spools(path.parent), Settling(path.parent, tmp_path / "locust.log")
    work.look(spools.readers)
    assert work.busy is None  # nothing has been read
    assert len(spools.poll()) == settling.ROWS
    before = path.stat().st_blocks
    work.look(spools.readers)
    assert wait_until(lambda: work.busy is False, 60.0, 0.05)
    work.end()
    assert (tmp_path / "locust.log").read_text() == ""
    assert path.stat().st_blocks < before / 50
    assert len(spools.poll()) == 0
    log = Spools(path.parent).whole().log
    assert np.array_equal(log.intended, np.arange(settling.ROWS) / 100)


def test_where_no_room_can_be_given_back_a_spool_stays_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(disk, "forget", lambda *_: False)
    monkeypatch.setattr(settling, "die_with_parent", lambda: None)
    path = bulky(tmp_path / "spool", 10)
    whole = path.read_bytes()
    with pytest.raises(Unavailable):
        settle(path, len(whole), AT_A_TIME)
    assert settling.main(["--spool", str(path.parent), f"{path.name}:{len(whole)}"]) == Unavailable.exit_code
    assert "takes more room" in capsys.readouterr().err
    assert path.read_bytes() == whole
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("spoil", ["hole", "rows", "index"])
def test_what_is_gone_or_damaged_is_told(tmp_path: Path, spoil: str) -> None:
    grown = Grown(tmp_path)
    for _ in range(AT_A_TIME):
        grown.flush([(None, "", True)])
    settle(grown.path, grown.path.stat().st_size, AT_A_TIME)
    (stretch,) = Settled.of(grown.path).stretches
    if spoil == "hole":
        (grown.path.parent / "worker-0.settled.json").unlink()
    elif spoil == "rows":
        (grown.path.parent / f"worker-0.{stretch.start}.parquet").write_bytes(b"PAR1 and then nothing")
    else:
        (grown.path.parent / "worker-0.settled.json").write_text("{}")
    with pytest.raises(BadInput, match="is damaged"):
        SpoolReader(grown.path).poll()
    assert "is damaged" in Spools(grown.path.parent).whole().spoiled
