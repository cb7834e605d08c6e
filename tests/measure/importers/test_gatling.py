"""Gatling's simulation.log in the forms that its versions wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

from seatrial.measure.importers import Imported, read
from seatrial.model.problems import BadInput

HEAD = "RUN\tBasic\tbasic\t1700000000000\t \t3.9.5\nUSER\tscn\tSTART\t1700000000000\n"


def imported(tmp_path: Path, text: str) -> Imported:
    path = tmp_path / "simulation.log"
    path.write_text(text)
    return read(path)


@pytest.mark.parametrize(
    "before", ["REQUEST\t\t", "REQUEST\t7\t\t", "REQUEST\tscn\t7\t\t", "scn\t7\tREQUEST\t\t"]
)
def test_a_request_is_read_from_around_its_verdict(tmp_path: Path, before: str) -> None:
    found = imported(
        tmp_path,
        HEAD
        + f"{before}home\t1700000000100\t1700000000350\tOK\t \n"
        + f"{before}home\t1700000000200\t1700000000450\tKO\tstatus.find.in(200), but actually found 503\n",
    )
    assert (found.format, found.log.sent.tolist()) == ("gatling", pytest.approx([0.0, 0.1], abs=1e-6))
    assert found.log.ended.tolist() == pytest.approx([0.25, 0.35], abs=1e-6)
    assert (found.log.ok.tolist(), found.log.status.tolist()) == ([True, False], [0, 503])
    assert found.log.name.values == ("home",)
    assert found.exact.sent_s == 0.001


def test_assertions_may_stand_before_the_run(tmp_path: Path) -> None:
    """As Gatling 3.9.5 writes it of a simulation that has some."""
    asserted = "ASSERTION\tAAEDAAEFAAAAAAAAwFdAAwAAAAAAAEB/QA==\nASSERTION\tAAECAAIFAAAAAAAAAFlA\n"
    found = imported(tmp_path, f"{asserted}{HEAD}REQUEST\t\thome\t1700000000100\t1700000000350\tOK\t \n")
    assert (found.format, len(found.log)) == ("gatling", 1)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("REQUEST\t\thome\t1700000000100\n", "log:3: is no request of Gatling: a verdict"),
        ("REQUEST\t\thome\tsoon\t1700000000100\tOK\n", "log:3: is no request of Gatling"),
        ("REQUEST\t\thome\t1700000000300\t1700000000100\tOK\t\n", "log:3: .*'ended' lies before 'sent'"),
        ("Dear diary,\n", "log:3: is no line of Gatling"),
    ],
)
def test_a_wrong_line_is_named_by_its_number(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        imported(tmp_path, HEAD + line)


def test_the_binary_form_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="is the binary log of a newer Gatling"):
        imported(tmp_path, "\0\0\0\0\x063.12.0 and so on")
