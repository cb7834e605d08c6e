"""At the end, only the named release (or region) answers.

    served-by: {release: blue}

A rollback that leaves some traffic on the release it fled from is not a rollback. What counts is what the
answers themselves say (`X-Release`, `X-Region`), over the last stretch of the run.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from pydantic import Field

from seatrial.checks.protocol import DeclaredCheck, History
from seatrial.model.quantities import Duration
from seatrial.model.result import CheckResult
from seatrial.model.verdict import Verdict


class ServedBy(DeclaredCheck):
    """Who gave the answers of the last stretch."""

    name: ClassVar[str] = "served-by"

    release: str | None = Field(default=None, examples=["blue"])
    """The release that every answer must come from."""
    region: str | None = Field(default=None, examples=["east"])
    """The region that every answer must come from."""
    last: Duration = Duration(5.0)
    """How long before the end of the measured part that must be so."""

    def judge(self, history: History) -> CheckResult:
        wanted = " in ".join(part for part in (self.release, self.region) if part)
        if not wanted:
            return self.found(Verdict.UNKNOWN, "neither a release nor a region is named")
        log = history.log.between(history.end_s - self.last.seconds, history.end_s)
        answered = log[np.isfinite(log.ended) & (log.status > 0)]
        known = ~answered.served_by.equals("")
        if not known.any():
            return self.found(Verdict.UNKNOWN, f"no answer of the last {self.last} said who gave it")
        fits = [code for code, who in enumerate(answered.served_by.values) if self._fits(who)]
        strangers = known & ~np.isin(answered.served_by.codes, fits)
        if strangers.any():
            who = sorted(set(answered[strangers].served_by.texts()))
            count = f"{int(strangers.sum()):,} of {int(known.sum()):,} answers"
            said = f"{count} of the last {self.last} came from {', '.join(who)}"
            return self.of_the_end(history, said)
        if history.cut:
            return self.found(Verdict.UNKNOWN, f"the run was cut short before its end: {history.cut}")
        return self.found(
            Verdict.PASS, f"all {int(known.sum()):,} answers of the last {self.last} came from {wanted}"
        )

    def _fits(self, who: str) -> bool:
        parts = who.split("/")
        return all(part in parts for part in (self.release, self.region) if part)
