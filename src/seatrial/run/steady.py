"""Is the target well? Asked before a run, all through it, and afterwards.

A run on a target that is not well beforehand measures something else, so it does not start; one that leaves
the target unwell has failed, whatever was measured. In between the answers are noted whenever they change,
and guards may go by them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from seatrial.drivers.httpclient import HttpClient
from seatrial.model.ownfailure import is_ours
from seatrial.model.problems import Unavailable
from seatrial.probes import Question, ask
from seatrial.run.plan import Plan

_EVERY_S = 1.0
_AGAIN_S = 0.2
_READY_ANSWER_WITHIN_S = 2.0
_READY_AGAIN_S = 0.1

Note = Callable[[str, dict[str, str]], None]  # event, details


def require_healthy(plan: Plan, within_s: float | None = None) -> None:
    """Wait until the target's `ready` path answers 2xx or 3xx. Raises Unavailable when it does not.

    Raises BadInput for an address that is not allowed.
    """
    url = plan.base_url + plan.target.ready
    deadline = time.monotonic() + (plan.target.ready_within.seconds if within_s is None else within_s)
    with HttpClient(plan.target.allow_list, plan.target.target, _READY_ANSWER_WITHIN_S) as client:
        while True:
            try:
                answer = client.ask("GET", url)
                if not answer.is_error:
                    return
                said = f"{answer.to}: HTTP {answer.status}"
            except Unavailable as error:
                said = str(error)
            if time.monotonic() >= deadline:
                raise Unavailable(
                    f"the target {plan.target.target} is not healthy: {said}; nothing was started"
                )
            time.sleep(_READY_AGAIN_S)


class SteadyState:
    """The questions of one run, asked in a thread of its own between `start` and `stop`."""

    def __init__(
        self,
        questions: Sequence[Question],
        note: Note,
        ask: Callable[[Question], str] = ask,
        every_s: float = _EVERY_S,
    ) -> None:
        """`note` is told (in that thread) when an answer changes. `ask` gives what is wrong, or nothing."""
        self._questions = list(questions)
        self._note = note
        self._ask = ask
        self._every_s = every_s
        self._answers: dict[str, str] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._ask_on, name="seatrial-probes", daemon=True)

    def wait_until_well(self, within_s: float, stop: threading.Event) -> str:
        """Ask all, again and again, until every answer is good; what is wrong when the time is over."""
        deadline = time.monotonic() + within_s
        while True:
            wrong = next(filter(None, map(self._ask, self._questions)), "")
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

    def _ask_on(self) -> None:
        while not self._stopping.wait(self._every_s):
            for question in self._questions:
                name, wrong = str(question.probe), self._ask(question)
                if bool(wrong) != bool(self._answers.get(name)):
                    self._note("probe.unwell" if wrong else "probe.well", {"probe": name, "wrong": wrong})
                self._answers[name] = wrong
