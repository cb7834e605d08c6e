"""The live view of a run: phase, rates, good and bad, p95, and the timeline with what has fired."""

from __future__ import annotations

import math
import threading
from types import TracebackType
from typing import Self

from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from seatrial.cli.terminal import err, say
from seatrial.model.figures import count, milliseconds, rate, share, span
from seatrial.model.result import StepRecord
from seatrial.run.live import LiveFigures
from seatrial.run.observer import Progress

_LINES_APART_S = 10.0
_MOST_LINES = 20


class LiveView:
    """Draws a run on stderr while it goes on: in place on a terminal, otherwise in lines.

    Those are one for each phase and each step, and one for every twentieth of a run that takes long.
    """

    def __init__(self, title: str, stop: threading.Event) -> None:
        """`stop`: set when somebody has asked for the end of the run."""
        self._title = title
        self._stop = stop
        self._stopping = False
        self._live = Live(console=err, refresh_per_second=4, transient=True, auto_refresh=False)
        self._said = ""
        self._noticed = False
        self._said_at_s = -math.inf  # of the run
        self._fired: set[str] = set()

    def __enter__(self) -> Self:
        if err.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def progress(self, progress: Progress) -> None:
        """Show where the run is."""
        if self._stop.is_set() and not self._stopping:
            self._stopping = True
            err.print("stopping: undoing faults, keeping the evidence …")
        if progress.notices and not self._noticed:
            self._noticed = True
            for notice in progress.notices:
                say(f"note: {notice}")
        if err.is_terminal:
            self._live.update(_panel(self._title, progress), refresh=True)
            return
        self._tell(progress)

    def _tell(self, progress: Progress) -> None:
        every_s = max(_LINES_APART_S, progress.duration_s / _MOST_LINES)
        under_way = progress.figures is not None and progress.at_s < progress.duration_s
        if progress.phase != self._said or (under_way and progress.at_s - self._said_at_s >= every_s):
            self._said, self._said_at_s = progress.phase, progress.at_s
            say(f"{self._title}: {progress.phase}{_left(progress)}")
        for step in progress.steps:
            if step.injected_s is not None and step.name not in self._fired:
                self._fired.add(step.name)
                say(f"  {step.injected_s:7.2f} s  {step.name} ({step.does} on {step.role})")


def _panel(title: str, progress: Progress) -> RenderableType:
    head = Text.assemble((title, "bold"), "  ", (progress.phase, "cyan"))
    clock = f"{max(progress.at_s, 0.0):6.1f} s of {progress.duration_s:g} s{_left(progress)}"
    done = max(0.0, min(progress.at_s, progress.duration_s))
    bar = Table.grid(padding=(0, 2))
    bar.add_row(ProgressBar(total=progress.duration_s, completed=done, width=40), clock)
    parts: list[RenderableType] = [head, bar]
    if progress.figures:
        parts.append(_figures(progress.figures))
    if progress.steps:
        parts.append(_timeline(progress.steps))
    return Group(*parts)


def _left(progress: Progress) -> str:
    """How long the load still takes, `, 28 s left`; "" when it is over."""
    left_s = 0.0 if progress.ended else progress.duration_s - progress.at_s
    return f", {span(left_s)} left" if left_s > 0 else ""


def _figures(figures: LiveFigures) -> Table:
    table = Table.grid(padding=(0, 3))
    bad_now = "" if not figures.recent_bad else f"  {share(figures.recent_bad)} bad now"
    table.add_row(
        f"offered {rate(figures.offered_per_s)}",
        f"achieved {rate(figures.achieved_per_s)}",
        Text.assemble(
            f"good {count(figures.good)}  bad ",
            (f"{count(figures.bad)}{bad_now}", "red" if figures.bad else ""),
        ),
        f"p95 {milliseconds(figures.p95_ms)}",
    )
    return table


def _timeline(steps: tuple[StepRecord, ...]) -> Table:
    table = Table.grid(padding=(0, 2))
    for step in steps:
        table.add_row(
            f"{step.planned_s:6.1f} s", _mark(step), step.name, Text(f"{step.does} on {step.role}", "dim")
        )
    return table


def _mark(step: StepRecord) -> Text:
    if step.error:
        return Text("✗ " + step.error, "red")
    if step.undone_s is not None:
        return Text("✓ undone", "green")
    if step.injected_s is not None:
        return Text("● done" if step.kind == "action" else "● active", "yellow")
    return Text("· due", "dim")
