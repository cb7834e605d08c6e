"""A service level objective as OpenSLO writes it (v1, kind SLO), and the objectives that it is to a run.

| of the file                                   | objective of a run                                      |
|-----------------------------------------------|---------------------------------------------------------|
| ratioMetric, target 0.999                     | errors: {max: 0.1%}                                     |
| thresholdMetric, op lte, value 0.9, target .95 | latency: {p95: 900ms}, if it is said to be a latency  |
| timeWindow and target of a ratioMetric        | the error budget that the run is held against           |

The queries of a file are not sent. A run has every request of its own clients and no metric of them, so its
good and total are those. What has no counterpart here is refused, for a promise that nobody judges would
pass: time slices are longer than runs, a composite has parts in other files, and a threshold has no unit.
What says nothing of a promise (descriptions, labels, who is alerted) is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from seatrial.model.document import Document, build
from seatrial.model.errorbudget import Allowance
from seatrial.model.experiment import ErrorsObjective, LatencyObjective
from seatrial.model.problems import BadInput, Path, Problem
from seatrial.model.quantities import Duration, Ratio
from seatrial.model.strict import Strict, as_tuple

LATENCY_IN = "seatrial/latency-in"  # the annotation that says what a threshold is a threshold of
_UNITS_S = {"ms": 1e-3, "s": 1.0}
_PERCENTILES = {0.5: "p50", 0.9: "p90", 0.95: "p95", 0.99: "p99"}
_WINDOW = re.compile(r"([1-9]\d{0,3})([mhdwMQY])")
_DAYS = {"m": 1 / 1440, "h": 1 / 24, "d": 1, "w": 7, "M": 30, "Q": 90, "Y": 365}
_MOST_DECIMALS = 12  # 1 − 0.999 is 0.0010000000000000009


def _window_s(value: object) -> object:
    """`30d` in seconds; a month has 30 days, a quarter 90 and a year 365, wherever they begin."""
    match = _WINDOW.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise PydanticCustomError("window", "is no duration as OpenSLO writes it, such as 30d, 4w or 1M")
    return int(match[1]) * _DAYS[match[2]] * 86_400.0


class _Open(Strict):
    """A mapping of the format; keys that it does not have are mistakes in it."""


class _Metadata(_Open):
    name: str
    displayName: Any = None  # noqa: N815  # the keys of the format
    labels: Any = None
    annotations: dict[str, str] = Field(default_factory=dict)


class _Ratio(_Open):
    counter: bool = True
    good: Any = None
    bad: Any = None
    total: Any = None
    rawType: Literal["success", "failure"] | None = None  # noqa: N815
    raw: Any = None


class _Threshold(_Open):
    metricSource: Any  # noqa: N815


class _IndicatorSpec(_Open):
    description: Any = None
    ratioMetric: _Ratio | None = None  # noqa: N815
    thresholdMetric: _Threshold | None = None  # noqa: N815


class _Indicator(_Open):
    metadata: _Metadata
    spec: _IndicatorSpec


class _Window(_Open):
    duration: Annotated[float, BeforeValidator(_window_s)]
    isRolling: bool | None = None  # noqa: N815
    calendar: Any = None


class _Objective(_Open):
    displayName: Any = None  # noqa: N815
    op: Literal["lte", "gte", "lt", "gt"] | None = None
    value: float | None = None
    target: float | None = Field(default=None, ge=0, lt=1)
    targetPercent: float | None = Field(default=None, ge=0, lt=100)  # noqa: N815
    timeSliceTarget: Any = None  # noqa: N815
    timeSliceWindow: Any = None  # noqa: N815
    indicator: Any = None
    indicatorRef: Any = None  # noqa: N815
    compositeWeight: Any = None  # noqa: N815


class _Spec(_Open):
    description: Any = None
    service: Any = None
    indicator: _Indicator | None = None
    indicatorRef: Any = None  # noqa: N815
    timeWindow: Annotated[tuple[_Window, ...], BeforeValidator(as_tuple)] = ()  # noqa: N815
    budgetingMethod: Literal["Occurrences", "Timeslices", "RatioTimeslices"] = "Occurrences"  # noqa: N815
    objectives: Annotated[tuple[_Objective, ...], BeforeValidator(as_tuple)]
    alertPolicies: Any = None  # noqa: N815


class _File(_Open):
    apiVersion: Literal["openslo/v1"]  # noqa: N815
    kind: Literal["SLO"]
    metadata: _Metadata
    spec: _Spec


@dataclass(frozen=True, slots=True)
class Slo:
    """What a file promises, in our words. `allowance`: None where no share in a window is promised."""

    name: str
    errors: ErrorsObjective | None
    latency: LatencyObjective | None
    allowance: Allowance | None


def slo_of(document: Document) -> Slo:
    """What the SLO in `document` is to a run. Raises BadInput with all of it that a run cannot judge."""
    file = build(_File, document)
    problems = [document.problem(path, message) for path, message in _unjudged(file)]
    shares, limits = dict[int, float](), dict[str, Duration]()
    if not problems:
        for index, objective in enumerate(file.spec.objectives):
            path: Path = ("spec", "objectives", index)
            try:
                shares[index] = _share(objective, document, path)
                if _threshold(file):
                    limits.update(_limit(file, objective, shares[index], limits, document, path))
            except BadInput as error:
                problems += error.problems
    if problems:
        raise BadInput(problems)
    if limits:
        return Slo(file.metadata.name, None, LatencyObjective.model_validate(limits), None)
    target = shares[0]
    errors = ErrorsObjective(max=Ratio(round(1 - target, _MOST_DECIMALS)))
    windows = file.spec.timeWindow
    allowance = Allowance(target, windows[0].duration, file.metadata.name) if windows else None
    return Slo(file.metadata.name, errors, None, allowance)


def _threshold(file: _File) -> bool:
    return file.spec.indicator is not None and file.spec.indicator.spec.thresholdMetric is not None


def _unjudged(file: _File) -> Iterator[tuple[Path, str]]:
    """What of a file's form a run cannot judge, and why."""
    spec = file.spec
    if spec.indicatorRef is not None:
        yield ("spec", "indicatorRef"), "is in another file; write the indicator itself in its place"
    elif spec.indicator is None:
        yield ("spec",), "has no indicator, so nobody knows what it is about"
    else:
        metrics = spec.indicator.spec
        if (metrics.ratioMetric is None) == (metrics.thresholdMetric is None):
            yield ("spec", "indicator", "spec"), "needs either a ratioMetric or a thresholdMetric"
    if spec.budgetingMethod != "Occurrences":
        told = "counts time slices, of which a run has too few; requests can be judged: Occurrences"
        yield ("spec", "budgetingMethod"), told
    if not spec.objectives:
        yield ("spec", "objectives"), "must not be empty"
    if len(spec.timeWindow) > 1:
        yield ("spec", "timeWindow", 1), "an SLO has one time window"
    if len(spec.objectives) > 1 and not _threshold(file):
        yield ("spec", "objectives", 1), "is about the same ratio as the first; write the one to be judged"
    yield from _of_several(spec.objectives)


def _of_several(objectives: tuple[_Objective, ...]) -> Iterator[tuple[Path, str]]:
    for index, objective in enumerate(objectives):
        for key in ("indicator", "indicatorRef", "compositeWeight", "timeSliceTarget", "timeSliceWindow"):
            if getattr(objective, key) is not None:
                what = "time slices" if key.startswith("timeSlice") else "a composite of several indicators"
                yield ("spec", "objectives", index, key), f"is of {what}, which a run cannot judge"


def _share(objective: _Objective, document: Document, path: Path) -> float:
    """The share of requests that must be good. Raises BadInput."""
    if (objective.target is None) == (objective.targetPercent is None):
        raise BadInput(document.problem(path, "needs either a target or a targetPercent"))
    if objective.target is not None:
        return objective.target
    assert objective.targetPercent is not None
    return round(objective.targetPercent / 100, _MOST_DECIMALS)


def _limit(
    file: _File,
    objective: _Objective,
    share: float,
    others: dict[str, Duration],
    document: Document,
    path: Path,
) -> dict[str, Duration]:
    """The percentile that a threshold limits. Raises BadInput where it limits none that a run has."""
    found: list[Problem] = []
    unit_s = _UNITS_S.get(file.metadata.annotations.get(LATENCY_IN, ""))
    if unit_s is None:
        told = "does not say that it is a latency, nor in what: write into the SLO's metadata"
        place: Path = ("spec", "indicator", "spec", "thresholdMetric")
        found.append(document.problem(place, f"{told}: annotations: {{{LATENCY_IN}: ms}} (or s)"))
    if objective.op not in ("lte", "lt"):
        place = (*path, "op") if document.has((*path, "op")) else path
        found.append(document.problem(place, "a latency has an upper limit alone: op: lte"))
    if objective.value is None or objective.value <= 0:
        place = (*path, "value") if document.has((*path, "value")) else path
        found.append(document.problem(place, "a latency's limit is a value above 0"))
    percentile = _PERCENTILES.get(share)
    if percentile is None or percentile in others:
        why = "another objective limits the same" if percentile else "a run has no such percentile"
        known = ", ".join(map(str, _PERCENTILES))
        key = "target" if objective.target is not None else "targetPercent"
        found.append(document.problem((*path, key), f"{why}; for a latency one each of {known}"))
    if found:
        raise BadInput(found)
    assert percentile is not None
    assert unit_s is not None
    assert objective.value is not None
    return {percentile: Duration(objective.value * unit_s)}
