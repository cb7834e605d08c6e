"""What a monitoring told at one look: the alerts that fired then, and the rules that it has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class FiringAlert:
    """An alert that fires. `since_epoch_s`: since when, by its source's own clock; None: it does not say."""

    name: str
    labels: Mapping[str, str]
    since_epoch_s: float | None = None

    @property
    def identity(self) -> tuple[str, tuple[tuple[str, str], ...]]:
        """What tells it from others: its name and all its labels."""
        return self.name, tuple(sorted(self.labels.items()))


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Of a group of rules: its last evaluation, as its source writes it, and how often it has to be."""

    last: str
    interval_s: float
    rules: frozenset[str]


@dataclass(frozen=True, slots=True)
class AlertsSeen:
    """What a source said at one look."""

    firing: tuple[FiringAlert, ...]
    # Each rule's name, and why it is not evaluated ("" when it is). None: such a source knows of no rules.
    rules: Mapping[str, str] | None = None
    clock_epoch_s: int | None = None  # whole seconds that its clock showed; None: it does not say
    # The labels that each rule of a name gives its alerts, as written; empty: such a source does not tell.
    labels: Mapping[str, tuple[Mapping[str, str], ...]] = field(default_factory=dict)
    # By group of rules, only of a look at which that was asked; empty: not asked, or no such source.
    evaluations: Mapping[str, Evaluation] = field(default_factory=dict)
