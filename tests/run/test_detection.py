"""Time to detect, beside time to recover, and as the promise that it is."""

from __future__ import annotations

import math

from tests.support.alert_looks import CRASH, history, looks
from tests.support.rows import log_of

from seatrial.checks.registry import build
from seatrial.measure import measure
from seatrial.model.experiment import Experiment
from seatrial.model.verdict import Verdict
from seatrial.run.detection import as_objectives, detections
from seatrial.run.judge import Story

EXPERIMENT = Experiment.model_validate(
    {"experiment": "crash", "load": {"scenario": "x.py", "rate": "600/min"}, "duration": "40s"}
)


def story() -> Story:
    """Ten requests a second, which fail from 10 s to 12 s."""
    rows = [
        {"intended": at / 10, "sent": at / 10, "ended": at / 10 + 0.01, "ok": not 100 < at <= 120, "status": 200,
         "name": "", "served_by": "", "error": "", "worker": "", "key": None}
        for at in range(400)
    ]  # fmt: skip
    log = log_of(rows)
    return Story(EXPERIMENT, log, measure(log, 2.0, 1.0, 0.0, 40.0, []), (CRASH,))


def test_both_times_count_from_the_effect_of_the_step() -> None:
    told = build("alert-fired", {"name": "Down", "within": "20s"}).judge(
        history(looks({"Down": [(13.2, 30.0)]}))
    )
    (found,) = detections(story(), [told])
    assert found.detect is not None
    assert found.recover is not None
    assert 2.9 < found.detect.lower_s < found.detect.upper_s < 3.6
    assert 1.9 < found.recover.lower_s < found.recover.upper_s < 2.3
    (promise,) = as_objectives([told])
    assert (promise.name, promise.target, promise.verdict) == (
        "detection of crash (Down)",
        20.0,
        Verdict.PASS,
    )
    assert promise.upper == found.detect.upper_s


def test_what_nobody_noticed_took_longer_than_was_listened() -> None:
    check = build("alert-fired", {"name": "Down", "within": "20s", "source": "prometheus"})
    (promise,) = as_objectives([check.judge(history(looks({})))])
    assert (promise.lower, promise.upper, promise.verdict) == (20.0, math.inf, Verdict.FAIL)
    assert "nobody would have noticed" in promise.reason
    (unknown,) = as_objectives([check.judge(history(None, error="refused"))])
    assert (unknown.lower, unknown.upper, unknown.verdict) == (None, None, Verdict.UNKNOWN)


def test_a_check_of_something_else_is_no_detection() -> None:
    told = build("alert-silent", {"name": "Down"}).judge(history(looks({})))
    assert detections(story(), [told]) == ()
    assert as_objectives([told]) == ()
