"""Which rate is tried next, and what is known so far: bracketing, bisection, and repeats where they count.

    from ─×2─► ─×2─► ─×2─► broken          doubled until it breaks (or halved until it holds)
                       [held ────── broken]
                       ▲  ▲  around what was answered well at the broken rate, if that lies between: a
                             service that is full mostly goes on to carry what it can
                            ▲ else the middle, by ratio, again and again: the interval shrinks to `width`
                       both ends are tried again until most of their trials say the same

A trial is noisy: one hiccup breaks a rate that holds on any other day. So a first answer only leads the way,
and the two ends that are told at last rest each on a majority of `repeats` trials. An end that its repeats
overturn is no end any more, and the search goes on from what is then known.

Four things can come of a trial, and none is taken for another:

    held        the promise was kept, proven as for any run
    broken      it was broken, proven as well: this alone is a limit of the service
    generator   the load generator dropped arrivals or was late: the service was not asked that much
    unknown     anything else; a rate whose trials do not agree is told as undecided, inside the interval
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise


class Outcome(StrEnum):
    """What came of one trial."""

    HELD = "held"
    BROKEN = "broken"
    GENERATOR = "generator"
    UNKNOWN = "unknown"


class Stop(StrEnum):
    """Why a search is over."""

    FOUND = "found"
    HIGHEST = "highest"  # the highest rate that was to be tried holds
    GENERATOR = "generator"  # the generator and not the service is the limit
    UNDECIDED = "undecided"  # trials between the ends do not agree
    LOWEST = "lowest"  # no rate holds, however low
    BUDGET = "budget"  # of time; or somebody asked for the end
    WORKERS = "workers"  # a machine of load workers could not be had again
    CHANGED = "changed"  # a file that trials are made of: the next would be of something else
    LEFT_BEHIND = "left-behind"  # a trial left the target changed: the next would measure something else


@dataclass(frozen=True, slots=True)
class Tried:
    """One trial: the rate that was offered, in arrivals a second, and what came of it.

    `carried_per_s`: what was answered well of it, if that is known. It leads the search and decides nothing.
    """

    rate_per_s: float
    outcome: Outcome
    carried_per_s: float | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """Where a search begins and what it is content with."""

    from_per_s: float
    to_per_s: float = math.inf
    width: float = 0.1  # the interval may be so wide, as a share of its lower end
    repeats: int = 3  # a rate is decided by the majority of so many trials

    @property
    def majority(self) -> int:
        """How many trials of a rate must say the same."""
        return self.repeats // 2 + 1


_LOWEST = 1 / 64  # of `from`: what breaks there has no capacity worth the name
_MOST_SHARE = 1e-3  # a rate is rounded to so much of itself, for people


@dataclass(frozen=True, slots=True)
class Standing:
    """What the trials of one rate say together. `settled`: no further trial of it can be wanted."""

    rate_per_s: float
    lead: Outcome | None  # None: no outcome leads yet
    settled: bool
    trials: int


@dataclass(frozen=True, slots=True)
class Known:
    """The interval so far, in arrivals a second: the highest rate that held, the lowest that did not.

    `lower_per_s` is None as long as nothing held. `upper_per_s` is None as long as nothing was broken:
    then the capacity is at least `lower_per_s`, whatever ended the search. `generator_per_s`: the lowest rate
    above the interval's lower end that the generator could not offer, if there is one.
    """

    lower_per_s: float | None
    upper_per_s: float | None
    generator_per_s: float | None
    undecided_per_s: tuple[float, ...] = ()


def standing(trials: Sequence[Tried], settings: Settings) -> tuple[Standing, ...]:
    """Each rate that was tried, in ascending order."""
    rates = sorted({trial.rate_per_s for trial in trials})
    return tuple(
        _standing(rate, [trial.outcome for trial in trials if trial.rate_per_s == rate], settings)
        for rate in rates
    )


def known(trials: Sequence[Tried], settings: Settings, *, settled: bool = True) -> Known:
    """The interval as it stands. `settled`: by the rates alone that are decided by a majority."""
    rates = [each for each in standing(trials, settings) if each.settled or not settled]
    broken = min(_of(rates, Outcome.BROKEN), default=None)
    held = [rate for rate in _of(rates, Outcome.HELD) if broken is None or rate < broken]
    lower = max(held, default=None)
    floor, top = lower or 0.0, math.inf if broken is None else broken
    generator = [rate for rate in _of(rates, Outcome.GENERATOR) if floor < rate < top]
    undecided = [
        each.rate_per_s
        for each in standing(trials, settings)
        if floor < each.rate_per_s < top and each.settled and each.lead in (None, Outcome.UNKNOWN)
    ]
    return Known(lower, broken, min(generator, default=None), tuple(undecided))


def next_rate(trials: Sequence[Tried], settings: Settings) -> float | Stop:
    """The rate to try next, or why the search is over."""
    rates = standing(trials, settings)
    if not rates:
        return settings.from_per_s
    for each in rates:
        if not each.settled and each.lead not in (Outcome.HELD, Outcome.BROKEN):
            return each.rate_per_s  # of the service it has said nothing
    now = known(trials, settings, settled=False)
    ceiling = min((end for end in (now.upper_per_s, now.generator_per_s) if end is not None), default=None)
    carried = [
        trial.carried_per_s
        for trial in trials
        if trial.rate_per_s == ceiling and trial.outcome is Outcome.BROKEN and trial.carried_per_s is not None
    ]
    further = _further(rates, now, ceiling, min(carried, default=None), settings)
    if not isinstance(further, Stop):
        return further
    ends = {now.lower_per_s, ceiling}
    for each in rates:
        if each.rate_per_s in ends and not each.settled:
            return each.rate_per_s
    return further


def _further(
    rates: Sequence[Standing], now: Known, ceiling: float | None, carried: float | None, settings: Settings
) -> float | Stop:
    """The next rate that brackets or bisects; where there is none, why."""
    if ceiling is None:
        return _higher(rates, now, settings)
    if now.lower_per_s is None:
        halved = rounded(rates[0].rate_per_s / 2)
        return halved if halved >= settings.from_per_s * _LOWEST else Stop.LOWEST
    return _around(now.lower_per_s, carried, ceiling, now, settings) or _between(
        now.lower_per_s, ceiling, now, settings
    )


def _higher(rates: Sequence[Standing], now: Known, settings: Settings) -> float | Stop:
    """Nothing is in the way yet: twice as much. Once past trials that did not agree, never past unknown ones.

    A service of which no trial can tell anything would be offered more and more, without an end.
    """
    last, *before = rates[:-3:-1]
    if last.lead is Outcome.UNKNOWN or (last.lead is None and any(each.lead is None for each in before)):
        return Stop.UNDECIDED
    highest = last.rate_per_s
    if highest < settings.to_per_s:
        return min(rounded(2 * highest), settings.to_per_s)
    return Stop.HIGHEST if now.lower_per_s == highest else Stop.UNDECIDED


def _around(
    lower: float, carried: float | None, ceiling: float, now: Known, settings: Settings
) -> float | None:
    """An end, just so far from what was carried at `ceiling` that the other fits; None where none is left."""
    wide = 1 + settings.width
    if carried is None or now.undecided_per_s or not lower < carried < ceiling or ceiling <= lower * wide:
        return None
    below, above = rounded(carried / math.sqrt(wide)), rounded(lower * wide * (1 - _MOST_SHARE))
    wanted = below if below > lower else above
    return wanted if lower < wanted < ceiling and (wanted == below or wanted > carried) else None


def _between(lower: float, ceiling: float, now: Known, settings: Settings) -> float | Stop:
    """The middle of the widest gap: an undecided rate is the end of a gap, and no end of the interval."""
    if ceiling <= lower * (1 + settings.width):
        return Stop.FOUND if ceiling == now.upper_per_s else Stop.GENERATOR
    undecided = [rate for rate in now.undecided_per_s if rate < ceiling]
    below, above = max(pairwise([lower, *undecided, ceiling]), key=lambda gap: gap[1] / gap[0])
    middle = rounded(math.sqrt(below * above))
    if above <= below * (1 + settings.width) or not below < middle < above:
        return Stop.UNDECIDED if undecided else Stop.FOUND
    return middle


def rounded(rate_per_s: float) -> float:
    """A rate that people can read, within a thousandth of the one that is meant."""
    step = 10.0 ** math.floor(math.log10(rate_per_s * _MOST_SHARE))
    return float(round(round(rate_per_s / step) * step, 9))


def _standing(rate_per_s: float, outcomes: Sequence[Outcome], settings: Settings) -> Standing:
    (first, count), *others = Counter(outcomes).most_common()
    lead = first if not others or count > others[0][1] else None
    settled = count >= settings.majority or len(outcomes) >= settings.repeats
    if settled and count < settings.majority:
        lead = None
    return Standing(rate_per_s, lead, settled, len(outcomes))


def _of(rates: Sequence[Standing], outcome: Outcome) -> list[float]:
    return [each.rate_per_s for each in rates if each.lead is outcome]
