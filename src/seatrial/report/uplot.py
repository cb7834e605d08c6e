"""The charting library that is put into the page: uPlot, carried by the wheel of seatrial (`hatch_build.py`).

Where the source tree itself is run there is no such wheel; then it is read from the one that builds read.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from importlib.resources import files
from pathlib import Path

from seatrial.model.problems import Unavailable

_BUNDLED = "bundled"  # beside this file
_DISTRIBUTION = "uplot-python"


@dataclass(frozen=True, slots=True)
class ChartLibrary:
    """Source texts to inline."""

    script: str
    style: str


def chart_library() -> ChartLibrary:
    """uPlot as this version of seatrial was built with. Raises Unavailable when it is not there."""
    return ChartLibrary(_text("uPlot.iife.js"), _text("uPlot.min.css"))


def _text(name: str) -> str:
    bundled = files("seatrial.report").joinpath(_BUNDLED, name)
    if bundled.is_file():
        return bundled.read_text(encoding="utf-8")
    try:
        return Path(str(distribution(_DISTRIBUTION).locate_file(f"uplot/static/{name}"))).read_text("utf-8")
    except (PackageNotFoundError, FileNotFoundError) as error:
        way_out = f"install a built seatrial, or: pip install --no-deps {_DISTRIBUTION}"
        raise Unavailable(f"the report's charts need {name}, which is not here; {way_out}") from error
