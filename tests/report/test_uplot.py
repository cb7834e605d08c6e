import subprocess
import sys

import pytest

from seatrial.model.problems import Unavailable
from seatrial.report import uplot


def test_the_library_comes_from_its_wheel() -> None:
    library = uplot.chart_library()
    assert "uPlot" in library.script
    assert ".u-legend" in library.style
    assert "</script" not in library.script
    assert "\r" not in library.script  # a browser would normalise it, and its digest would no longer match


def test_nothing_of_the_wheel_is_executed() -> None:
    code = "import sys, seatrial.report as r; r.uplot.chart_library(); sys.exit('uplot' in sys.modules or 'IPython' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_missing_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uplot, "_DISTRIBUTION", "no-such-distribution")
    with pytest.raises(Unavailable, match="pip install no-such-distribution"):
        uplot.chart_library()
