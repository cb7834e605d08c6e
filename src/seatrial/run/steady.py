"""Is the target well? Asked before a run, all through it, and afterwards.

A run on a target that is not well beforehand measures something else, so it does not start; one that leaves
the target unwell has failed, whatever was measured. In between the answers are noted whenever they change,
and guards may go by them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from seatrial.model.ownfailure import is_ours
from seatrial.probes import Question, ask

_EVERY_S = 1.0
_AGAIN_S = 0.2

Note = Callable[[str, dict[str, str]], None]  # event, details


class SteadyState:
    """The questions of one run, asked in a thread of its own between `start` and `stop`."""

    def __init__(self, questions: Sequence[Question], note: Note) -> None:
        """`note` is told (in that thread) when an answer changes."""
        self._questions = list(questions)
        self._note = note
        self._answers: dict[str, str] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="seatrial-probes", daemon=True)

    def wait_until_well(self, within_s: float, stop: threading.Event) -> str:
        """Ask all, again and again, until every answer is good; what is wrong when the time is over."""
        deadline = time.monotonic() + within_s
        while True:
            wrong = next(filter(None, map(ask, self._questions)), "")
            if not wrong or time.monotonic() >= deadline or stop.wait(_AGAIN_S):
                return wrong

    def start(self) -> None:
        """Begin to ask."""
        if self._questions:
            self._thread.start()

    def stop(self) -> None:
        """Ask no more."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def wrong(self, question: Question) -> str:
        """What the last answer to `question` says against the target; empty when it says nothing.

        Not asked yet, or not to be asked for want of something of our own, is nothing.
        """
        answer = self._answers.get(str(question.probe), "")
        return "" if is_ours(answer) else answer

    def _watch(self) -> None:
        while not self._stopping.wait(_EVERY_S):
            for question in self._questions:
                name, wrong = str(question.probe), ask(question)
                if bool(wrong) != bool(self._answers.get(name)):
                    self._note("probe.unwell" if wrong else "probe.well", {"probe": name, "wrong": wrong})
                self._answers[name] = wrong
