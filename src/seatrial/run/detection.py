"""How long it took until each step was noticed, beside how long it took until the service was well again."""

from __future__ import annotations

import math
from collections.abc import Iterable

from seatrial.measure import recovery
from seatrial.model.result import Bounds, CheckResult, Detection
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
