"""Every write that was acknowledged is there: once, with its content. Nothing that was refused is.

    acknowledged-writes
    acknowledged-writes: {role: audit.writes}

The request log says how each write ended for its client:

* acknowledged: the answer was good;
* refused: certainly not carried out, because the connection was refused, the arrival was dropped, or the
  answer was a 4xx other than 408, 409, 425 and 429 (which a proxy or a retry may give after the fact);
* indeterminate: everything else. The client cannot know, so the target may hold it or not; both are counted.

Lost seconds (RPO) run from the first lost acknowledgement to the last.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from seatrial.checks.protocol import DeclaredCheck, History, Need
from seatrial.model.result import CheckResult
from seatrial.model.verdict import Verdict

if TYPE_CHECKING:
    from seatrial.model.requestlog import Bools, RequestLog

Copies = tuple[tuple[str, str | None], ...]  # (id, content) of each copy of a write; None: not told

_MAY_HAVE_HAPPENED = (408, 409, 425, 429)
_NEVER_SENT = "connection refused"


@dataclass(frozen=True, slots=True)
class Writes:
    """The writes of a run by how they ended: id → expected content; and when each was acknowledged."""

    acknowledged: dict[str, str]
    refused: dict[str, str]
    indeterminate: dict[str, str]
    acknowledged_at_s: dict[str, float]


def writes_of(log: RequestLog) -> Writes:
    """The rows of `log` that carry a key. A key that was acknowledged once is acknowledged."""
    with_key = log.with_key()
    keys = () if with_key.keys is None else with_key.keys.texts()
    refused = _refused(with_key)
    found = Writes({}, {}, {}, {})
    for row, key in enumerate(keys):
        identity, _, content = key.partition(" ")
        if with_key.ok[row]:
            found.acknowledged[identity] = content
            found.acknowledged_at_s[identity] = float(with_key.ended[row])
        elif refused[row]:
            found.refused[identity] = content
        else:
            found.indeterminate[identity] = content
    for identity in found.acknowledged:
        found.refused.pop(identity, None)
        found.indeterminate.pop(identity, None)
    for identity in found.indeterminate:
        found.refused.pop(identity, None)
    return found


def _refused(log: RequestLog) -> Bools:
    import numpy as np  # noqa: PLC0415  # not for a plan, which only names the check

    client_error = (log.status >= 400) & (log.status < 500) & ~np.isin(log.status, _MAY_HAVE_HAPPENED)
    return np.asarray(client_error | log.error.equals(_NEVER_SENT) | np.isnan(log.sent))


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
        writes = writes_of(history.log)
        stored = history.told(self._copies)
        if not writes.acknowledged:
            return self.found(Verdict.UNKNOWN, "no write was acknowledged, so none could be lost")
        if stored.data is None:
            told = f"{len(writes.acknowledged):,} writes acknowledged; {stored.error}"
            return self.found(Verdict.UNKNOWN, told)
        return self._held(writes, stored.data)

    def _held(self, writes: Writes, stored: Copies) -> CheckResult:
        """What was told to clients against what is there."""
        copies = Counter(identity for identity, _ in stored)
        lost = [identity for identity in writes.acknowledged if not copies[identity]]
        doubled = [identity for identity, count in copies.items() if count > 1]
        phantom = [identity for identity in writes.refused if copies[identity]]
        altered = _altered(writes, stored)
        kept = sum(1 for identity in writes.indeterminate if copies[identity])
        figures = {
            "acknowledged": len(writes.acknowledged),
            "lost": len(lost),
            "lost_s": _span_s(writes, lost),
            "doubled": len(doubled),
            "altered": len(altered),
            "refused": len(writes.refused),
            "refused_yet_there": len(phantom),
            "indeterminate": len(writes.indeterminate),
            "indeterminate_there": kept,
        }
        wrong = [
            f"{len(found):,} {what} (first: {found[0]})"
            for what, found in (
                (f"lost within {_span_s(writes, lost):.3f} s", lost),
                ("stored more than once", doubled),
                ("stored with other content", altered),
                ("refused and stored all the same", phantom),
            )
            if found
        ]
        said = f"{len(writes.acknowledged):,} acknowledged"
        if wrong:
            return self.found(Verdict.FAIL, f"{said}: {', '.join(wrong)}", **figures)
        open_ended = f"{len(writes.indeterminate):,} indeterminate, {kept:,} of them stored"
        return self.found(Verdict.PASS, f"{said}, every one stored once; {open_ended}", **figures)


def _altered(writes: Writes, copies: Copies) -> list[str]:
    expected = writes.refused | writes.indeterminate | writes.acknowledged
    return [
        identity
        for identity, content in copies
        if content is not None and expected.get(identity) and content != expected[identity]
    ]


def _span_s(writes: Writes, lost: list[str]) -> float:
    instants = [writes.acknowledged_at_s[identity] for identity in lost]
    return max(instants) - min(instants) if instants else 0.0
