"""Asks how much of what has a price a target uses, before a run and after it, and what the run cost by that.

That it does not tell fails nothing: the cost is unknown then, with the reason.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from seatrial.drivers.launch import answer_of
from seatrial.drivers.prometheus import PrometheusBinding
from seatrial.drivers.timeseries import value_now
from seatrial.model.pricing import CostPart, Pricing, RunCost, UsageSource
from seatrial.model.problems import BadInput, Problem, Problems, SeatrialError, Unavailable, translating
from seatrial.model.problems import Path as KeyPath
from seatrial.model.requestlog import RequestLog
from seatrial.model.role import Role
from seatrial.run.roles import Roles

EVENT = "target.usage"

Told = Mapping[str, Mapping[str, Any]]  # "before", "after" → what was told of instances and gb
Note = Callable[..., None]  # event, details


class UsageQuestions:
    """How much a target uses. `roles`: those that are asked, by name; `note` is told of each answer."""

    def __init__(
        self, pricing: Pricing | None, whole: Role | None, roles: Mapping[str, Role], note: Note
    ) -> None:
        self._pricing = pricing
        self._whole = whole
        self._roles = roles
        self._note = note
        self.told: dict[str, Mapping[str, Any]] = {}

    def ask(self, when: str) -> None:
        """Ask it. `when`: "before" or "after"."""
        if self._pricing is None or self._whole is None:
            return
        answers: dict[str, Any] = {"when": when}
        for name, source in self._pricing.sources():
            try:
                with translating(f"how many {name} are used"):
                    answers[name] = self._asked(source, self._whole)
            except SeatrialError as error:
                answers[name], answers[f"{name}_why"] = None, str(error)
        self.told[when] = answers
        self._note(EVENT, **answers)

    def _asked(self, source: UsageSource, whole: Role) -> float:
        if source.count is not None:
            return float(source.count)
        if source.promql:
            return _amount(value_now(self._roles[source.on], source.promql, source.within.seconds))
        program = whole.resolved(list(source.command))
        answer = answer_of(program, directory=Path(whole.directory), within_s=source.within.seconds)
        line = next(iter(answer.strip().splitlines()), "")
        try:
            return _amount(float(line))
        except ValueError as error:
            raise Unavailable(f"{program[0]} printed '{line[:40]}', which is no number") from error


def _amount(value: float) -> float:
    if not math.isfinite(value) or value < 0:
        raise Unavailable(f"{value:g} is no amount of anything")
    return value


def told_in(events: Iterable[Mapping[str, Any]]) -> Told:
    """The same from the events of a run's journal."""
    return {event["when"]: event for event in events}


def cost_of(pricing: Pricing | None, told: Told, log: RequestLog, end_s: float) -> RunCost | None:
    """What the load until `end_s` cost, warm-up included; None without a price, or where nothing was sent."""
    log = log[log.intended < end_s]
    sent = int(np.count_nonzero(~np.isnan(log.sent)))
    if pricing is None or not sent:
        return None
    answered = int(np.count_nonzero(~np.isnan(log.ended)))
    hours = (end_s - float(log.intended.min())) / 3600
    parts = []
    if pricing.instance_hour is not None:
        ends, why = _ends("instances", told)
        lower, upper = (None, None) if why else (min(ends) * hours, max(ends) * hours)
        parts.append(CostPart("instance_hours", pricing.instance_hour, lower, upper, why))
    if pricing.million_requests is not None:
        parts.append(CostPart("requests", pricing.million_requests / 1e6, answered, sent))
    if pricing.gb_price is not None and pricing.gb is not None:
        parts.append(_gigabytes(pricing.gb_price, pricing.gb, told))
    return RunCost.of(pricing.currency, tuple(parts), answered, sent)


def _gigabytes(price: float, source: UsageSource, told: Told) -> CostPart:
    if source.count is not None:
        return CostPart("gb", price, float(source.count), float(source.count))
    ends, why = _ends("gb", told)
    if not why and ends[1] < ends[0]:
        why = f"the counter of gigabytes fell from {ends[0]:g} to {ends[1]:g} during the run"
    if why:
        return CostPart("gb", price, None, None, why)
    return CostPart("gb", price, ends[1] - ends[0], ends[1] - ends[0])


def bind_usage(roles: Roles, problems: Problems) -> dict[str, Role]:
    """Who is asked for what has a price, by name; what is wrong with them goes to `problems`."""
    found: dict[str, Role] = {}
    for name, source in roles.target.cost.sources() if roles.target.cost else ():
        if not source.promql:
            continue
        place: KeyPath = ("cost", name, "on")
        try:
            role = roles.named(source.on)
        except BadInput as error:
            problems.add(*(roles.placed(problem.under(place)) for problem in error.problems))
            continue
        if role.driver != PrometheusBinding.driver:
            told = f"the role '{source.on}' is bound to driver '{role.driver}', not to prometheus"
            problems.add(roles.placed(Problem(told, path=place)))
        problems.add(*roles.not_allowed(role))
        found[source.on] = role
    return found


def _ends(name: str, told: Told) -> tuple[tuple[float, ...], str]:
    """What was told before and after, or why one of the two is not known."""
    for when in ("before", "after"):
        answer = told.get(when, {})
        if answer.get(name) is None:
            return (), str(
                answer.get(f"{name}_why") or f"how many {name} are used was not asked {when} the run"
            )
    return tuple(float(told[when][name]) for when in ("before", "after")), ""
