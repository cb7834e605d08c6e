"""Pages as PDF, by a real browser and without one."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest
from tests.support.waiting import wait_until

from seatrial.model.problems import Unavailable
from seatrial.processes import identify
from seatrial.report import Dossier, pdf, render_html
from seatrial.report.pdf import find_chromium, write_pdf

NOWHERE = {"PATH": "/nonexistent"}


def pages(data: bytes) -> int:
    return len(re.findall(rb"/Type\s*/Page\b", data))


@pytest.mark.e2e
@pytest.mark.skipif(find_chromium() is None, reason="no Chromium here")
def test_chromium_prints_a_report_with_its_charts_and_fonts(
    tmp_path: Path, make: Callable[[str], Dossier]
) -> None:
    path = tmp_path / "report.pdf"
    assert write_pdf(render_html(make("fail")), path) == ""
    data = path.read_bytes()
    assert data.startswith(b"%PDF-")
    assert 3 <= pages(data) <= 20
    assert b"/FontFile2" in data  # embedded: it looks the same elsewhere
    assert b"/Subtype /Image" in data  # the charts, which only scripts draw


@pytest.mark.skipif(find_spec("weasyprint") is None, reason="no WeasyPrint here")
def test_without_a_browser_the_tables_are_printed_and_what_is_missing_is_said(
    tmp_path: Path, make: Callable[[str], Dossier], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "report.pdf"
    page = render_html(make("fail")).replace(
        "<main>", '<main><img src="http://127.0.0.1:9/x"><img src="file:///etc/hostname">'
    )
    assert "the charts are not in it" in write_pdf(page, path, NOWHERE)
    assert path.read_bytes().startswith(b"%PDF-")


def test_with_neither_the_way_out_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seatrial.extras._is_installed", lambda _: False)
    with pytest.raises(Unavailable, match=r"pip install 'seatrial\[pdf\]'"):
        write_pdf("<p>x</p>", tmp_path / "x.pdf", NOWHERE)
    assert not (tmp_path / "x.pdf").exists()


@pytest.mark.parametrize(
    ("program", "told"),
    [
        ("echo no display >&2", "printed nothing: no display"),
        ("sleep 600 & echo $! > $0.child; wait", "did not print within"),
    ],
)
def test_a_browser_that_fails_or_hangs_is_ended_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, told: str
) -> None:
    monkeypatch.setattr(pdf, "_WITHIN_S", 0.5)
    browser = tmp_path / "chromium"
    browser.write_text(f"#!/bin/sh\n{program}\n")
    browser.chmod(0o755)
    with pytest.raises(Unavailable, match=told):
        write_pdf("<p>x</p>", tmp_path / "x.pdf", {"PATH": f"{tmp_path}"})
    started = [int(path.read_text()) for path in tmp_path.glob("*.child")]
    wait_until(lambda: not any(map(identify, started)), what="what the browser started has ended")
