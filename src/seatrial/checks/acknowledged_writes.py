"""Every write that was acknowledged is there: once, with its content. Nothing that was refused is.

    acknowledged-writes
    acknowledged-writes: {role: audit.writes}

The request log says how each write ended for its client: acknowledged, refused or indeterminate (see
`write_outcomes`). Of an indeterminate one the client cannot know, so the target may hold it or not; both are
counted.

Lost seconds (RPO) run from the first lost acknowledgement to the last.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from seatrial.checks.protocol import DeclaredCheck, History, Need
from seatrial.model.result import CheckResult
from seatrial.model.verdict import Verdict

if TYPE_CHECKING:
    from seatrial.checks.held_writes import HeldWrites

Copies = Iterable[tuple[str, str | None]]  # (id, content) of each copy of a write; None: not told


class AcknowledgedWrites(DeclaredCheck):
    """The writes that clients were told of, against what the target holds after the run."""

    name: ClassVar[str] = "acknowledged-writes"

    role: str = Field(default="writes", examples=["audit.writes"])
    """The role through which the target is asked which writes it holds."""

    @property
    def _copies(self) -> Need[Copies]:
        return Need("writes", self.role)

    def needs(self) -> tuple[Need[Any], ...]:
        return (self._copies,)

    def judge(self, history: History) -> CheckResult:
        from seatrial.checks import write_outcomes  # noqa: PLC0415  # not for a plan, which only names it
        from seatrial.checks.held_writes import held  # noqa: PLC0415

        writes = write_outcomes.WriteOutcomes.of(history.log)
        stored = history.told(self._copies)
        acknowledged = writes.count(write_outcomes.ACKNOWLEDGED)
        if not acknowledged:
            return self.found(Verdict.UNKNOWN, "no write was acknowledged, so none could be lost")
        if stored.data is None:
            return self.found(Verdict.UNKNOWN, f"{acknowledged:,} writes acknowledged; {stored.error}")
        refused = writes.count(write_outcomes.REFUSED)
        indeterminate = writes.count(write_outcomes.INDETERMINATE)
        return self._held(acknowledged, refused, indeterminate, held(writes, stored.data))

    def _held(self, acknowledged: int, refused: int, indeterminate: int, there: HeldWrites) -> CheckResult:
        """What was told to clients against what is there."""
        figures = {
            "acknowledged": acknowledged,
            "lost": there.lost.count,
            "lost_s": there.lost_s,
            "doubled": there.doubled.count,
            "altered": there.altered.count,
            "refused": refused,
            "refused_yet_there": there.refused_yet_there.count,
            "indeterminate": indeterminate,
            "indeterminate_there": there.indeterminate_there,
        }
        wrong = [
            f"{found.count:,} {what} (first: {found.first})"
            for what, found in (
                (f"lost within {there.lost_s:.3f} s", there.lost),
                ("stored more than once", there.doubled),
                ("stored with other content", there.altered),
                ("refused and stored all the same", there.refused_yet_there),
            )
            if found.count
        ]
        said = f"{acknowledged:,} acknowledged"
        if wrong:
            return self.found(Verdict.FAIL, f"{said}: {', '.join(wrong)}", **figures)
        open_ended = f"{indeterminate:,} indeterminate, {there.indeterminate_there:,} of them stored"
        return self.found(Verdict.PASS, f"{said}, every one stored once; {open_ended}", **figures)
