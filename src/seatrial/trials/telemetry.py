"""Spans of a run that is over, for whoever has said by OpenTelemetry's own variables where they go.

They are sent when the verdict is written down and recorded, by a thread that is waited for only so long: a
collector that hangs holds nothing up, and one that is away fails nothing. They can be sent again at any time.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from seatrial.extras import OTLP
from seatrial.model.problems import SeatrialError
from seatrial.model.result import RunResult

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_WAITED_FOR_S = 6.0  # somewhat longer than one request may take


def wanted(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether it is said where spans go."""
    return any(environment.get(name, "").strip() for name in ENDPOINTS)


def export_if_wanted(result: RunResult, directory: Path, say: Callable[[str], None]) -> None:
    """Export a run that has just ended; what goes wrong is said, and changes nothing."""
    if not wanted():
        return
    if missing := OTLP.lacking():
        say(f"no spans are exported: that needs {missing}")
        return
    failed: list[str] = ["whoever takes them has not answered in time"]

    def send() -> None:
        try:
            export_run(result, directory)
        except Exception as error:  # whatever it is: the run has its verdict, and is told
            told = str(error) if isinstance(error, SeatrialError) else f"{type(error).__name__}: {error}"
            failed[0] = told
        else:
            failed.clear()

    thread = threading.Thread(target=send, name="spans", daemon=True)
    thread.start()
    thread.join(_WAITED_FOR_S)
    if failed:
        say(f"no spans are exported: {failed[0]}; to try again: seatrial report export-otlp {result.run}")


def export_run(result: RunResult, directory: Path | None, endpoint: str | None = None) -> int:
    """Send the spans of a run, whose evidence is in `directory` if it is anywhere; how many they are.

    Raises Unavailable when they are not taken or the extra is not installed.
    """
    OTLP.require("the export of spans")
    from seatrial.report.otlp import export  # noqa: PLC0415  # it needs the extra

    return export(result, directory, endpoint)
