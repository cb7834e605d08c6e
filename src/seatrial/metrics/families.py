"""The state of the run database as Prometheus metrics, computed when they are asked for.

Nothing is counted in memory: a daemon that was restarted, and a one-shot run that writes a textfile, tell the
same numbers, because both read them from the database. Names are in base units; bounds are two gauges; no
label holds a run id, as each would be a new time series.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import datetime
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from pydantic import TypeAdapter

from seatrial.model.problems import Unavailable
from seatrial.model.result import StepRecord
from seatrial.model.verdict import Verdict
from seatrial.store import MessageState, OccurrenceState, RecordedRun, Store

_OF_RUN = ("experiment", "target")


class StoreCollector:
    """A collector for `prometheus_client`.

    `schedules` are reported with zeros before anything happened to them. `sinks_off` are left out of the
    outbox's figures: their messages are kept on purpose. `open_faults` counts the faults that the fault
    journal has as not undone.
    """

    def __init__(
        self,
        store: Store,
        now: Callable[[], datetime],
        schedules: Callable[[], Collection[str]] = tuple,
        sinks_off: Collection[str] = (),
        open_faults: Callable[[], int] | None = None,
    ) -> None:
        self._store = store
        self._now = now
        self._schedules = schedules
        self._sinks_off = sinks_off
        self._open_faults = open_faults

    def describe(self) -> Iterable[Metric]:
        """Nothing beforehand: the database may be away while a registry is set up."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """All metrics; only `seatrial_store_up 0` (and what needs no database) while the database is away."""
        if self._open_faults is not None:
            yield GaugeMetricFamily(
                "seatrial_faults_active",
                "Faults in the journal that are not undone.",
                value=self._open_faults(),
            )
        try:
            families = [*self._occurrences(), *self._runs(), *self._outbox()]
        except Unavailable:
            families = []
        up = 1.0 if families else 0.0
        yield GaugeMetricFamily("seatrial_store_up", "Whether the run database answers.", value=up)
        yield from families

    def _occurrences(self) -> Iterator[Metric]:
        counts = self._store.occurrences.counts()
        names = sorted({*self._schedules(), *(schedule for schedule, _ in counts)})
        total = CounterMetricFamily(
            "seatrial_occurrences", "Occurrences by how they ended.", labels=["schedule", "outcome"]
        )
        running = GaugeMetricFamily(
            "seatrial_occurrences_running", "Occurrences that run now.", labels=["schedule"]
        )
        for name in names:
            for state in OccurrenceState:
                count = counts.get((name, state), 0)
                if state is OccurrenceState.RUNNING:
                    running.add_metric([name], count)
                else:
                    total.add_metric([name, state.value], count)
        without_pass = GaugeMetricFamily(
            "seatrial_occurrences_since_pass",
            "Occurrences since the last that passed, blackouts not counted.",
            labels=["schedule"],
        )
        since_pass = self._store.occurrences.since_pass()
        for name in names:
            without_pass.add_metric([name], since_pass.get(name, 0))
        yield total
        yield running
        yield without_pass

    def _runs(self) -> Iterator[Metric]:
        first = _gauge("seatrial_first_run_timestamp_seconds", "When it ran first.")
        success = _gauge("seatrial_last_success_timestamp_seconds", "When its last passing run started.")
        for (experiment, target), (began, passed) in sorted(self._store.runs.first_and_last_pass().items()):
            first.add_metric([experiment, target], began.timestamp())
            if passed is not None:
                success.add_metric([experiment, target], passed.timestamp())
        yield first
        yield success
        yield from _latest(self._store.runs.latest_of_each())

    def _outbox(self) -> Iterator[Metric]:
        messages = GaugeMetricFamily(
            "seatrial_outbox_messages", "Messages not delivered, by state.", labels=["sink", "state"]
        )
        age = GaugeMetricFamily(
            "seatrial_outbox_oldest_age_seconds", "Age of the oldest waiting message.", labels=["sink"]
        )
        for depth in self._store.outbox.depth():
            if depth.sink in self._sinks_off or depth.state is MessageState.SENT:
                continue
            messages.add_metric([depth.sink, depth.state.value], depth.messages)
            if depth.state is MessageState.PENDING:
                age.add_metric([depth.sink], max(0.0, (self._now() - depth.oldest).total_seconds()))
        yield messages
        yield age


def _gauge(name: str, documentation: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, documentation, labels=[*_OF_RUN, *labels])


def _latest(runs: list[RecordedRun]) -> list[Metric]:
    """What the latest run of each experiment on each target measured."""
    last = _gauge("seatrial_last_run_timestamp_seconds", "When its latest run started.")
    verdict = _gauge("seatrial_run_verdict", "1 for the verdict of the latest run.", "verdict")
    objective = _gauge(
        "seatrial_objective_verdict", "1 for the verdict on an objective.", "objective", "verdict"
    )
    lower = _gauge("seatrial_downtime_lower_seconds", "Longest downtime clients saw: at least this.")
    upper = _gauge("seatrial_downtime_upper_seconds", "Longest downtime clients saw: at most this.")
    budget = _gauge("seatrial_objective_target", "What was promised.", "objective", "unit")
    not_undone = _gauge("seatrial_faults_not_undone", "Steps of the latest run that are left behind.")
    late_p99 = _gauge(
        "seatrial_generator_lateness_p99_seconds", "How late 1 % of requests were sent, at least."
    )
    late_max = _gauge("seatrial_generator_lateness_max_seconds", "How late a request was sent at most.")
    dropped = _gauge("seatrial_generator_dropped_arrivals", "Arrivals that were never sent.")
    for run in runs:
        labels = [run.experiment, run.target]
        last.add_metric(labels, run.started_at.timestamp())
        for each in Verdict:
            verdict.add_metric([*labels, each.value], float(run.verdict is each))
        for found in run.result["objectives"]:
            for each in Verdict:
                kept = float(found["verdict"] == each.value)
                objective.add_metric([*labels, found["name"], each.value], kept)
            budget.add_metric([*labels, found["name"], found["unit"]], found["target"])
        not_undone.add_metric(labels, sum(map(_is_left_behind, run.result["steps"])))
        measured: dict[str, Any] | None = run.result["measurement"]
        if measured is None:
            continue
        generator = measured["generator"]
        if generator["sent"]:  # else nothing is known of the service, and no downtime would be a claim
            perceived = [outage["perceived"] for outage in measured["outages"]]
            lower.add_metric(labels, max((each["lower_s"] for each in perceived), default=0.0))
            upper.add_metric(labels, max((_upper_s(each) for each in perceived), default=0.0))
        for gauge, key, unit in (
            (late_p99, "late_p99_ms", 1000),
            (late_max, "late_max_ms", 1000),
            (dropped, "dropped", 1),
        ):
            if generator[key] is not None:
                gauge.add_metric(labels, generator[key] / unit)
    return [
        last, verdict, objective, budget, lower, upper, not_undone, late_p99, late_max, dropped,
        *_noticing(runs), *_costs(runs),
    ]  # fmt: skip


def _noticing(runs: list[RecordedRun]) -> list[Metric]:
    """How soon each fault of the latest runs was noticed, and how soon all was well again, where known."""
    families: list[Metric] = []
    for key, name, what, names in (
        ("detect", "seatrial_detection", "From a fault until an alert told of it", ("step", "alert")),
        ("recover", "seatrial_recovery", "From a fault until all was well again", ("step",)),
    ):
        lower = _gauge(f"{name}_lower_seconds", f"{what}: at least this.", *names)
        upper = _gauge(f"{name}_upper_seconds", f"{what}: at most this.", *names)
        for run in runs:
            told = {
                tuple(each[label] for label in names): each[key] for each in run.result.get("detections", ())
            }
            for labels, found in told.items():
                if found is not None:
                    lower.add_metric([run.experiment, run.target, *labels], found["lower_s"])
                    upper.add_metric([run.experiment, run.target, *labels], _upper_s(found))
        families += [lower, upper]
    return families


def _costs(runs: list[RecordedRun]) -> list[Metric]:
    """What the latest runs cost, of targets that have a price; what is unknown is left out."""
    families: list[Metric] = []
    for key, name, what in (
        ("lower", "seatrial_run_cost_lower", "What the latest run cost: at least this."),
        ("upper", "seatrial_run_cost_upper", "What the latest run cost: at most this."),
        ("per_million_lower", "seatrial_million_requests_cost_lower", "A million requests: at least this."),
        ("per_million_upper", "seatrial_million_requests_cost_upper", "A million requests: at most this."),
    ):
        gauge = _gauge(name, what, "currency")
        for run in runs:
            cost = run.result.get("cost")
            if cost is not None and cost[key] is not None:
                gauge.add_metric([run.experiment, run.target, cost["currency"]], cost[key])
        families.append(gauge)
    return families


def _upper_s(bounds: dict[str, Any]) -> float:
    """An outage whose end was never seen has no upper bound; JSON has no word for that but null."""
    return math.inf if bounds["upper_s"] is None else float(bounds["upper_s"])


_STEP = TypeAdapter(StepRecord)


def _is_left_behind(step: dict[str, Any]) -> bool:
    return _STEP.validate_python(step).left_behind
