"""What can be searched of a run, taken out of its result.

    result (RunResult as JSON) ──► columns of `runs`; rows of objectives, faults, checks …

The one place where that is done, for a run that has just ended, one that is imported, and those that are
there since before the tables were. Results of older versions lack keys, which are then not known.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter

from seatrial.model.noticing import Detection
from seatrial.model.result import StepRecord
from seatrial.store import schema

INDEX_VERSION = 2
"""Of what is taken out and how: rows of a smaller one are made anew when the database is next opened."""

_STEP = TypeAdapter(StepRecord)
_DETECTION = TypeAdapter(Detection)
Row = dict[str, Any]


def columns_of(result: Mapping[str, Any]) -> Row:
    """Columns of `runs`."""
    measured = result.get("measurement") or {}
    version = result.get("version") or {}
    cost = result.get("cost") or {}
    return {
        "indexed": INDEX_VERSION,
        "title": result.get("title", ""),
        "length_s": max(0.0, measured["end_s"] - measured["start_s"]) if measured else None,
        "offered_per_s": measured.get("generator", {}).get("offered_per_s"),
        "version_before": version.get("before"),
        "version_after": version.get("after"),
        "currency": cost.get("currency"),
        "cost_lower": cost.get("lower"),
        "cost_upper": cost.get("upper"),
        "per_million_lower": cost.get("per_million_lower"),
        "per_million_upper": cost.get("per_million_upper"),
    }


def rows_of(result: Mapping[str, Any]) -> dict[sa.Table, list[Row]]:
    """Rows of each table that belongs to a run."""
    whose = {"run": result["run"], "target": result["target"]}
    taken = {
        schema.objectives: _numbered(map(_objective, result.get("objectives", ()))),
        schema.faults: _numbered(_faults(result.get("steps", ()))),
        schema.checks: _numbered(
            {name: check[name] for name in ("name", "verdict", "detail")}
            for check in result.get("checks", ())
        ),
        schema.phases: _numbered(_phases(result.get("failovers", ()))),
        schema.detections: _numbered(_detections(result.get("detections", ()))),
        schema.requirements: [{"requirement": name} for name in dict.fromkeys(result.get("covers", ()))],
    }
    return {table: [whose | row for row in rows] for table, rows in taken.items()}


def _numbered(rows: Iterator[Row]) -> list[Row]:
    return [{"position": number} | row for number, row in enumerate(rows)]


def _objective(told: Mapping[str, Any]) -> Row:
    """JSON has no infinity: with a lower end alone, the end was never seen."""
    lower, upper = told["lower"], told["upper"]
    return {
        "name": told["name"],
        "promised": told["target"],
        "lower": lower,
        "upper": math.inf if upper is None and lower is not None else upper,
        "unit": told["unit"],
        "verdict": told["verdict"],
        "reason": told.get("reason", ""),
    }


def _faults(steps: Iterator[Mapping[str, Any]]) -> Iterator[Row]:
    for told in steps:
        step = _STEP.validate_python(told)
        if step.kind == "fault":
            yield {
                "name": step.name,
                "fault": step.does,
                "role": step.role,
                "injected_s": step.injected_s,
                "undone_s": step.undone_s,
                "verified": step.verified,
                "undo": step.undo_outcome.value,
            }


def _phases(failovers: Iterator[Mapping[str, Any]]) -> Iterator[Row]:
    for failover in failovers:
        for phase in failover["phases"]:
            yield {
                "step": failover["step"],
                "name": phase["name"],
                "begin_s": phase["begin_s"],
                "end_s": phase["end_s"],
                "source": phase.get("source", ""),
            }


def _detections(told: Iterator[Mapping[str, Any]]) -> Iterator[Row]:
    for each in told:
        one = _DETECTION.validate_python(each)
        yield {
            "step": one.step,
            "alert": one.alert,
            "source": one.source,
            "detect_lower_s": one.detect.lower_s if one.detect else None,
            "detect_upper_s": one.detect.upper_s if one.detect else None,
            "recover_lower_s": one.recover.lower_s if one.recover else None,
            "recover_upper_s": one.recover.upper_s if one.recover else None,
            "verdict": one.verdict.value,
        }
