"""Puts uPlot, which draws the report's charts, into the wheel.

Its two files are read from the wheel that ships them (uplot-python, MIT for the script, as its first lines say), at the
version that pyproject.toml pins. Depended on at run time, that wheel would bring IPython, jedi and eleven more packages
for the sake of 120 kB; built in, it costs users nothing but the two files, and a report is drawn by the script it was
tested with.
"""

from importlib.metadata import distribution
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FILES = ("uPlot.iife.js", "uPlot.min.css")


class ChartLibrary(BuildHookInterface):  # type: ignore[type-arg]
    """Runs for the wheel; an sdist has no charts to draw."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        wheel = distribution("uplot-python")
        build_data["force_include"] |= {
            str(wheel.locate_file(f"uplot/static/{name}")): f"seatrial/report/bundled/{name}" for name in FILES
        }
