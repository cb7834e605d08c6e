"""Our own format: out and in again, and what is said of one that is wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq  # which writes as others do
import pytest
from tests.support import oracle
from tests.support.oracle import Row

from seatrial import columnar
from seatrial.measure import measure
from seatrial.measure.importers import read, write_csv
from seatrial.model.problems import BadInput
from seatrial.model.requestlog import COLUMNS, Coded, RequestLog

LOG = oracle.log_of(
    [
        Row(-0.5, -0.5, -0.4, ok=True, name='POST /o,"x"'),
        Row(0.1, 0.1 + 1e-9, 0.30000000000000004, ok=True),
        Row(0.2, 0.21, None, ok=False, error="deadline"),
        Row(0.3, None, None, ok=False, error="dropped\nhere"),
    ]
)


def as_arrow() -> pa.Table:
    return pa.table(columnar.table_of(LOG))


def assert_same(one: RequestLog, other: RequestLog) -> None:
    for column in ("intended", "sent", "ended", "ok", "status"):
        np.testing.assert_array_equal(getattr(one, column), getattr(other, column))
    for column in ("name", "served_by", "error", "worker"):
        assert getattr(one, column).texts() == getattr(other, column).texts()


@pytest.mark.parametrize("name", ["log.csv", "log.csv.zst", "log.csv.gz"])
def test_csv_goes_out_and_in_again_exactly(tmp_path: Path, name: str) -> None:
    write_csv(LOG, tmp_path / name)
    imported = read(tmp_path / name)
    assert (imported.format, imported.warnings) == ("seatrial", ())
    assert_same(imported.log, LOG)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_parquet_is_read_without_its_keys(tmp_path: Path) -> None:
    pq.write_table(as_arrow(), tmp_path / "log.parquet", compression="zstd")
    imported = read(tmp_path / "log.parquet")
    assert imported.log.keys is None
    assert_same(imported.log, LOG)
    assert measure(imported.log, 1.0, 1.0) == measure(LOG, 1.0, 1.0)


def test_parquet_inside_zstd_is_read_too(tmp_path: Path) -> None:
    plain = tmp_path / "log.parquet"
    pq.write_table(as_arrow(), plain)
    with pa.output_stream(str(tmp_path / "log.parquet.zst"), compression="zstd") as stream:
        stream.write(plain.read_bytes())
    assert_same(read(tmp_path / "log.parquet.zst").log, LOG)


def test_parquet_with_plain_texts_and_other_number_types_is_read(tmp_path: Path) -> None:
    table = as_arrow()
    for name, kind in (("name", pa.utf8()), ("status", pa.int64()), ("intended", pa.float64())):
        table = table.set_column(table.column_names.index(name), name, table.column(name).cast(kind))
    pq.write_table(table, tmp_path / "log.parquet")
    assert_same(read(tmp_path / "log.parquet").log, LOG)


def test_only_the_times_and_ok_are_needed(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("ok,intended,sent,ended\ntrue,0,0,0.1\n0,0.1,0.1,\n1,0.2,,\n")
    imported = read(tmp_path / "log.csv")
    assert imported.warnings == (
        "the log has no column status, name, served_by, error, worker; it counts as empty",
    )
    assert imported.log.ok.tolist() == [True, False, True]
    assert imported.log.name.texts() == ["", "", ""]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "intended,sent,ended,ok\n0,0,0.1,true\n0.1,0.1,soon,true\n",
            r":3: column 'ended': 'soon' is no number",
        ),
        ("intended,sent,ended,ok\n0,0,0.1,true\n0.1,0.1\n", r":3: 4 columns are expected, and there are 2"),
        ("intended,sent,ended,ok\n0,0,0.1,true\n,0.1,0.2,true\n", r":3: column 'intended' is empty"),
        ("intended,sent,ended,ok\n0,0,0.1,true\n0.1,0.1,0.2,\n", r":3: column 'ok' is empty"),
        (
            "intended,sent,ended,ok\n0,0,0.1,true\ninf,0.1,0.2,true\n",
            r":3: row 2: 'intended' is empty or not",
        ),
        ("intended,sent,ended,ok\n0,0,0.1,true\n0.1,inf,,true\n", r":3: row 2: .* is infinite"),
        (
            "intended,sent,ended,ok\n0,0,0.1,true\n0.1,0.3,0.2,true\n",
            r":3: row 2: 'ended' lies before 'sent'",
        ),
        ("intended,sent,ended,ok\n0,0,0.1,true\n0.1,,0.2,true\n", r":3: row 2: 'ended' without 'sent'"),
        ("intended,sent,ended,ok\n", "holds no request"),
    ],
)
def test_a_csv_that_is_wrong_is_refused_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "log.csv"
    path.write_text(text)
    with pytest.raises(BadInput, match=message):
        read(path)


def test_a_missing_column_is_named_with_the_nearest(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("intended,send,ended,ok\n0,0,0.1,true\n")
    with pytest.raises(BadInput, match=r"log\.csv:1: has no column 'sent'; did you mean 'send'"):
        read(path, "seatrial")


def test_nulls_in_optional_columns_are_empty(tmp_path: Path) -> None:
    table = as_arrow()
    for name, values in (("error", ["", None, "deadline", None]), ("status", [200, None, 0, None])):
        table = table.set_column(table.column_names.index(name), name, pa.array(values))
    pq.write_table(table, tmp_path / "log.parquet")
    log = read(tmp_path / "log.parquet").log
    assert log.error.texts() == ["", "", "deadline", ""]
    assert log.status.tolist() == [200, 0, 0, 0]


def test_a_parquet_file_that_is_wrong_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "log.parquet"
    path.write_bytes(b"PAR1 and then nothing")
    with pytest.raises(BadInput, match="not a readable Parquet file"):
        read(path)
    pq.write_table(as_arrow().drop_columns(["ended"]), path)
    with pytest.raises(BadInput, match="has no column 'ended'"):
        read(path)
    table = as_arrow()
    texts = pa.array(["yes", "no", "perhaps", ""])
    pq.write_table(table.set_column(table.column_names.index("ok"), "ok", texts), path)
    with pytest.raises(BadInput, match="column 'ok' is not bool"):
        read(path)


def test_the_schema_is_what_is_exported(tmp_path: Path) -> None:
    write_csv(LOG, tmp_path / "log.csv")
    header = (tmp_path / "log.csv").read_text().splitlines()[0]
    assert header.replace('"', "").split(",") == list(COLUMNS)


@pytest.mark.parametrize("name", ["log.csv", "log.parquet", "log.csv.zst"])
def test_in_whose_name_requests_were_sent_is_told_where_the_log_has_it(tmp_path: Path, name: str) -> None:
    told = replace(LOG, tenant=Coded.of(["acme", "", "globex", "acme"]))
    path = tmp_path / name
    if path.suffix == ".parquet":
        with path.open("wb") as file:
            columnar.write(columnar.table_of(told), file)
    else:
        write_csv(told, path)
    found = read(path)
    assert found.log.tenant is not None
    assert found.log.tenant.texts() == ["acme", "", "globex", "acme"]
    assert not found.warnings
    joined = RequestLog.concat([LOG, found.log])
    assert joined.tenant is not None
    assert sorted(joined.tenant.texts()) == ["", "", "", "", "", "acme", "acme", "globex"]
