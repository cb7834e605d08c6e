"""How long it took until each step was noticed, beside how long it took until the service was well again.

That an alert fires `within` a time is a promise like any other, so it is also told as an objective: lists,
comparisons, courses over months and rows of the matrix have it without knowing of alerts.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from seatrial.measure import recovery
from seatrial.model.noticing import Detection, Noticed
from seatrial.model.result import Bounds, CheckResult, ObjectiveResult
from seatrial.model.verdict import Verdict
from seatrial.run.judge import Story


def detections(story: Story, checks: Iterable[CheckResult]) -> tuple[Detection, ...]:
    """One for each check that tells whether a step was noticed, in the order of the checks."""
    return tuple(
        Detection(
            step=noticed.step,
            alert=noticed.alert,
            source=noticed.source,
            detect=noticed.detect,
            recover=_recovered(story, noticed.step),
            verdict=check.verdict,
        )
        for check in checks
        if (noticed := check.noticed) is not None
    )


def as_objectives(checks: Iterable[CheckResult]) -> tuple[ObjectiveResult, ...]:
    """Each time to detect as the promise that it is, with the verdict and the words of its check."""
    return tuple(_objective(check, noticed) for check in checks if (noticed := check.noticed) is not None)


def _objective(check: CheckResult, noticed: Noticed) -> ObjectiveResult:
    by = noticed.alert if noticed.source == "prometheus" else f"{noticed.alert}, {noticed.source}"
    lower, upper = (noticed.detect.lower_s, noticed.detect.upper_s) if noticed.detect else (None, None)
    if noticed.detect is None and check.verdict is Verdict.FAIL:
        lower, upper = noticed.within_s, math.inf  # it was listened to for so long, and nobody was told
    name, target = f"detection of {noticed.step} ({by})", noticed.within_s
    reason = "" if check.verdict is Verdict.PASS else check.detail
    return ObjectiveResult(name, target, lower, upper, "s", check.verdict, reason)


def _recovered(story: Story, name: str) -> Bounds | None:
    """From a step's effect until steady; None when it had none, or nothing was due after it."""
    step = next((step for step in story.steps if step.name == name), None)
    if step is None or step.before_s is None or step.injected_s is None:
        return None
    limits = story.experiment.load.deadline.seconds, story.experiment.settle.seconds
    found = recovery(story.log, step.injected_s, *limits, math.inf)
    if found is None:
        return None
    return Bounds(found.lower_s, found.upper_s + step.injected_s - step.before_s)
