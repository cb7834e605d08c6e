"""The charting library, read from the wheel that ships it and put into the page.

Only its files are wanted: importing the package would start a notebook environment.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from seatrial.model.problems import Unavailable

_DISTRIBUTION = "uplot-python"


@dataclass(frozen=True, slots=True)
class ChartLibrary:
    """Source texts to inline."""

    script: str
    style: str


def chart_library() -> ChartLibrary:
    """uPlot as installed. Raises Unavailable when it is not."""
    try:
        wheel = distribution(_DISTRIBUTION)
        script, style = (
            Path(str(wheel.locate_file(f"uplot/static/{name}"))).read_text(encoding="utf-8")
            for name in ("uPlot.iife.js", "uPlot.min.css")
        )
    except (PackageNotFoundError, FileNotFoundError) as error:
        raise Unavailable(f"the charts need {_DISTRIBUTION}; pip install {_DISTRIBUTION}") from error
    return ChartLibrary(script, style)
