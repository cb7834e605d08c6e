"""Looks at a monitoring, made up: who fired when, every half second."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from tests.support.rows import log_of

from seatrial.checks.protocol import History, Need, Recorded, When
from seatrial.model.alerts import AlertsSeen, FiringAlert
from seatrial.model.looks import Look
from seatrial.model.result import StepRecord

NEED: Need[Any] = Need("alerts", "alerts", When.DURING)
ZERO_WALL_S = 1_800_000_000.0
CRASH = StepRecord(
    name="crash", kind="fault", does="process.kill", role="worker", planned_s=10, before_s=10.0, injected_s=10.02
)  # fmt: skip
RULES = {"Down": "", "Slow": ""}


def looks(
    spans: Mapping[str, Iterable[tuple[float, float]]],
    *,
    begin_s: float = -5.0,
    end_s: float = 60.0,
    away: tuple[float, float] = (0.0, 0.0),
    rules: Mapping[str, str] | None = RULES,
    severity: str = "page",
) -> tuple[Look[AlertsSeen], ...]:
    """One look each half second. `spans`: when each alert fires; `away`: when nobody answers."""
    found: list[Look[AlertsSeen]] = []
    for asked_s in np.arange(begin_s, end_s, 0.5).tolist():
        if away[0] <= asked_s < away[1]:
            found.append(Look(asked_s, asked_s + 0.01, None, "alerts: nobody answers"))
            continue
        firing = tuple(
            FiringAlert(name, {"severity": severity})
            for name, when in spans.items()
            if any(lower <= asked_s < upper for lower, upper in when)
        )
        found.append(Look(asked_s, asked_s + 0.01, AlertsSeen(firing, rules)))
    return tuple(found)


def history(
    seen: tuple[Look[AlertsSeen], ...] | None,
    *,
    error: str = "",
    end_s: float = 45.0,
    steps: tuple[StepRecord, ...] = (CRASH,),
    cut: str = "",
) -> History:
    """A run in which that was seen; None: nothing was, for that reason."""
    row = {"intended": 1.0, "sent": 1.0, "ended": 1.01, "ok": True, "status": 200, "name": "", "served_by": "",
           "error": "", "worker": "", "key": None}  # fmt: skip
    told = Recorded(None, error) if seen is None else Recorded({"alerts": seen})
    return History(log_of([row]), steps, 2.0, end_s, {NEED: told}, ZERO_WALL_S, cut)
