"""The alerts of a Prometheus server: those that fire now, and whether it evaluates the rules for them.

A rule that is not evaluated is as silent as one that has nothing to tell. So the rules are asked for as well,
every few seconds, and a group whose last evaluation does not move on is an answer that proves nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from seatrial.drivers.alerting import alerts_in, clock_in, found_in
from seatrial.drivers.httpclient import HttpClient
from seatrial.model.alerts import AlertsSeen, Evaluation
from seatrial.model.problems import Unavailable
from seatrial.model.role import Role

if TYPE_CHECKING:
    from seatrial.drivers.prometheus import PrometheusBinding

_ANSWER_WITHIN_S = 2.0
_RULES_EVERY_S = 5.0
_MISSED = 3  # evaluations that may be late before a group counts as not evaluated
_AT_LEAST_S = 5.0


class PrometheusAlerts:
    """See `drivers.alerting`."""

    def __init__(
        self, role: Role, binding: PrometheusBinding, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._url = binding.url.rstrip("/")
        self._headers = binding.headers
        self._client = HttpClient(role.allow_list, role.name, _ANSWER_WITHIN_S)
        self._clock = clock
        self._rules: dict[str, str] = {}
        self._labels: dict[str, tuple[dict[str, str], ...]] = {}
        self._asked_s = float("-inf")
        self._moved: dict[str, tuple[str, float]] = {}  # group → its last evaluation, and since when we know

    def seen(self) -> AlertsSeen:
        answer = self._client.ask("GET", f"{self._url}/api/v1/alerts", headers=self._headers)
        firing = [each for each in found_in(answer, "data", "alerts") if each.get("state") == "firing"]
        evaluations: dict[str, Evaluation] = {}
        if self._clock() - self._asked_s >= _RULES_EVERY_S:
            self._rules, self._labels, evaluations = self._ask_rules()
            self._asked_s = self._clock()
        alerts = tuple(alerts_in(firing, "activeAt"))
        return AlertsSeen(alerts, self._rules, clock_in(answer), self._labels, evaluations)

    def close(self) -> None:
        self._client.__exit__(None, None, None)

    def _ask_rules(
        self,
    ) -> tuple[dict[str, str], dict[str, tuple[dict[str, str], ...]], dict[str, Evaluation]]:
        """By name: why a rule is not evaluated, and the labels that it gives; by group: its evaluation."""
        answer = self._client.ask("GET", f"{self._url}/api/v1/rules?type=alert", headers=self._headers)
        rules: dict[str, str] = {}
        labels: dict[str, tuple[dict[str, str], ...]] = {}
        evaluations: dict[str, Evaluation] = {}
        try:
            for group in found_in(answer, "data", "groups"):
                stuck = self._stuck(group)
                called = frozenset(str(rule["name"]) for rule in group["rules"])
                evaluations[_name(group)] = Evaluation(
                    str(group["lastEvaluation"]), float(group["interval"]), called
                )
                for rule in group["rules"]:
                    wrong = stuck or (
                        "" if rule["health"] != "err" else str(rule.get("lastError", "an error"))
                    )
                    name = str(rule["name"])
                    rules[name] = rules.get(name, "") or wrong
                    given = {str(key): str(value) for key, value in (rule.get("labels") or {}).items()}
                    labels[name] = (*labels.get(name, ()), given)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise Unavailable(f"{answer.to}: is this Prometheus? {error!r}: {answer.opening}") from error
        return rules, labels, evaluations

    def _stuck(self, group: dict[str, Any]) -> str:
        """Why a group of rules tells nothing; empty while its evaluations move on."""
        name, last, now_s = _name(group), str(group["lastEvaluation"]), self._clock()
        known, since_s = self._moved.get(name, ("", now_s))
        if known != last:
            self._moved[name] = last, now_s
            return ""
        patience_s = max(_MISSED * float(group["interval"]), _AT_LEAST_S)
        return f"not evaluated for {now_s - since_s:.0f} s" if now_s - since_s > patience_s else ""


def _name(group: dict[str, Any]) -> str:
    return f"{group['file']} {group['name']}"
