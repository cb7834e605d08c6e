"""Any CSV, when it is told what its columns mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from seatrial.measure.importers import Imported, Told, read
from seatrial.model.problems import BadInput

CSV = "start;elapsed;code;url\n1700000000000;12.5;200;/a\n1700000000100;13;503;/b\n"


def imported(tmp_path: Path, columns: str, text: str = CSV) -> Imported:
    path = tmp_path / "hits.csv"
    path.write_text(text)
    return read(path, told=Told(columns=columns))


def test_a_begin_and_a_length_make_a_request(tmp_path: Path) -> None:
    found = imported(tmp_path, "sent=start:ms, took=elapsed:ms, status=code, name=url")
    assert found.format == "columns"
    assert found.log.sent.tolist() == pytest.approx([0.0, 0.1], abs=1e-6)
    assert found.log.ended.tolist() == pytest.approx([0.0125, 0.113], abs=1e-6)
    assert (found.log.ok.tolist(), found.log.name.texts()) == ([True, False], ["/a", "/b"])
    assert (found.exact.sent_late_s, found.exact.took_s, found.zero_unix_s) == (0.001, 0.0, 1700000000.0)
    assert not found.tells.due


def test_an_end_and_a_length_make_one_as_well(tmp_path: Path) -> None:
    found = imported(tmp_path, "ended=start:ms,took=elapsed:ms,status=code")
    assert (found.log.ended - found.log.sent).tolist() == pytest.approx([0.0125, 0.013], abs=1e-6)


def test_with_due_instants_lateness_is_known(tmp_path: Path) -> None:
    text = "due,sent,ended,ok\n0,0.5,1,true\n1,1.5,,false\n"
    found = imported(tmp_path, "intended=due,sent=sent,ended=ended,ok=ok", text)
    assert (found.tells.due, found.log.ok.tolist()) == (True, [True, False])
    assert (found.log.sent - found.log.intended).tolist() == [0.5, 0.5]


def test_dates_are_read_and_as_exact_as_they_are_written(tmp_path: Path) -> None:
    text = "at,ok\n2026-01-01T00:00:00.25Z,1\n2026-01-01T01:00:01.5+01:00,0\n"
    found = imported(tmp_path, "sent=at:iso,ok=ok", text)
    assert found.log.sent.tolist() == [0.0, 1.25]
    assert (found.exact.sent_late_s, found.exact.ends) == (0.01, False)


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ("sent", "is not of the form"),
        ("snt=start,ok=code", "unknown column 'snt'; did you mean 'sent'"),
        ("took=elapsed,status=code", "one of sent=, ended= and intended= is needed"),
        ("sent=start:ms", "status= or ok= is needed"),
        ("sent=begin:ms,status=code", "hits.csv:1: has no column 'begin'"),
        ("sent=url,status=code", "hits.csv:2: column 'url': '/a' is no number"),
        ("sent=url:iso,status=code", "hits.csv:2: column 'url': '/a' is no RFC 3339 instant"),
        ("sent=start:ms,ok=url", "hits.csv:2: column 'url': '/a' is neither true nor false"),
        ("sent=start:ms,ended=elapsed:ms,status=code", "'ended' lies before 'sent'"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, columns: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        imported(tmp_path, columns)


def test_the_format_alone_is_not_enough(tmp_path: Path) -> None:
    path = tmp_path / "hits.csv"
    path.write_text(CSV)
    with pytest.raises(BadInput, match="--format columns needs --columns"):
        read(path, "columns")
