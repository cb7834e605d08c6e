"""While tenants are migrated, nobody waits for a lock longer than was said.

    lock-waits: {max: 500ms}

A migration that rewrites a table keeps everybody out of it for as long as that takes, and whoever queues
behind the lock waits too. PostgreSQL's own views are looked at all the while; the longest wait is told with
its table, the mode of the lock, the tenant, and who was in the way. A wait that is shorter than the time
between two looks may not have been seen, so `max` must be longer than that, also where the server answered
late. While a migration that was killed waits for its next start nobody looks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field

from seatrial.checks.protocol import History, RecordingCheck
from seatrial.checks.tenants import Line, Recording
from seatrial.model.figures import interval
from seatrial.model.quantities import Duration, Lasting
from seatrial.model.result import CheckResult
from seatrial.model.verdict import Verdict, judge_bounds

_WORDS = 80  # characters of a statement that are told


class LockWaits(RecordingCheck):
    """How long somebody waited for a lock."""

    name: ClassVar[str] = "lock-waits"
    recorder: ClassVar[str] = "tenant-versions"

    role: str = Field(default="tenants", examples=["tenants"])
    """The role whose tenants are migrated."""
    max: Lasting = Duration(0.5)
    """The longest wait that is allowed."""

    def judge(self, history: History) -> CheckResult:
        lines = self.recorded(history, lambda data: Recording.parse(data).of_the_run(history))
        if isinstance(lines, CheckResult):
            return lines
        waits = [line for line in lines if line["event"] == "waited"]
        blind = _blind(lines, self.max.seconds)
        if not waits:
            return self.found(*blind) if blind else self.found(Verdict.PASS, _unseen(lines), waits=0)
        return self._longest(waits, blind)

    def _longest(self, waits: Sequence[Line], blind: tuple[Verdict, str] | None) -> CheckResult:
        longest = max(waits, key=lambda wait: float(wait["lower_s"]))
        lower_s = float(longest["lower_s"])
        uppers = [float("inf") if wait["upper_s"] is None else float(wait["upper_s"]) for wait in waits]
        verdict = judge_bounds(lower_s, max(uppers), self.max.seconds)
        figures = {"waits": len(waits), "longest_lower_s": lower_s, "longest_upper_s": max(uppers)}
        length = _bounds(lower_s, longest["upper_s"])
        told = f"{len(waits):,} waits were seen, the longest of {length}: {_told(longest)}"
        if verdict is not Verdict.FAIL and blind:
            return self.found(Verdict.UNKNOWN, f"{blind[1]}; {told}", **figures)
        return self.found(verdict, told, **figures)


def _blind(lines: Sequence[Line], max_s: float) -> tuple[Verdict, str] | None:
    """Why longer waits than were seen may have been."""
    begun = [line for line in lines if line["event"] == "begun"]
    if not begun:
        return Verdict.UNKNOWN, "no tenant was migrated in the run, so nobody looked for waits"
    finished = [line for line in lines if line["event"] == "finished"]
    trouble = next((line["trouble"] for line in finished if line["trouble"]), "")
    if trouble:
        return Verdict.UNKNOWN, f"the locks could not be looked at: {trouble}"
    if not sum(line["looks"] for line in finished):
        return Verdict.UNKNOWN, "the locks were not looked at once"
    if len(begun) > len(finished):
        return Verdict.UNKNOWN, "a migration was killed, and nobody looked from then on until the next start"
    every_s = max(float(line["looks_every_s"]) for line in begun)
    blind_s = max(every_s, *(float(line.get("longest_blind_s", math.inf)) for line in finished))
    if max_s <= blind_s:
        told = f"between two looks {blind_s:.3g} s went by, so shorter waits may not have been seen"
        return Verdict.UNKNOWN, told
    return None


def _unseen(lines: Sequence[Line]) -> str:
    looks = sum(line["looks"] for line in lines if line["event"] == "finished")
    return f"nobody was seen waiting for a lock in {looks:,} looks"


def _bounds(lower_s: float, upper_s: float | None) -> str:
    return str(interval(lower_s, float("inf") if upper_s is None else upper_s, "s", None).bracketed)


def _told(wait: Line) -> str:
    """Who waited for what, behind whom."""
    waiter, blocker = wait["waiter"], wait["blocker"]
    tenant = f" of tenant {wait['tenant']}" if wait["tenant"] else ""
    behind = "somebody who is gone"
    if blocker["pid"]:
        holds = f", which holds {blocker['holds']}" if blocker["holds"] else ""
        behind = f"`{_words(blocker['statement'])}` of {_who(blocker)}{holds}"
    return f"{_who(waiter)} wanted {wait['mode']} on {wait['table']}{tenant}, behind {behind}"


def _who(one: Line) -> str:
    return f"{one['application'] or one['user'] or 'process'} (pid {one['pid']})"


def _words(statement: str | None) -> str:
    return " ".join((statement or "").split())[:_WORDS]
