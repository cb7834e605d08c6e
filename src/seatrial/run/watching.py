"""Looks at whom checks want to know of while the run goes on: one thread for each that is looked at.

    started ──► look ── every_s ──► look ── … ──► stopped: all looks, on the request log's clock

Watching never ends a run: who does not answer has not answered, which is what the looks then say.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any, Self

from seatrial.checks.protocol import Need, Recorded, When
from seatrial.lookups.recorder import Looker, Watcher
from seatrial.model.looks import Look
from seatrial.model.problems import SeatrialError, translating
from seatrial.run.needs import BoundNeed

_ENDS_WITHIN_S = 10.0  # the longest time limit of a single look, and some


class Watch:
    """The looks at all who are needed during a run. `clock`: seconds of CLOCK_MONOTONIC."""

    def __init__(self, needs: Iterable[BoundNeed], clock: Callable[[], float]) -> None:
        self._needs = [bound for bound in needs if bound.need.when is When.DURING]
        self._clock = clock
        self._ending = threading.Event()
        self._looks: dict[Need[Any], dict[str, list[Look[Any]]]] = {}
        self._refused: dict[Need[Any], str] = {}
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        """Begin to look."""
        for bound in self._needs:
            if bound.lacking:
                self._refused[bound.need] = bound.lacking
                continue
            try:
                with translating(bound.role.name):
                    lookers = self._watcher(bound).lookers(bound.role)
            except SeatrialError as error:
                self._refused[bound.need] = str(error)
                continue
            looks = self._looks.setdefault(bound.need, {})
            for name, looker in lookers.items():
                looks[name] = []
                every_s = self._watcher(bound).every_s
                thread = threading.Thread(
                    target=self._look_on,
                    args=(looker, name, looks[name], every_s),
                    name=f"watch-{name}",
                    daemon=True,
                )
                self._threads.append(thread)
                thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Look no more, and wait for the looks that are under way."""
        self._ending.set()
        for thread in self._threads:
            thread.join(_ENDS_WITHIN_S)

    def told(self, zero_mono_s: float) -> dict[Need[Any], Recorded[Any]]:
        """What was seen, with instants on the request log's clock, or why nothing was."""
        answers: dict[Need[Any], Recorded[Any]] = {
            need: Recorded(None, reason) for need, reason in self._refused.items()
        }
        for need, looks in self._looks.items():
            series = {name: tuple(look.since(zero_mono_s) for look in found) for name, found in looks.items()}
            answers[need] = Recorded(series)
        return answers

    def _watcher(self, bound: BoundNeed) -> Watcher[Any]:
        if not isinstance(bound.recorder, Watcher):
            raise TypeError(f"{bound.recorder.name} cannot look during a run")
        return bound.recorder

    def _look_on(self, looker: Looker[Any], name: str, looks: list[Look[Any]], every_s: float) -> None:
        try:
            while True:
                asked_s = self._clock()
                looks.append(self._look(looker, name, asked_s))
                if self._ending.wait(max(0.0, asked_s + every_s - self._clock())):
                    return
        finally:
            looker.close()

    def _look(self, looker: Looker[Any], name: str, asked_s: float) -> Look[Any]:
        try:
            with translating(name):
                seen = looker.seen()
        except SeatrialError as error:
            return Look(asked_s, self._clock(), None, str(error))
        return Look(asked_s, self._clock(), seen)
