"""What one trial of a search for capacity says, and of whom: of the service, or of the load generator.

A run's fail is proven: the service did give those bad answers. Whether it gave them *at this rate* is another
question. A generator that was held up for 30 ms sends what was due meanwhile all at once, and a service that
refuses a burst has said nothing of the rate. So a trial that broke counts against the service only if the
generator kept time, and, where errors are what broke, only if there are too many of them among the requests
that were sent when they were due. Arrivals that were dropped because too many were under way are the
service's: it did not answer the others.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import numpy as np

from seatrial.capacity.found import Trial
from seatrial.capacity.search import Outcome
from seatrial.measure.importers import read
from seatrial.model.experiment import Experiment
from seatrial.model.figures import milliseconds
from seatrial.model.offeredrate import OfferedRate
from seatrial.model.ownfailure import KILLED
from seatrial.model.problems import BadInput, CannotStore
from seatrial.model.requestlog import RequestLog
from seatrial.model.result import Measurement, RunResult
from seatrial.model.verdict import Verdict
from seatrial.run.execute import Execution
from seatrial.run.judge import doubt_of, doubt_of_scenario
from seatrial.run.plan import Plan

_PUNCTUAL_S = 0.3e-3  # no system sends more exactly; beyond, it is a whole arrival interval that counts


def trial_of(number: int, execution: Execution, plan: Plan, rate: OfferedRate, rate_per_s: float) -> Trial:
    """The trial that a run was."""
    result, experiment, log = execution.result, plan.experiment, _log_of(execution)
    outcome, why = outcome_of(result, experiment, log)
    trial = Trial(number, result.run, f"{number:02d}", str(rate), rate_per_s, outcome, why)
    measured = result.measurement
    if measured is None:
        return trial
    latency, length_s = measured.latency, measured.length_s
    trial = replace(
        trial,
        offered_per_s=measured.generator.offered_per_s,
        good_per_s=(measured.requests - measured.bad) / length_s if length_s else None,
        bad_share=measured.bad / measured.requests if measured.requests else None,
        late_p99_ms=measured.generator.late_p99_ms,
        in_flight=_in_flight(log, measured) if log is not None and length_s else None,
    )
    if latency is None:
        return trial
    return replace(
        trial,
        p50_ms=latency.p50_ms,
        p95_ms=latency.p95_ms,
        p99_ms=latency.p99_ms,
        at_least_from_ms=latency.at_least_from_ms,
    )


def outcome_of(result: RunResult, experiment: Experiment, log: RequestLog | None) -> tuple[Outcome, str]:
    """What came of a trial, and why. `log`: its requests, None where they cannot be read."""
    why = result.reasons[0] if result.reasons else ""
    measured = result.measurement
    if result.verdict is Verdict.PASS:
        return Outcome.HELD, ""
    if result.left_behind or measured is None:
        return Outcome.UNKNOWN, why
    if result.verdict is Verdict.FAIL:
        kept_time = replace(measured, generator=replace(measured.generator, dropped=0))
        doubt = doubt_of(kept_time, experiment, result.scenario) or _burst(result, experiment, measured, log)
        return (Outcome.GENERATOR, doubt) if doubt else (Outcome.BROKEN, why)
    lost = any(reason == KILLED for reason, _ in measured.errors)  # which is no limit of who is left
    if lost or doubt_of_scenario(result.scenario, experiment.load.scenario_errors):
        return Outcome.UNKNOWN, why
    doubt = doubt_of(measured, experiment, result.scenario)
    return (Outcome.GENERATOR, doubt) if doubt else (Outcome.UNKNOWN, why)


def _burst(result: RunResult, experiment: Experiment, measured: Measurement, log: RequestLog | None) -> str:
    """Why errors alone that broke a promise are none of this rate; "" where they are."""
    broken = [each.name for each in result.objectives if each.verdict is Verdict.FAIL]
    broken += [check.name for check in result.checks if check.verdict is Verdict.FAIL]
    errors, most_ms = experiment.objectives.errors, measured.generator.late_max_ms
    if log is None or errors is None or broken != ["errors"] or most_ms is None or not measured.requests:
        return ""
    here = log.between(measured.start_s, measured.end_s)
    punctual = here.sent - here.intended <= max(measured.length_s / measured.requests, _PUNCTUAL_S)
    bad = np.count_nonzero(here.proven_bad(experiment.load.deadline.seconds) & punctual)
    if bad > errors.max.fraction * measured.requests:
        return ""
    held = milliseconds(most_ms)
    return f"it sent in bursts after it had been held up for up to {held}, and the bad requests were in those"


def _in_flight(log: RequestLog, measured: Measurement) -> float:
    """How many requests were under way on the mean, by Little's law: the sum of all waits over the time."""
    waited = log.between(measured.start_s, measured.end_s).waited_s(measured.deadline_s)
    return float(np.nansum(waited)) / measured.length_s


def _log_of(execution: Execution) -> RequestLog | None:
    path = execution.evidence.path("requests.parquet")
    with suppress(BadInput, CannotStore):
        return read(path).log if path.exists() else None
    return None
