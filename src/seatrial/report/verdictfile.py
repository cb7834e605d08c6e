"""`verdict.json`: what scripts read of a run, and what a run is read back from.

The first keys are a contract: their names and meanings stay. `steps` and `measurement` hold the rest,
so that a report can be made again from the file. An unbounded value is null,
and so is one that was not measured.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from seatrial.model.problems import BadInput, Location, Problem
from seatrial.model.result import Measurement, RunResult, plain

_RESULT = TypeAdapter(RunResult)


def measured_document(measurement: Measurement) -> dict[str, Any]:
    """The measuring part: what `seatrial measure --json` prints."""
    audit = measurement.generator
    outages = measurement.outages if audit.sent else ()  # of a service that was never asked none is known
    return {
        "outages": [
            {
                "name": outage.name,
                "start_s": outage.start_s,
                "perceived": plain(outage.perceived),
                "server": plain(outage.server),
                "bad": outage.bad,
                "runs": outage.runs,
                "equivalent_s": outage.equivalent_s,
            }
            for outage in outages
        ],
        **_lengths(measurement),
        "silences": plain(measurement.silences),
        "exactness": plain(measurement.exact),
        "latency": plain(measurement.latency),
        "tenants": plain(measurement.tenants if audit.sent else ()),
        "generator": {
            "scheduled": audit.scheduled,
            "sent": audit.sent,
            "answered": audit.answered,
            "dropped": audit.dropped,
            "unanswered": audit.unanswered,
            "late_p50_ms": plain(audit.late_p50_ms),
            "late_p99_ms": plain(audit.late_p99_ms),
            "late_max_ms": plain(audit.late_max_ms),
            "scenario_errors": audit.scenario_errors,
            "arrivals": audit.arrivals,
            "arrivals_per_s": audit.arrivals_per_s,
            "requests_per_s": audit.offered_per_s,
            "requests_per_arrival": audit.requests_per_arrival,
            "workers": audit.workers,
        },
    }


def _lengths(measurement: Measurement) -> dict[str, float | None]:
    """All null if no request was sent: then nothing is known of the service."""
    found = {
        "degraded_s": measurement.degraded_s,
        "completion_gap_s": plain(measurement.completion_gap.lower_s),
        "equivalent_outage_s": measurement.equivalent_outage_s,
    }
    return found if measurement.generator.sent else dict.fromkeys(found)


def verdict_document(result: RunResult) -> dict[str, Any]:
    """Everything that is known of a run, as JSON-ready data."""
    faults = [step for step in result.steps if step.kind == "fault"]
    return {
        "run": result.run,
        "experiment": result.experiment,
        "title": result.title,
        "target": result.target,
        "verdict": result.verdict.value,
        "reasons": list(result.reasons),
        "started_at": result.started_at,
        "interrupted": result.interrupted,
        "covers": list(result.covers),
        "objectives": plain(result.objectives),
        **(measured_document(result.measurement) if result.measurement else {}),
        "faults": [
            {
                "name": step.name,
                "fault": step.does,
                "role": step.role,
                "injected_s": step.injected_s,
                "undone_s": step.undone_s,
                "verified": step.verified,
                "undo": step.undo_outcome.value,
                "by_hand": step.by_hand,
                "observed_s": step.observed_s,
            }
            for step in faults
        ],
        "checks": plain(result.checks),
        "failovers": plain(result.failovers),
        "detections": plain(result.detections),
        "replication": plain(result.replication),
        "scenario": plain(result.scenario),
        "load": plain(result.load),
        "version": plain(result.version),
        "zero_at": result.zero_at,
        "error_budget": plain(result.error_budget),
        "cost": plain(result.cost),
        "evidence": dict(result.evidence),
        "steps": plain(result.steps),
        "measurement": plain(result.measurement),
    }


def read_verdict(text: str, file: str) -> RunResult:
    """The run that a `verdict.json` tells of. Raises BadInput when the text is none."""
    try:
        data: Mapping[str, Any] = json.loads(text)
        fields = {name: data[name] for name in _RESULT_FIELDS if name in data or name not in _LATER_FIELDS}
        return _RESULT.validate_python(fields)
    except json.JSONDecodeError as error:
        place = Location(file, error.lineno, error.colno)
        raise BadInput(Problem(f"not valid JSON: {error.msg}", place)) from error
    except (KeyError, TypeError, ValidationError, RecursionError) as error:
        reason = f"no key {error}" if isinstance(error, KeyError) else "its values are not those of a run"
        raise BadInput(Problem(f"not a run's verdict: {reason}", Location(file))) from error


_RESULT_FIELDS = tuple(RunResult.__slots__)
_LATER_FIELDS = (
    "failovers",
    "detections",
    "replication",
    "scenario",
    "load",
    "version",
    "error_budget",
    "cost",
    "zero_at",
)  # which files of older runs do not have
