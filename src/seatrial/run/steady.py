"""Is the target well? Asked before a run, all through it, and afterwards.

A run on a target that is not well beforehand measures something else, so it does not start; one that leaves
the target unwell has failed, whatever was measured. In between the answers are noted whenever they change,
and guards may go by them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from operator import not_

from seatrial.drivers.httpclient import HttpClient
from seatrial.model.ownfailure import is_ours
from seatrial.model.problems import Unavailable
from seatrial.probes import Question, ask
from seatrial.run.plan import Plan
from seatrial.waiting import look_until, try_until

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
    patience_s = plan.target.ready_within.seconds if within_s is None else within_s
    allow, who = plan.target.allow_list, plan.target.target
    with ExitStack() as stack:
        clients = [stack.enter_context(HttpClient(allow, who, _READY_ANSWER_WITHIN_S))]
        if plan.experiment.load.http == "2" and url.startswith("http:"):  # a port may speak that alone
            clients.append(stack.enter_context(HttpClient(allow, who, _READY_ANSWER_WITHIN_S, http2=True)))

        def require_ready() -> None:
            said = ""
            for client in clients:
                if not (wrong := _not_ready(client, url)):
                    return
                said = said or wrong
            raise Unavailable(said)

        try:
            try_until(require_ready, patience_s, _READY_AGAIN_S)
        except Unavailable as error:
            raise Unavailable(f"the target {who} is not healthy: {error}; nothing was started") from error


def _not_ready(client: HttpClient, url: str) -> str:
    """Why not, or ""."""
    try:
        answer = client.ask("GET", url)
    except Unavailable as error:
        return str(error)
    return f"{answer.to}: HTTP {answer.status}" if answer.is_error else ""


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

        def look() -> str:
            return next(filter(None, map(self._ask, self._questions)), "")

        return look_until(look, not_, within_s, _AGAIN_S, sleep=stop.wait)

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
