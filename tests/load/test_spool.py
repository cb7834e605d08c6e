from __future__ import annotations

import math
import os
import stat
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq  # as somebody else reads it
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.rows import log_of, rows_of

from seatrial.columnar import METADATA, SCHEMA
from seatrial.load import spool
from seatrial.load.inorder import Source, in_order
from seatrial.load.offer import Offer, Share
from seatrial.load.parquet import write_parquet
from seatrial.load.recorder import NEVER, Recorder
from seatrial.load.spool import ARRIVAL, MAGIC, SpoolHeader, SpoolReader
from seatrial.model import secrets
from seatrial.model.arrivals import RateStep
from seatrial.model.ownfailure import KILLED
from seatrial.model.problems import BadInput
from seatrial.model.quantities import Rate
from seatrial.model.requestlog import COLUMNS

Row = tuple[float, float, float, bool, int, str, str, str, str | None]

INSTANT = st.floats(-1e6, 1e6)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
ROW = st.tuples(
    INSTANT, INSTANT | st.just(NEVER), INSTANT | st.just(NEVER), st.booleans(), st.integers(0, 999),
    TEXT, TEXT, TEXT, st.none() | TEXT,
)  # fmt: skip


def header(worker: str = "0", duration_s: float = math.inf) -> SpoolHeader:
    offer = Offer((RateStep(0.0, Rate(10_000, 60.0)),), "poisson", 5, 1.5, duration_s)
    return SpoolHeader(
        worker, 99, 1234.5, 1.7e9, offer, Share(0, 1), 2.0, "scenario.py", "http://127.0.0.1:1"
    )


def as_read(row: Row) -> dict[str, Any]:
    intended, sent, ended, ok, status, name, served_by, error, key = row
    return {
        "intended": intended,
        "sent": None if math.isnan(sent) else sent,
        "ended": None if math.isnan(ended) else ended,
        "ok": ok,
        "status": status,
        "name": name,
        "served_by": served_by,
        "error": error,
        "worker": "0",
        "key": key,
    }


@given(st.lists(st.lists(ROW, max_size=8), max_size=4))
def test_what_is_recorded_is_read(batches: list[list[Row]]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "w.spool"
        recorder, reader = Recorder(path, header()), SpoolReader(path)
        for batch in batches:
            for row in batch:
                recorder.add(*row)
            recorder.flush()
            assert rows_of(reader.poll()) == [as_read(row) for row in batch]
        assert reader.audit is None
        audit = recorder.close()
        assert len(reader.poll()) == 0
        assert reader.audit == audit
        assert reader.header == header()


TOLD = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)


@given(st.lists(st.tuples(TOLD, st.sampled_from(["", "acme", "globex"])), min_size=1, max_size=8))
def test_in_whose_name_a_request_was_sent_is_told_beside_its_name(told: list[tuple[str, str]]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "w.spool"
        recorder, reader = Recorder(path, header()), SpoolReader(path)
        for name, tenant in told:
            recorder.add(0.0, 0.0, 0.1, True, 200, name, "", "", tenant=tenant)
        recorder.close()
        log = reader.poll()
    assert log.name.texts() == [name for name, _ in told]
    tenants = [tenant for _, tenant in told]
    assert (log.tenant.texts() if log.tenant else [""] * len(told)) == tenants
    assert (log.tenant is None) == (not any(tenants))


def test_a_tail_torn_at_any_byte_is_not_there_yet(tmp_path: Path) -> None:
    path, growing = tmp_path / "w.spool", tmp_path / "growing.spool"
    first: list[Row] = [
        (0.0, 0.1, 0.2, True, 200, "/", "blue", "", "é"),
        (1.0, NEVER, NEVER, False, 0, *"abc", ""),
    ]
    second: list[Row] = [(2.0, 2.0, NEVER, False, 503, "/", "", "HTTP 503", None)]
    recorder = Recorder(path, header())
    for batch in (first, second):
        for row in batch:
            recorder.add(*row)
        recorder.flush()
    recorder.close()
    whole, expected = path.read_bytes(), [as_read(row) for row in (*first, *second)]
    follower, followed = SpoolReader(growing), 0
    for size in range(len(whole) + 1):
        growing.write_bytes(whole[:size])
        found = SpoolReader(growing).poll()
        assert len(found) in (0, len(first), len(expected))
        assert rows_of(found) == expected[: len(found)]
        fresh = follower.poll()
        assert rows_of(fresh) == expected[followed : followed + len(fresh)]
        followed += len(fresh)
        assert followed == len(found)
    assert (followed, follower.audit is not None) == (len(expected), True)


def test_there_is_nothing_before_there_is_a_file(tmp_path: Path) -> None:
    reader = SpoolReader(tmp_path / "not.yet")
    assert len(reader.poll()) == 0
    assert reader.header is None
    assert len(reader.unaccounted()) == 0


@pytest.mark.parametrize("content", [b"PAR1 something else", MAGIC + b"H\x02\x00\x00\x00\x00\x00\x00\x00{}"])
def test_damage_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "w.spool"
    path.write_bytes(content)
    with pytest.raises(BadInput, match=r"w\.spool: is (not a spool|damaged at byte 17)"):
        SpoolReader(path).poll()


def test_requests_in_flight_at_a_kill_are_accounted_for(tmp_path: Path) -> None:
    path = tmp_path / "w.spool"
    recorder = Recorder(path, header())
    recorder.add(0.0, 0.1, 0.2, True, 200, "/", "", "")
    recorder.flush([(0.5, 0.6, "/slow"), (0.7, 0.8, "/slow")])
    log = write_parquet([path], tmp_path / "log.parquet")
    assert log.intended.tolist() == [0.0, 0.5, 0.7]
    assert log.sent.tolist() == [0.1, 0.6, 0.8]
    assert log.error.texts() == ["", KILLED, KILLED]
    assert np.isnan(log.ended[1:]).all()
    assert log.status.tolist() == [200, 0, 0]
    recorder.close()
    reader = SpoolReader(path)
    reader.poll()
    assert len(reader.unaccounted()) == 0


def test_arrivals_of_a_dead_worker_are_accounted_for(tmp_path: Path) -> None:
    path = tmp_path / "w.spool"
    even = Offer((RateStep(0.0, Rate(10, 1.0)),), "even", 0, 0.0, math.inf)
    recorder = Recorder(path, replace(header(), offer=even, share=Share(1, 2)))
    recorder.add(0.1, 0.1, 0.2, True, 200, "/", "", "")
    recorder.flush([(0.3, 0.3, "/")])
    reader = SpoolReader(path)
    reader.poll()
    left = reader.unaccounted(until_s=0.9)
    assert left.intended.tolist() == pytest.approx([0.3, 0.5, 0.7])
    assert np.isnan(left.sent).tolist() == [False, True, True]
    assert left.name.texts() == ["/", ARRIVAL, ARRIVAL]
    assert set(left.error.texts()) == {KILLED}
    recorder.close()


def test_several_workers_become_one_log(tmp_path: Path) -> None:
    spools = []
    for worker in range(3):
        spools.append(tmp_path / f"{worker}.spool")
        recorder = Recorder(spools[-1], header(str(worker), duration_s=9.0))
        for i in range(worker, 300, 3):
            recorder.add(i * 0.01, i * 0.01, i * 0.01, True, 200, f"/{worker}", "", "", f"key-{i}")
        recorder.close()
    log = write_parquet(spools, tmp_path / "deep" / "log.parquet")
    table = pq.read_table(tmp_path / "deep" / "log.parquet")
    assert table.schema.equals(pa.schema(SCHEMA))
    assert METADATA.encode() in table.schema.metadata
    assert np.allclose(log.intended, np.arange(300) * 0.01)
    again = log_of(table.to_pylist())
    assert again.worker.texts()[:4] == ["0", "1", "2", "0"]
    assert again.keys is not None
    assert again.keys.tolist()[:2] == ["key-0", "key-1"]


class Disk:
    """So many bytes can still be written."""

    def __init__(self, room: int) -> None:
        self.room = room

    def write(self, fd: int, data: bytes) -> int:
        if self.room == 0:
            raise OSError(28, "No space left on device")
        size = min(self.room, len(data))
        self.room -= size
        return os.write(fd, data[:size])


def filled(path: Path) -> tuple[Recorder, Disk]:
    """One row is written; the disk did not take the thousand after it, which bring new texts with them."""
    disk = Disk(10_000)
    recorder = Recorder(path, header(), disk.write)
    recorder.add(0.0, 0.0, 0.0, True, 200, "/", "", "")
    recorder.flush()
    for number in range(1000):
        recorder.add(1.0, 1.0, 1.0, True, 200, f"/{number % 7}", "", "", key="k")
    with pytest.raises(OSError, match="No space left"):
        recorder.flush()
    return recorder, disk


def test_rows_that_a_full_disk_did_not_take_come_later(tmp_path: Path) -> None:
    recorder, disk = filled(tmp_path / "w.spool")
    recorder.add(2.0, 2.0, 2.0, True, 200, "/last", "", "")
    disk.room = 100_000
    assert recorder.close().sent == 1002
    log = SpoolReader(tmp_path / "w.spool").poll()
    assert log.intended.tolist() == [0.0, *[1.0] * 1000, 2.0]
    assert log.name.texts()[1:9] == ["/0", "/1", "/2", "/3", "/4", "/5", "/6", "/0"]
    assert log.name.texts()[-1] == "/last"


def test_a_full_disk_leaves_a_whole_file_without_an_account(tmp_path: Path) -> None:
    recorder, _ = filled(tmp_path / "w.spool")
    with pytest.raises(OSError, match="No space left"):
        recorder.close()
    assert recorder.account.sent == 1
    reader = SpoolReader(tmp_path / "w.spool")
    assert reader.poll().intended.tolist() == [0.0]
    assert reader.audit is None


def test_what_stands_before_damage_is_salvaged(tmp_path: Path) -> None:
    path = tmp_path / "w.spool"
    recorder, kept = Recorder(path, header()), 0
    for number in range(3):
        recorder.add(float(number), 0.0, 0.0, True, 200, "/", "", "")
        recorder.flush()
        kept = path.stat().st_size if number < 2 else kept
    recorder.close()
    whole = path.read_bytes()
    path.write_bytes(whole[: kept + 20] + bytes(len(whole) - kept - 20))  # a loss of power: no fsync
    with pytest.raises(BadInput, match="damaged"):
        SpoolReader(path).poll()
    source = Source.of_spool(SpoolReader(path))
    assert "is damaged at byte" in str(source.trouble)
    assert in_order([source]).intended.tolist() == [0.0, 1.0]


def test_texts_without_end_do_not_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seatrial.load.recorder._MOST_TEXTS", 4)
    path = tmp_path / "w.spool"
    recorder = Recorder(path, header())
    for i in range(10):
        recorder.add(float(i), 0.0, 0.0, False, 500, "/", "", f"order {i} is missing")
    recorder.close()
    errors = SpoolReader(path).poll().error.texts()
    assert errors[:2] == ["order 0 is missing", "order 1 is missing"]
    assert set(errors[2:]) == {"(one of too many different texts)"}


TOKEN = "s3cret-T0ken"


def test_texts_are_on_record_without_secrets_and_each_once(tmp_path: Path) -> None:
    secrets.remember(TOKEN, "${TOKEN}")
    path = tmp_path / "w.spool"
    recorder = Recorder(path, header())
    recorder.add(0.0, 0.0, 0.1, False, 500, f"GET /{TOKEN}", TOKEN, f"said {TOKEN}", "k")
    recorder.add(1.0, 1.0, 1.1, False, 500, "GET /${TOKEN}", "", "said ${TOKEN}")
    recorder.flush([(2.0, 2.0, f"GET /{TOKEN}")])
    recorder.close()
    assert TOKEN.encode() not in path.read_bytes()
    log = SpoolReader(path).poll()
    assert log.name.values == ("GET /${TOKEN}",)
    assert log.error.values == ("said ${TOKEN}",)


@pytest.mark.parametrize(
    ("key", "complaint"),
    [
        (f"order-1 {TOKEN}", r"key: holds the value of \$\{TOKEN\}, and keys are put on record"),
        ("x" * 0xFFFF, "key: 65535 bytes are too many, 65534 are the most"),
    ],
)
def test_a_request_whose_key_cannot_be_kept_is_on_record_without(
    tmp_path: Path, key: str, complaint: str
) -> None:
    secrets.remember(TOKEN, "${TOKEN}")
    path = tmp_path / "w.spool"
    recorder = Recorder(path, header())
    with pytest.raises(ValueError, match=complaint):
        recorder.add(0.0, 0.0, 0.1, True, 200, "POST /orders", "", "", key)
    recorder.add(1.0, 1.0, 1.1, True, 200, "POST /orders", "", "", "zebra")
    recorder.close()
    assert TOKEN.encode() not in path.read_bytes()
    assert [row["key"] for row in rows_of(SpoolReader(path).poll())] == [None, "zebra"]


def test_what_is_kept_is_its_owners_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        recorder = Recorder(tmp_path / "spool" / "w.spool", header())
        recorder.add(0.0, 0.0, 0.1, True, 200, "GET /", "", "")
        recorder.close()
        write_parquet([tmp_path / "spool" / "w.spool"], tmp_path / "out" / "requests.parquet")
    finally:
        os.umask(before)
    assert {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in tmp_path.rglob("*")} == {0}


def test_a_row_is_packed_in_the_order_in_which_the_recorder_gives_its_values() -> None:
    """An older version's spool, left by a crash, is read by a newer one: neither order nor width may change."""
    assert spool.ROW_ORDER == (
        "intended", "sent", "ended", "name", "served_by", "error", "status", "key", "ok"
    )  # fmt: skip
    assert (spool.ROW.format, spool.OUTSTANDING.format) == ("<dddIIIhH?", "<ddI")
    assert spool.ROW_TYPE.itemsize == spool.ROW.size
    assert {*spool.ROW_ORDER, "worker"} == set(COLUMNS)
