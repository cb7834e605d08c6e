"""Replication lag, from what was looked at to a promise, second by second."""

from __future__ import annotations

import math
from typing import Any

import pytest
from tests.support.rows import log_of

from seatrial.checks.protocol import Need, Recorded, When
from seatrial.measure import measure
from seatrial.model.bounds import Bounds
from seatrial.model.experiment import Experiment
from seatrial.model.looks import Blind
from seatrial.model.replication import LagPoint, ReplicationLag
from seatrial.model.verdict import Verdict
from seatrial.run.judge import Story, judge_objectives
from seatrial.run.lag import lag_in, series_of

NEED: Need[Any] = Need("replication", "replication", When.DURING)


def lag(lower_s: float, upper_s: float, *gaps: Blind) -> ReplicationLag:
    return ReplicationLag(
        (LagPoint("db-2", 1.2, Bounds(0.0, 0.1)), LagPoint("db-2", 3.4, Bounds(lower_s, upper_s))), gaps
    )


def judged(found: ReplicationLag | None, why: str = "", **promise: str) -> tuple[Verdict, str, float | None]:
    row = {"intended": 1.0, "sent": 1.0, "ended": 1.01, "ok": True, "status": 200, "name": "", "served_by": "",
           "error": "", "worker": "", "key": None}  # fmt: skip
    log = log_of([row, {**row, "intended": 2.0, "sent": 2.0, "ended": 2.01}])
    experiment = Experiment.model_validate(
        {
            "experiment": "lag",
            "load": {"scenario": "x.py", "rate": "60/min"},
            "duration": "10s",
            "objectives": {"replication_lag": {"max": "1s", **promise}},
        }
    )
    story = Story(experiment, log, measure(log, 2.0, 1.0, 0.0, 10.0, []), (), lag=found, lag_why=why)
    (result,) = judge_objectives(story)
    assert (result.name, result.unit, result.target) == ("replication lag", "s", 1.0)
    return result.verdict, result.reason, result.upper


@pytest.mark.parametrize(
    ("found", "promise", "verdict", "words"),
    [
        (lag(0.0, 0.3), {}, Verdict.PASS, ""),
        (lag(1.2, 1.4), {}, Verdict.FAIL, "too long"),
        (lag(0.9, 1.1), {}, Verdict.UNKNOWN, ""),
        (
            lag(0.0, 0.3, Blind(4.0, 9.0, "db-2: refused")),
            {},
            Verdict.UNKNOWN,
            "for 5.00 s in all some server",
        ),
        (lag(0.0, 0.3, Blind(4.0, 9.0)), {"unmeasured": "6s"}, Verdict.PASS, ""),
        (lag(2.0, 2.3, Blind(4.0, 9.0)), {}, Verdict.FAIL, ""),
        (
            ReplicationLag((), (Blind(0, 10, "db-2: refused"),)),
            {"unmeasured": "60s"},
            Verdict.UNKNOWN,
            "refused",
        ),
        (None, {}, Verdict.UNKNOWN, "nobody was asked"),
    ],
)
def test_verdicts(
    found: ReplicationLag | None, promise: dict[str, str], verdict: Verdict, words: str
) -> None:
    told, reason, upper = judged(found, **promise)
    assert told is verdict
    assert words in reason
    assert upper != 0  # what nobody measured is never none at all


def test_a_target_that_cannot_be_asked_says_why() -> None:
    assert judged(None, "the servers are behind a wall")[:2] == (
        Verdict.UNKNOWN,
        "the servers are behind a wall",
    )


def test_an_end_that_nobody_measured_has_no_upper_bound() -> None:
    assert judged(lag(0.0, 0.3, Blind(4.0, 9.0)))[2] == math.inf


def test_what_was_not_asked_for_is_not_told() -> None:
    assert lag_in({}, 10.0) == (None, "")
    assert lag_in({NEED: Recorded(None, "refused")}, 10.0) == (None, "refused")
    assert series_of(None, 10.0) is None


def test_each_second_has_its_worst_or_nothing() -> None:
    told = series_of(lag(0.2, 0.3, Blind(4.0, 5.0)), 5.0)
    assert told is not None
    assert [each.lag for each in told.seconds] == [None, Bounds(0.0, 0.1), None, Bounds(0.2, 0.3), None]
    assert (told.worst, told.unmeasured_s) == (Bounds(0.2, 0.3), 1.0)
