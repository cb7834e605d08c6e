"""The matrix as Markdown, and its place in a file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.readiness import NOW, World
from tests.support.results import MISSED, NOTICED

from seatrial.matrix import Matrix, MatrixRow, RowVerdict
from seatrial.matrix.finding import Finding, Kind
from seatrial.matrix.markdown import BEGIN, END, markdown, placed
from seatrial.matrix.signing import SignOff
from seatrial.model.problems import BadInput
from seatrial.model.verdict import Verdict
from seatrial.report.unpromised import MILLION, Unpromised


def test_it_names_what_every_row_rests_on(tmp_path: Path) -> None:
    world = World.at(tmp_path / "world")
    world.sign()
    text = markdown(world.matrix(), [world.signed(), SignOff("cto", None)])
    assert "2 of 3" not in text
    assert "1 of 3 measured (3 pass)" in text
    assert "| ADR-003 | It comes back | high |" in text
    assert "downtime after crash 1.10 … 1.40 s" in text
    assert "attested by Amira (sre), not measured" in text
    assert "| security | Amira | 2026-11-29 12:00 UTC | stands |" in text
    assert "| cto | | | not signed |" in text


def test_how_soon_it_was_noticed_stands_beside_how_soon_it_was_well_again() -> None:
    """Each fault once, whatever the number of findings that rest on its run; nothing where nobody asked."""
    finding = Finding("crash", Kind.MEASURED, Verdict.PASS, detections=(NOTICED, MISSED))
    rows = tuple(
        MatrixRow(name, "", "low", "", "", RowVerdict.PASS, "", findings, NOW)
        for name, findings in (("R", (finding, replace(finding, what="again"))), ("S", ()))
    )
    lines = markdown(Matrix("r", "", "0" * 64, NOW, rows, ()), []).splitlines()
    assert "| measured | noticed | well again | evidence |" in lines[2]
    noticed, well = (cell.strip() for cell in lines[4].split("|")[7:9])
    assert noticed == "crash 300 … 900 ms (MemberDown); crash – (MemberDown)"
    assert well == "crash 1.10 … 1.40 s; crash 1.10 s or more"
    assert {line.count("|") for line in lines[2:]} == {11}
    assert [cell.strip() for cell in lines[5].split("|")[7:9]] == ["", ""]


def test_what_a_million_requests_cost_stands_beside_where_a_run_tells_it() -> None:
    cost = Unpromised(MILLION, 1.9, 2.0, "EUR")
    finding = Finding("crash", Kind.MEASURED, Verdict.PASS)
    rows = tuple(
        MatrixRow(name, "", "low", "", "", RowVerdict.PASS, "", findings, NOW)
        for name, findings in (("R", (finding, replace(finding, cost=cost))), ("S", (finding,)))
    )
    lines = markdown(Matrix("r", "", "0" * 64, NOW, rows, ()), []).splitlines()
    assert "| measured | a million requests | evidence |" in lines[2]
    assert [line.split("|")[7].strip() for line in lines[4:6]] == ["1.90 … 2.00 EUR", ""]


@given(st.text(max_size=60))
def test_no_text_breaks_out_of_its_cell(text: str) -> None:
    row = MatrixRow("R", text, "low", "", text, RowVerdict.UNKNOWN, text, (), NOW)
    lines = markdown(Matrix("r", "", "0" * 64, NOW, (row,), ()), []).splitlines()
    assert len(lines) == 5
    assert lines[4].replace("\\|", "").count("|") == 9
    assert "<" not in lines[4].replace("\\<", "")


def test_only_what_is_between_the_marks_is_written_anew(tmp_path: Path) -> None:
    path = tmp_path / "adr.md"
    path.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    assert placed(path, "new\n")
    assert path.read_text() == f"before\n{BEGIN}\nnew\n{END}\nafter\n"
    assert not placed(path, "new\n")


@pytest.mark.parametrize("text", ["", BEGIN, f"{END}{BEGIN}", f"{BEGIN}{END}{BEGIN}{END}"])
def test_a_file_without_its_two_marks_is_left_as_it_is(tmp_path: Path, text: str) -> None:
    path = tmp_path / "adr.md"
    path.write_text(text)
    with pytest.raises(BadInput, match=r"adr\.md: where the matrix belongs is not marked"):
        placed(path, "new\n")
    assert path.read_text() == text
