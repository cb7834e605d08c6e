"""A long log that is put together part by part is the log."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tests.support.rows import rows_of

from seatrial.model.gathering import Gathering
from seatrial.model.requestlog import Coded, RequestLog
from seatrial.model.rowkeys import Keys

ROW = st.tuples(
    st.floats(-1, 9),
    st.booleans(),
    st.integers(0, 599),
    st.text("ab", max_size=2),
    st.none() | st.text("xy", max_size=2),
)


def log_of(rows: list[tuple[float, bool, int, str, str | None]], tenant: bool = False) -> RequestLog:
    due = np.array([row[0] for row in rows])
    texts = Coded.of([row[3] for row in rows])
    return RequestLog(
        intended=due,
        sent=due + 1,
        ended=np.where([row[1] for row in rows], due + 2, np.nan),
        ok=np.array([row[1] for row in rows], dtype=np.bool_),
        status=np.array([row[2] for row in rows], dtype=np.int16),
        name=texts,
        served_by=texts,
        error=Coded.nothing(len(rows)),
        worker=Coded.of(["0"] * len(rows)),
        keys=None if all(row[4] is None for row in rows) else Keys.of(row[4] for row in rows),
        tenant=texts if tenant else None,
    )


@given(
    st.lists(st.tuples(st.lists(ROW, max_size=6), st.booleans()), min_size=1, max_size=5), st.integers(0, 9)
)
def test_it_is_what_joining_them_makes(drawn: list[tuple[list[tuple]], bool], room: int) -> None:  # type: ignore[type-arg]
    logs = [log_of(rows, tenant) for rows, tenant in drawn]
    gathering, without_keys = Gathering(room), Gathering(keys=False)
    for log in logs:
        gathering.add(log)
        without_keys.add(log)
    found, expected = gathering.whole(), RequestLog.joined(logs)
    assert len(gathering) == len(expected)
    np.testing.assert_equal(rows_of(found), rows_of(expected))
    assert (found.name.values, found.error.values) == (expected.name.values, expected.error.values)
    assert (found.tenant is None) == (expected.tenant is None)
    assert found.tenant is None or found.tenant.texts() == expected.tenant.texts()  # type: ignore[union-attr]
    assert without_keys.whole().keys is None


def test_codes_are_as_wide_as_they_must_be() -> None:
    gathering = Gathering()
    for texts in (["a", "b"], [f"{number}" for number in range(300)], ["b"]):
        gathering.add(log_of([(0.0, True, 200, text, None) for text in texts]))
    log = gathering.whole()
    assert (log.name.codes.itemsize, log.worker.codes.itemsize) == (2, 1)
    assert log.name.texts()[:3] == ["a", "b", "0"]
    assert log.name.texts()[-2:] == ["299", "b"]


def test_nothing_makes_nothing() -> None:
    assert len(Gathering().whole()) == 0
