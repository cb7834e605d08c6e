"""What a rate must keep to count as held, as a command line says it: `p95 < 900ms`, `errors < 0.1%`.

A service that refuses what is too much for it is quick about it, so a latency alone would hold at any rate.
Where no share of errors is promised, at most 1 % may be bad.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from seatrial.model.experiment import ErrorsObjective, LatencyObjective, Objectives
from seatrial.model.problems import nearest
from seatrial.model.quantities import Duration, Ratio

ERRORS = Ratio(0.01)
_LATENCIES = ("p50", "p90", "p95", "p99", "max")
_LIMIT = re.compile(r"\s*([a-z0-9]+)\s*(?:<=?|≤)\s*(\S+)\s*", re.ASCII)


def objectives_of(texts: Sequence[str]) -> Objectives:
    """What the texts promise together, each one or several with `and` between them. Raises ValueError.

    >>> objectives_of(["p95 < 900ms and errors < 0.1%"]).errors.max.fraction
    0.001
    """
    latencies: dict[str, Duration] = {}
    errors: Ratio | None = None
    for limit in (part for text in texts for part in re.split(r"\band\b|,", text)):
        found = _LIMIT.fullmatch(limit)
        if found is None:
            raise ValueError(
                f"'{limit.strip()}' is no objective; write it like 'p95 < 900ms' or 'errors < 1%'"
            )
        name, value = found[1], found[2]
        if name == "errors" and errors is None:
            errors = Ratio.parse(value)
        elif name in _LATENCIES and name not in latencies:
            latencies[name] = Duration.parse(value)
        elif name == "errors" or name in latencies:
            raise ValueError(f"'{name}' is limited twice")
        else:
            known = [*_LATENCIES, "errors"]
            raise ValueError(f"'{name}' is not one of {', '.join(known)}{nearest(name, known)}")
    return Objectives(
        latency=LatencyObjective(**latencies) if latencies else None,
        errors=ErrorsObjective(max=errors) if errors is not None else None,
    )


def with_errors(objectives: Objectives) -> Objectives:
    """The same, with a limit of the errors if they have none."""
    if objectives.errors is not None:
        return objectives
    return objectives.model_copy(update={"errors": ErrorsObjective(max=ERRORS)})


def told(objectives: Objectives) -> tuple[str, ...]:
    """Each promise in a few words, as reports show it."""
    latency = objectives.latency.limits() if objectives.latency else {}
    found = [f"{name} <= {limit}" for name, limit in latency.items()]
    found += [f"errors <= {objectives.errors.max}"] if objectives.errors else []
    found += [f"throughput >= {objectives.throughput.min}"] if objectives.throughput else []
    for what in ("downtime", "recovery"):
        for each in getattr(objectives, what):
            whose = " per tenant" if what == "downtime" and each.per else ""
            found.append(f"{what}{whose}{f' after {each.after}' if each.after else ''} <= {each.max}")
    return tuple(found)
