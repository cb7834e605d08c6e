"""What the figures mean, in sentences for people who were not there."""

from __future__ import annotations

import math

from seatrial.model.result import (
    Failover,
    GeneratorAudit,
    Measurement,
    Phase,
    RunResult,
    ScenarioAccount,
    times,
)
from seatrial.model.verdict import Verdict
from seatrial.report.figures import count, number, seconds, share


def headline(result: RunResult) -> str:
    """The verdict as one sentence."""
    if result.verdict is Verdict.PASS:
        return "Every objective was kept and every check held."
    if any(step.left_behind for step in result.steps):
        return "What this run did to its target is not known to be undone. Somebody has to look."
    if result.verdict is Verdict.FAIL:
        return "A promise was broken."
    if result.interrupted:
        return "The run was interrupted. It proves nothing, for or against."
    if not result.objectives and not result.checks:
        return "Nothing was promised, so nothing was judged."
    return "This run cannot tell whether the promises were kept. That is not a pass."


def what_clients_saw(measured: Measurement) -> str:
    """Good, bad and outages in one or two sentences."""
    if not measured.requests:
        return "No request was due in the measured part of the run."
    if not measured.bad:
        answered = f"all {count(measured.requests)} were answered well and in time"
        return f"No request failed: {answered}. {resolution(measured)}"
    outages = len(measured.outages)
    bad = f"{count(measured.bad)} of {count(measured.requests)} requests"
    return (
        f"{bad} ({share(measured.bad / measured.requests)}) failed, came after their deadline of "
        f"{seconds(measured.deadline_s)} or were never answered, "
        f"in {count(outages)} {'outage' if outages == 1 else 'outages'}.{_degraded(measured)}"
    )


def _degraded(measured: Measurement) -> str:
    """A run of bad requests ends at the first good one, so a partial outage is told by how long it lasted."""
    if not any(outage.runs > 1 for outage in measured.outages):
        return ""
    return (
        f" For {seconds(measured.degraded_s)} in all the service was not steady: some requests were answered,"
        " some were not."
    )


def failover(one: Failover) -> str:
    """Each phase's length: `detect 180 ms · decide 40 ms · promote 45 ms · route 9 ms; in all 274 ms`."""
    split = " · ".join(f"{phase.name} {phase_length(phase)}" for phase in one.phases)
    return split if one.length_s is None else f"{split}; in all {seconds(one.length_s)}"


def phase_length(phase: Phase) -> str:
    """The length of a phase, when it is known; one can be over before the phase ahead of it is."""
    if phase.length_s is None:
        return "unknown"
    if phase.length_s < 0:
        return f"over {seconds(-phase.length_s)} earlier"
    return seconds(phase.length_s)


def resolution(measured: Measurement) -> str:
    """How short an interruption could have gone unseen."""
    gap = measured.completion_gap.upper_s
    rate = measured.generator.offered_per_s
    spacing = f"A request was due every {seconds(1 / rate)}. " if rate > 0 else ""
    if math.isinf(gap):
        return f"{spacing}How long an interruption could have gone unseen is not known."
    unseen = "An interruption of the whole service could have gone unseen only if it was shorter than"
    return f"{spacing}{unseen} {seconds(gap)}."


def generator(audit: GeneratorAudit, doubt: str) -> str:
    """Why one may trust the load generator, or, with a `doubt`, why not."""
    if doubt:
        return f"The load generator cannot be trusted: {doubt}. It measured itself, not only the service."
    if not audit.scheduled:
        return "The load generator had nothing to send."
    return (
        "The load generator can be trusted: "
        f"it sent every one of {count(audit.scheduled)} scheduled requests, "
        f"99 of 100 within {number(audit.late_p99_ms, 'ms')} of the instant it was due."
    )


def scenario(account: ScenarioAccount) -> str:
    """What the scenario's own code failed at: `it failed 3 times in 250 arrivals: home.py:7 KeyError …`."""
    told = f"it failed {times(account.failed)} in {count(account.arrivals)} arrivals"
    return f"{told}: {'; '.join(str(error) for error in account.errors[:3])}"
