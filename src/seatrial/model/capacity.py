"""How a search for capacity is called on record, where runs, matrix and comparisons find it.

It is a run of an experiment of its own, `<experiment>-capacity`: a run of the experiment itself is another
thing. Its one objective names the promise, `capacity at p95 <= 900ms, errors <= 1%`, since a rate that holds
means nothing without what held: neither the matrix nor a comparison takes one promise for another.
"""

from __future__ import annotations

from collections.abc import Iterable

_AT = "capacity at "


def name_of(experiment: str) -> str:
    """Under which name searches of an experiment are on record."""
    return f"{experiment}-capacity"


def objective_of(promises: Iterable[str]) -> str:
    """The name of the objective."""
    return _AT + ", ".join(promises)


def promise_in(objective: str) -> str:
    """What must hold, of an objective's name; "" for an objective of any other kind."""
    return objective.removeprefix(_AT) if objective.startswith(_AT) else ""
