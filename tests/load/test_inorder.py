"""Spools that are read piece by piece make the log that they make when they are read at once."""

from __future__ import annotations

import math
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.rows import rows_of

from seatrial.load import inorder, merging
from seatrial.load.clocks import RoundTrip, Told, moved
from seatrial.load.fleetrecord import RECORD, FleetReader, FleetRecord, Loss, Member
from seatrial.load.inorder import Source, in_order
from seatrial.load.offer import Offer, Share
from seatrial.load.parquet import write_parquet
from seatrial.load.recorder import NEVER, Recorder
from seatrial.load.spool import SpoolHeader, SpoolReader
from seatrial.load.spools import Spools
from seatrial.measure import measure
from seatrial.model import parts
from seatrial.model.arrivals import RateStep
from seatrial.model.quantities import Rate
from seatrial.model.requestlog import Coded, RequestLog

OFFER = Offer((RateStep(0.0, Rate(2, 1.0)),), "even", 5, 0.0, 5.0)
ZERO_S = 500.0
AHEAD_S = (0.0, 7.0, -3.0)  # of the workers' clocks


@dataclass(frozen=True)
class Written:
    """One request. Due at few instants, so that many are due at the same."""

    due: int
    took_s: float | None
    ok: bool
    name: str
    tenant: str
    key: str | None


@dataclass(frozen=True)
class Work:
    """What one worker put down: its flushes, how much of its spool is there, and how it ended."""

    flushes: list[list[Written]]
    in_flight: bool
    closed: bool
    cut: int  # bytes at the end that never came


ROW = st.builds(
    Written,
    due=st.integers(-1, 6),
    took_s=st.none() | st.sampled_from([0.0, 0.1, 0.5, 3.0]),
    ok=st.booleans(),
    name=st.sampled_from(["GET /", "POST /"]),
    tenant=st.sampled_from(["", "", "a"]),
    key=st.none() | st.sampled_from(["k", "ö"]),
)
WORK = st.builds(
    Work,
    flushes=st.lists(st.lists(ROW, max_size=4), max_size=5),
    in_flight=st.booleans(),
    closed=st.booleans(),
    cut=st.sampled_from([0, 0, 1, 30]),
)


def write(work: Work, path: Path, index: int, zero_s: float, count: int) -> None:
    header = SpoolHeader(str(index), 1, zero_s, 1.7e9, OFFER, Share(index, count), 1.0, "s.py", "http://here")
    recorder = Recorder(path, header)
    for rows in work.flushes:
        for row in rows:
            due = row.due / 2
            ended = NEVER if row.took_s is None else due + row.took_s
            error = "" if row.ok else f"failed as {row.name}"
            recorder.add(due, due, ended, row.ok and row.took_s is not None, 200, row.name, "", error, row.key,
                         row.tenant)  # fmt: skip
        recorder.flush([(1.75, 1.8, "GET /late")] if work.in_flight else ())
    if work.closed:
        recorder.close()
    kept = path.read_bytes()
    path.write_bytes(kept[: max(len(kept) - work.cut, 0)] if work.cut else kept)


def at_once(spools: Spools, record: FleetReader | None) -> tuple[RequestLog, tuple[Told, ...]]:
    """All rows as whoever has the memory would bring them together."""
    rows = spools.poll()
    log = RequestLog.concat([rows, *spools._left_open()])
    if record is None:
        return log, ()
    record.poll()
    found, told = [], []
    for index, (reader, member) in enumerate(zip(spools.readers, record.members, strict=True)):
        own = log[log.worker.equals(str(index))]
        if reader.header is not None and not member.same_clock:
            own, said = moved(own, record.clock(index), reader.header.zero_monotonic_s, ZERO_S, str(index))
            told.append(said)
        found.append(own)
    return RequestLog.concat(found), tuple(told)


def told_in(column: Coded) -> list[str]:
    """The texts that occur, in the order in which they are numbered: figures of equals are told in it."""
    return [text for text in column.values if column.equals(text).any()]


def same(found: RequestLog, expected: RequestLog) -> None:
    assert rows_of(found) == rows_of(expected)
    for name in ("name", "served_by", "error", "worker"):
        assert told_in(getattr(found, name)) == told_in(getattr(expected, name))
    tenants = [None if log.tenant is None else log.tenant.texts() for log in (found, expected)]
    assert tenants[0] == tenants[1]
    assert repr(measure(found, 1.0, 0.5)) == repr(measure(expected, 1.0, 0.5))


@pytest.fixture(autouse=True, scope="module")
def small_parts() -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inorder, "PART", 3)
        patch.setattr(parts, "ROWS", 4)
        yield


@settings(max_examples=25)
@given(WORK)
def test_a_spool(work: Work) -> None:
    with tempfile.TemporaryDirectory() as name:
        write(work, Path(name) / "worker-0.spool", 0, ZERO_S, 1)
        found = Spools(Path(name)).whole()
        expected, _ = at_once(Spools(Path(name)), None)
        same(found.log, expected)
        assert found.spoiled == ""


@settings(max_examples=25)
@given(st.lists(WORK, min_size=2, max_size=3), st.booleans())
def test_spools_of_workers_on_clocks_of_their_own(works: list[Work], lost: bool) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        record = FleetRecord(folder)
        members = [Member(str(index), same_clock=index == 0) for index in range(len(works))]
        record.begin(ZERO_S, 1.7e9, members)
        for index in range(1, len(works)):
            for at_s in (ZERO_S, ZERO_S + 2, ZERO_S + 5):
                record.trip(index, RoundTrip(at_s, at_s + AHEAD_S[index] + 1e-3, at_s + 2e-3))
        if lost:
            record.lost(Loss(1, 1.5, "it stopped"))
        record.ended(4.0)
        for index, work in enumerate(works):
            write(work, folder / f"worker-{index}.spool", index, ZERO_S + AHEAD_S[index], len(works))
        found = Spools(folder).whole()
        expected, told = at_once(Spools(folder), FleetReader(folder / RECORD))
        same(found.log, expected)
        assert found.clocks == told


@settings(max_examples=20)
@given(st.lists(WORK, min_size=1, max_size=3))
def test_spools_of_processes_that_are_merged(works: list[Work]) -> None:
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        patch.setattr(merging, "_died", lambda _: True)
        paths = [Path(name) / f"{index}.spool" for index in range(len(works))]
        for index, (work, path) in enumerate(zip(works, paths, strict=True)):
            write(work, path, index, ZERO_S, len(works))
        found, _ = merging.merged([SpoolReader(path) for path in paths], deadline_s=1.0)
        readers = [SpoolReader(path) for path in paths]
        rows = [log for reader in readers if len(log := reader.poll())]
        last_s = max((float(log.intended.max()) for log in rows), default=0.0)
        expected = RequestLog.concat([*rows, *(reader.unaccounted(last_s) for reader in readers)])
        same(found, expected)
        stored = write_parquet(paths, Path(name) / "out.parquet")
        assert len(stored) == sum(len(SpoolReader(path).poll()) for path in paths) + sum(
            len(log) for log in (reader.unaccounted() for reader in readers)
        )


def test_what_is_added_after_the_first_reading_is_left_out(tmp_path: Path) -> None:
    header = SpoolHeader("0", 1, ZERO_S, 1.7e9, OFFER, Share(), 1.0, "s.py", "http://here")
    recorder = Recorder(tmp_path / "w.spool", header)
    for at_s in (0.0, 1.0, 2.0, 0.5):
        recorder.add(at_s, at_s, at_s, True, 200, "GET /", "", "")
        recorder.flush()
    source = Source.of_spool(SpoolReader(tmp_path / "w.spool"))
    recorder.add(-math.pi, 0.0, 0.0, True, 200, "GET /new", "", "")
    recorder.close()
    assert in_order([source]).intended.tolist() == [0.0, 0.5, 1.0, 2.0]


def test_damage_ends_the_rows_of_its_spool_alone(tmp_path: Path) -> None:
    for index in range(2):
        write(Work([[Written(row, 0.1, True, "GET /", "", None)] for row in range(4)], False, True, 0),
              tmp_path / f"worker-{index}.spool", index, ZERO_S, 2)  # fmt: skip
    FleetRecord(tmp_path).begin(ZERO_S, 1.7e9, [Member(str(index), same_clock=True) for index in range(2)])
    damaged = bytearray((tmp_path / "worker-1.spool").read_bytes())
    at = damaged.rindex(b"R", 0, damaged.rindex(b"E"))
    damaged[at + 30] ^= 1
    (tmp_path / "worker-1.spool").write_bytes(damaged)
    found = Spools(tmp_path).whole()
    assert "worker-1.spool: is damaged" in found.spoiled
    assert found.log.worker.texts().count("0") == 4
    assert 0 < found.log.worker.equals("1").sum() < 8
