"""The request log keeps its rows through Arrow, slicing, sorting and concatenation."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tests.support.rows import log_of, rows_of

from seatrial.model.requestlog import Coded, RequestLog

texts = st.sampled_from(["", "GET /", "POST /orders", "naïve ☃"])
times = st.floats(-10, 1000)
rows = st.fixed_dictionaries(
    {
        "intended": times,
        "sent": st.none() | times,
        "ended": st.none() | times,
        "ok": st.booleans(),
        "status": st.integers(0, 599),
        "name": texts,
        "served_by": texts,
        "error": texts,
        "worker": texts,
        "key": st.none() | texts,
    }
)


@given(st.lists(rows, min_size=1, max_size=30), st.data())
def test_selecting_rows_selects_them_in_every_column(
    records: list[dict[str, object]], data: st.DataObject
) -> None:
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=len(records), max_size=len(records))))
    kept = [record for record, keep in zip(records, mask, strict=True) if keep]
    assert rows_of(log_of(records)[mask]) == kept
    assert rows_of(log_of(records)[1:]) == records[1:]


@given(st.lists(st.lists(rows, max_size=10), max_size=4))
def test_concatenation_keeps_all_rows_in_order(parts: list[list[dict[str, object]]]) -> None:
    whole = RequestLog.concat([log_of(part) for part in parts])
    expected = sorted(
        (record for part in parts for record in part), key=lambda record: str(record["intended"])
    )
    assert sorted(rows_of(whole), key=lambda record: str(record["intended"])) == expected
    assert np.all(np.diff(whole.intended) >= 0)


def test_good_is_ok_and_within_the_deadline_of_the_intended_instant() -> None:
    base = {"sent": 5.0, "status": 200, "name": "", "served_by": "", "error": "", "worker": "", "key": None}
    log = log_of(
        [
            {**base, "intended": 0.0, "ended": 2.0, "ok": True},
            {**base, "intended": 0.0, "ended": 2.1, "ok": True},
            {**base, "intended": 0.0, "ended": 1.0, "ok": False},
            {**base, "intended": 0.0, "ended": None, "ok": True},
        ]
    )
    assert log.good(2.0).tolist() == [True, False, False, False]


def test_coded() -> None:
    column = Coded.of(["a", "b", "a"])
    assert column.equals("a").tolist() == [True, False, True]
    assert column[np.array([1])].texts() == ["b"]
    assert column[np.array([1])].distinct() == ("b",)
    assert math.isclose(len(column.values), 2)
