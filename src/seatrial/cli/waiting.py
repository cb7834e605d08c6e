"""What a person is told while a command works: how far it is, and how long that will still take.

On a terminal it is one line, drawn over as things go on and gone at the end. Elsewhere (a pipe, the log of a
CI job) it is a plain line after some seconds, and from then on the seldomer the longer it takes. Whatever is
over within a second says nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn

from seatrial.cli.terminal import err, say
from seatrial.model.figures import span

_SILENT_S = 1.0
_REDRAWN_EVERY_S = 0.25
_FIRST_LINE_S = 5.0
_SELDOMER = 2.0  # the next line comes when this many times as much time has gone by
_MOST_BETWEEN_S = 60.0
_TRUSTED = 0.02  # the least share done from which a time left is told


@dataclass(frozen=True, slots=True)
class Outlook:
    """How far a work is after `elapsed_s`. `share`: 0 to 1 is done, None when nobody knows."""

    elapsed_s: float
    share: float | None = None

    @property
    def left_s(self) -> float | None:
        """The time left if it goes on as it went so far; None when that cannot be told."""
        if self.share is None or self.share < _TRUSTED:
            return None
        return self.elapsed_s * (1 / min(self.share, 1.0) - 1)

    def __str__(self) -> str:
        """`34 %, about 12 s left`, or how long it has taken so far."""
        if self.share is None:
            return f"{span(self.elapsed_s)} so far"
        left = f", about {span(self.left_s)} left" if self.left_s else ""
        return f"{min(self.share, 1.0):.0%}{left}"


class Waiting:
    """Tells of a work for as long as the block lasts: `with Waiting("reading k6.json") as told: …`.

    `usual_s`: what it took the last time, where the work itself cannot say how far it is.
    """

    def __init__(
        self, what: str, usual_s: float | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._what = what
        self._usual_s = usual_s
        self._clock = clock
        self._began_s = clock()
        self._share: float | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._tell, name="seatrial-waiting", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def at(self, done: float, of: float) -> None:
        """How far it is, in whatever unit. From any thread, as often as one likes."""
        self._share = done / of if of > 0 else None

    @property
    def outlook(self) -> Outlook:
        """As things stand. What takes longer than usual is not known to end at any time."""
        elapsed_s = self._clock() - self._began_s
        share = self._share
        if share is None and self._usual_s and elapsed_s < self._usual_s:
            share = elapsed_s / self._usual_s
        return Outlook(elapsed_s, share)

    def _tell(self) -> None:
        if self._over.wait(_SILENT_S):
            return
        if err.is_terminal:
            self._draw()
        else:
            self._say()

    def _draw(self) -> None:
        columns = SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn()
        with Progress(*columns, TextColumn("{task.fields[outlook]}"), console=err, transient=True) as drawn:
            line: TaskID = drawn.add_task(self._what, total=None, outlook="")
            while True:
                seen = self.outlook
                total = None if seen.share is None else 1.0
                drawn.update(line, completed=seen.share or 0.0, total=total, outlook=str(seen))
                if self._over.wait(_REDRAWN_EVERY_S):
                    return

    def _say(self) -> None:
        next_s = _FIRST_LINE_S
        while not self._over.wait(max(0.0, next_s - (self._clock() - self._began_s))):
            seen = self.outlook
            say(f"{self._what}: {seen}")
            next_s = seen.elapsed_s + min(seen.elapsed_s * (_SELDOMER - 1), _MOST_BETWEEN_S)
