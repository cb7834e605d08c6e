"""What goes out as columns comes in again, here and with the readers of others."""

import errno
import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from arro3.core import Array, DataType
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.rows import log_of

from seatrial import columnar
from seatrial.model.requestlog import COLUMNS, RequestLog

texts = st.sampled_from(["", "GET /", "POST /orders", "naïve ☃", "two\nlines"])
times = st.floats(-10, 1000)
rows = st.fixed_dictionaries({
    "intended": times, "sent": st.none() | times, "ended": st.none() | times, "ok": st.booleans(),
    "status": st.integers(0, 999), "name": texts, "served_by": texts, "error": texts, "worker": texts,
    "key": st.none() | texts,
})  # fmt: skip
ROW = {"intended": 0.5, "sent": None, "ended": None, "ok": False, "status": 0, "name": "a", "served_by": "", "error": "e",
       "worker": "", "key": None}  # fmt: skip


@settings(deadline=None)  # the first reading loads what pyarrow needs
@given(st.lists(rows, max_size=30))
def test_a_log_is_read_by_others_as_it_was(records: list[dict[str, Any]]) -> None:
    file = io.BytesIO()
    columnar.write(columnar.table_of(log_of(records), {"seatrial": "about it"}), file)
    found = pq.read_table(file)
    assert found.to_pylist() == records
    assert found.schema.equals(pa.schema(columnar.SCHEMA))
    assert found.schema.metadata == {b"seatrial": b"about it"}


def test_the_columns_are_those_of_the_request_log() -> None:
    assert tuple(columnar.SCHEMA.names) == COLUMNS
    assert pa.table(columnar.table_of(RequestLog.empty())).num_rows == 0


def test_what_is_unknown_is_null_and_no_nan() -> None:
    column = pa.table(columnar.table_of(log_of([ROW, {**ROW, "sent": 1.0}]))).column("sent")
    assert column.to_pylist() == [None, 1.0]


def test_a_disk_that_takes_no_more_is_an_error_of_the_system() -> None:
    with pytest.raises(OSError, match="No space left") as told, open("/dev/full", "wb", buffering=0) as full:  # noqa: PTH123
        columnar.write(columnar.table_of(log_of([ROW])), full)
    assert told.value.errno == errno.ENOSPC


@pytest.mark.parametrize("name", ["log.parquet", "a log #1 %20 ü?*.parquet"])
def test_a_file_is_read_whatever_it_is_called(tmp_path: Path, name: str) -> None:
    with (tmp_path / name).open("wb") as file:
        columnar.write(
            columnar.texts_table(iter([{"id": ["x"], "content": [""]}, {"id": [None], "content": ["y"]}])),
            file,
        )
    with (tmp_path / name).open("rb") as file:
        table = columnar.read(file)
    assert [table.column(each).to_pylist() for each in ("id", "content")] == [["x", None], ["", "y"]]


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" + bytes(100) + b"PAR1"])
def test_what_is_no_parquet_is_said_and_nothing_else(
    tmp_path: Path, content: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "it").write_bytes(content)
    with (tmp_path / "it").open("rb") as file, pytest.raises(ValueError, match=r"\w"):
        columnar.read(file)
    assert capfd.readouterr().err == ""  # a panic would tell of itself there


def test_numbers_and_texts_of_any_type_are_read() -> None:
    np.testing.assert_array_equal(columnar.numbers([Array([1, None], type=DataType.int64())]), [1.0, np.nan])
    np.testing.assert_array_equal(columnar.numbers([]), [])
    plain, coded = Array(["a", None, "b"], type=DataType.large_string()), Array(["b"], type=DataType.utf8())
    assert columnar.coded([plain, coded]).texts() == ["a", "", "b", "b"]
    assert [columnar.is_text(array.type) for array in (plain, coded)] == [True, True]
    assert columnar.is_text(DataType.dictionary(DataType.int8(), DataType.utf8()))
    assert not columnar.is_text(DataType.int64())
