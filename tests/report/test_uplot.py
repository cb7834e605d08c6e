import subprocess
import sys
from pathlib import Path

import pytest

from seatrial.model.problems import Unavailable
from seatrial.report import uplot


def test_the_library_is_whole_and_can_be_inlined() -> None:
    library = uplot.chart_library()
    assert "uPlot" in library.script
    assert ".u-legend" in library.style
    assert "</script" not in library.script
    assert "\r" not in library.script  # a browser would normalise it, and its digest would no longer match


def test_a_built_seatrial_reads_what_it_carries(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "uPlot.iife.js").write_text("the script")
    (tmp_path / "uPlot.min.css").write_text("the style")
    monkeypatch.setattr(uplot, "_BUNDLED", str(tmp_path))
    assert uplot.chart_library() == uplot.ChartLibrary("the script", "the style")


def test_nothing_of_the_wheel_that_ships_it_is_executed() -> None:
    code = "import sys, seatrial.report as r; r.uplot.chart_library(); sys.exit('uplot' in sys.modules or 'IPython' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_missing_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uplot, "_BUNDLED", "nowhere")
    monkeypatch.setattr(uplot, "_DISTRIBUTION", "no-such-distribution")
    with pytest.raises(Unavailable, match="pip install --no-deps no-such-distribution"):
        uplot.chart_library()
