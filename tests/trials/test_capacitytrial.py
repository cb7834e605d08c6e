"""Of whom a trial that broke tells: of the service, or of the generator that held it up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.support.results import result

from seatrial.capacity.search import Outcome
from seatrial.measure import measure
from seatrial.model.experiment import Experiment
from seatrial.model.ownfailure import DROPPED, KILLED
from seatrial.model.requestlog import Coded, RequestLog
from seatrial.model.result import ObjectiveResult, RunResult
from seatrial.model.verdict import Verdict
from seatrial.trials.capacitytrial import outcome_of

COUNT, LENGTH_S = 1000, 10.0
EXPERIMENT = Experiment.model_validate(
    {
        "experiment": "x",
        "load": {"scenario": "x.py", "rate": "100/s"},
        "duration": "10s",
        "objectives": {"errors": {"max": "1%"}},
    }
)


def trial(
    bad: list[int], late_s: dict[int, float], unsent: tuple[int, ...] = ()
) -> tuple[RunResult, RequestLog]:
    """A failed run of 100/s, and its requests: which were refused, and which were sent how late."""
    intended = np.arange(COUNT) * LENGTH_S / COUNT
    sent = intended + 1e-4
    for row, late in late_s.items():
        sent[row] = intended[row] + late
    sent[list(unsent)] = np.nan
    ok = np.ones(COUNT, dtype=np.bool_)
    ok[[*bad, *unsent]] = False
    texts = [
        "dropped: 10000 arrivals in flight" if row in unsent else "" if ok[row] else "HTTP 503"
        for row in range(COUNT)
    ]
    same = Coded(np.zeros(COUNT, dtype=np.int32), ("",))
    log = RequestLog(
        intended=intended, sent=sent, ended=sent + 0.002, ok=ok, status=np.where(ok, 200, 503).astype(np.int16),
        name=same, served_by=same, error=Coded.of(texts), worker=same,
    )  # fmt: skip
    errors = ObjectiveResult("errors", 0.01, 0.05, 0.05, "ratio", Verdict.FAIL)
    found = replace(
        result(Verdict.FAIL, 1), measurement=measure(log, 2.0, 1.0, 0.0, LENGTH_S), objectives=(errors,),
        reasons=("errors: 5%, target 1%",), steps=(), checks=(), scenario=None,
    )  # fmt: skip
    return found, log


def held_up(*rows: range) -> dict[int, float]:
    """Each range of requests was sent when its last one was due."""
    return {row: (each[-1] - row) / 100 + 0.011 for each in rows for row in each}


def test_errors_all_over_a_trial_are_the_service_s() -> None:
    found, log = trial(list(range(0, COUNT, 20)), {})
    assert outcome_of(found, EXPERIMENT, log) == (Outcome.BROKEN, "errors: 5%, target 1%")


def test_errors_in_bursts_of_our_own_say_nothing_of_the_rate() -> None:
    # so few that 99 of 100 were in time, as the generator's own audit wants it
    late = held_up(range(300, 308))
    found, log = trial([*range(300, 308), 700, 800, 900], late)
    outcome, why = outcome_of(found, EXPERIMENT, log)
    assert outcome is Outcome.GENERATOR
    assert "in bursts after it had been held up for up to 81.0 ms" in why


def test_errors_beside_a_burst_count_all_the_same() -> None:
    found, log = trial([*range(300, 308), *range(500, 520)], held_up(range(300, 308)))
    assert outcome_of(found, EXPERIMENT, log)[0] is Outcome.BROKEN


def test_a_generator_that_was_late_altogether_has_offered_another_rate() -> None:
    found, log = trial(list(range(0, COUNT, 20)), dict.fromkeys(range(200, 400), 0.4))
    outcome, why = outcome_of(found, EXPERIMENT, log)
    assert outcome is Outcome.GENERATOR
    assert "it was late" in why


def test_arrivals_that_were_dropped_since_too_many_were_under_way_are_the_service_s() -> None:
    found, log = trial(list(range(0, COUNT, 20)), {}, unsent=tuple(range(901, 909)))
    assert outcome_of(found, EXPERIMENT, log)[0] is Outcome.BROKEN


def test_a_worker_that_was_lost_is_no_limit_of_those_who_are_left() -> None:
    found, log = trial([], {})
    found = replace(found, verdict=Verdict.UNKNOWN, reasons=("load worker 1 was lost",), objectives=())
    assert found.measurement is not None
    audit = replace(found.measurement.generator, dropped=40)
    for reason, outcome in {KILLED: Outcome.UNKNOWN, f"{DROPPED}x": Outcome.GENERATOR}.items():
        told = replace(found.measurement, generator=audit, errors=((reason, 40),))
        assert outcome_of(replace(found, measurement=told), EXPERIMENT, log)[0] is outcome


@pytest.mark.parametrize("name", ["latency p95", "served-by"])
def test_another_promise_that_broke_is_not_explained_by_a_burst(name: str) -> None:
    found, log = trial([*range(300, 308), 700, 800, 900], held_up(range(300, 308)))
    other = ObjectiveResult(name, 900.0, 950.0, 960.0, "ms", Verdict.FAIL)
    found = replace(found, objectives=(*found.objectives, other))
    assert outcome_of(found, EXPERIMENT, log)[0] is Outcome.BROKEN


def test_without_its_log_a_fail_is_what_it_was() -> None:
    found, _ = trial([*range(300, 308), 700, 800, 900], held_up(range(300, 308)))
    assert outcome_of(found, EXPERIMENT, None)[0] is Outcome.BROKEN
