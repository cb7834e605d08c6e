"""When alerts began to fire, read from the looks at a source: what alert-fired and alert-silent share. Pure.

    look:      ○────────○────────●────────●          ○ not firing   ● firing
                       a└────────┘b                  it began between a, when the last look
                                                      without it began, and b, when the first with it ended

Both instants are on our own clock, so no clock of others is believed. What an alert tells of itself can only
move `a` forwards: it cannot fire before it says that it became active. For that its source's clock is held
against ours: every answer carries whole seconds of it, so each says that the difference lies in an interval
of a second and some, and all intervals together leave a few hundredths (`clock_ahead`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from seatrial.model.alerts import AlertsSeen, FiringAlert
from seatrial.model.figures import instant, seconds
from seatrial.model.looks import Blind, Look
from seatrial.model.problems import nearest
from seatrial.model.result import Bounds

Looks = Sequence[Look[AlertsSeen]]

OFTEN_S = 5.0
"""A group that is evaluated as often as this is evaluated between any two times that it is asked for."""


@dataclass(frozen=True, slots=True)
class Firing:
    """One time that an alert fired. It began within `began`: from -∞ when the first look saw it already."""

    alert: FiringAlert
    began: Bounds
    last_s: float  # asked for by the last look in a row that saw it


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which alerts are meant: by name, by labels (each of them as written), or both."""

    name: str | None
    labels: Mapping[str, str]

    def __str__(self) -> str:
        return " ".join(filter(None, (self.name or "", written(self.labels)))) or "any alert"

    def meets(self, alert: FiringAlert) -> bool:
        """Whether an alert is one of them."""
        return self.name in (None, alert.name) and all(
            alert.labels.get(key) == value for key, value in self.labels.items()
        )


def written(labels: Mapping[str, str]) -> str:
    """Labels as people write them; empty for none."""
    shown = ", ".join(f"{key}={value}" for key, value in sorted(labels.items()))
    return f"{{{shown}}}" if shown else ""


def answered(looks: Looks) -> list[tuple[Look[AlertsSeen], AlertsSeen]]:
    """The looks that were answered, with what they saw."""
    return [(look, look.seen) for look in looks if look.seen is not None]


def firings(looks: Looks, wanted: Wanted, zero_wall_s: float) -> list[Firing]:
    """Each time that one of the wanted alerts fired, in the order in which they were seen.

    `zero_wall_s`: the looks' instant 0 in seconds since 1970, by our clock.
    """
    ahead = clock_ahead(looks, zero_wall_s)
    found: list[Firing] = []
    going: dict[object, int] = {}  # identity → its place in `found`
    before_s = -math.inf
    for look, seen in answered(looks):
        now = {alert.identity: alert for alert in seen.firing if wanted.meets(alert)}
        for identity, alert in now.items():
            if identity in going:
                firing = found[going[identity]]
                found[going[identity]] = Firing(firing.alert, firing.began, look.asked_s)
                continue
            lower_s = max(before_s, _active_s(alert, ahead, zero_wall_s))
            going[identity] = len(found)
            found.append(Firing(alert, Bounds(min(lower_s, look.answered_s), look.answered_s), look.asked_s))
        going = {identity: place for identity, place in going.items() if identity in now}
        before_s = look.asked_s
    return found


def clock_ahead(looks: Looks, zero_wall_s: float) -> tuple[float, float]:
    """By how many seconds the source's clock is ahead of ours: an interval, ±∞ where nothing is known.

    An answer of C whole seconds was given at some instant between `asked` and `answered`, and its clock then
    showed something in [C, C + 1): it was ahead by more than C - answered and by less than C + 1 - asked.
    """
    lower, upper = -math.inf, math.inf
    for look, seen in answered(looks):
        if seen.clock_epoch_s is not None:
            lower = max(lower, seen.clock_epoch_s - (zero_wall_s + look.answered_s))
            upper = min(upper, seen.clock_epoch_s + 1 - (zero_wall_s + look.asked_s))
    return (lower, upper) if lower <= upper else (-math.inf, math.inf)  # a clock that was set meanwhile


def _active_s(alert: FiringAlert, ahead: tuple[float, float], zero_wall_s: float) -> float:
    """The earliest instant of our clock at which the alert can have become active; -∞: nobody knows."""
    if alert.since_epoch_s is None or not math.isfinite(ahead[1]):
        return -math.inf
    return alert.since_epoch_s - ahead[1] - zero_wall_s


def not_evaluated(looks: Looks, wanted: Wanted) -> Iterator[str]:
    """Why a source's silence proves nothing: rules that may be meant and were not evaluated."""
    for _, seen in answered(looks):
        for name, why in (seen.rules or {}).items():
            if why and wanted.name in (None, name):
                yield f"the rule {name} is not well: {why}"


def never_evaluated(looks: Looks, wanted: Wanted, begin_s: float, end_s: float) -> Iterator[str]:
    """Why a source's silence proves nothing: rules that may be meant and that nobody evaluated meanwhile.

    An evaluation that is newer than at the look before took place between these two looks, wherever the
    source's clock stands. Both must lie in the time that is judged; of a group that is evaluated at least as
    often as it is asked for, it is enough that they reach into it.
    """
    told = [(look, seen) for look, seen in answered(looks) if seen.evaluations]
    groups = {name: group for _, seen in told for name, group in seen.evaluations.items()}
    for name, group in groups.items():
        if not any(_may_be_meant(rule, told[-1][1], wanted) for rule in group.rules):
            continue
        steps = [
            (before.asked_s, after.answered_s)
            for (before, then), (after, now) in pairwise(told)
            if name in then.evaluations
            and name in now.evaluations
            and then.evaluations[name].last != now.evaluations[name].last
        ]
        often = group.interval_s <= OFTEN_S
        if not any(
            (begin_s <= from_s and to_s <= end_s) or (often and from_s < end_s and to_s > begin_s)
            for from_s, to_s in steps
        ):
            called = ", ".join(sorted(group.rules))
            yield (
                f"no evaluation of {called} is known in the {seconds(end_s - begin_s)} that are judged; its "
                f"group is evaluated every {seconds(group.interval_s)}: run longer than that, or more often"
            )


def unfed(looks: Looks, heartbeat: Wanted, begin_s: float, end_s: float) -> Iterator[str]:
    """Why a silence proves nothing: looks at which the alert that always fires did not."""
    for look, seen in answered(looks):
        if look.answered_s > begin_s and look.asked_s < end_s and not any(map(heartbeat.meets, seen.firing)):
            when = instant(look.asked_s)
            yield f"{heartbeat}, which always fires, did not at {when}: nobody would have told"


def untold(gap: Blind) -> str:
    """A stretch that nobody looked at, in words."""
    why = f" ({gap.why})" if gap.why else ""
    return f"from {instant(gap.begin_s)} to {instant(gap.end_s)} nobody answered who would know{why}"


def rules_of(looks: Looks) -> frozenset[str] | None:
    """The names of all rules that the source told of; None when it told of none at all."""
    told = [seen.rules for _, seen in answered(looks) if seen.rules is not None]
    return frozenset().union(*told) if told else None


def impossible(looks: Looks, wanted: Wanted) -> str:
    """Why no rule of the source can raise such an alert; empty where one can, or where nobody knows.

    A label that a rule does not give may come from the series that it looks at, and one that holds a template
    may be anything.
    """
    rules = rules_of(looks)
    if rules is not None and wanted.name is not None and wanted.name not in rules:
        return f"there is no rule called {wanted.name}{nearest(wanted.name, rules)}"
    latest = {name: each for _, seen in answered(looks) for name, each in seen.labels.items()}
    given = [labels for name, each in latest.items() if wanted.name in (None, name) for labels in each]
    if not given or any(_may_give(labels, wanted.labels) for labels in given):
        return ""
    return f"no rule gives an alert the labels {written(wanted.labels)}"


def _may_be_meant(rule: str, seen: AlertsSeen, wanted: Wanted) -> bool:
    given = seen.labels.get(rule, ())
    return wanted.name in (None, rule) and (
        not given or any(_may_give(labels, wanted.labels) for labels in given)
    )


def _may_give(labels: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    return all(
        "{{" in labels.get(key, value) or labels.get(key, value) == value for key, value in wanted.items()
    )
