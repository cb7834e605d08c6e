"""What a run cost is told with its bounds, or unknown with its reason; the run is the same."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.liar import Liar
from tests.support.rows import log_of

from seatrial.files import Source
from seatrial.model.document import build, parse
from seatrial.model.pricing import CostPart, Pricing, RunCost
from seatrial.model.problems import BadInput, Problems
from seatrial.model.requestlog import RequestLog
from seatrial.model.role import Role
from seatrial.report.sentences import run_cost
from seatrial.run.roles import Roles
from seatrial.run.usage import EVENT, UsageQuestions, bind_usage, cost_of, told_in


def pricing(text: str) -> Pricing:
    return build(Pricing, parse(text, "target.yaml"))


def log(sent: int, answered: int, end_s: float = 36.0) -> RequestLog:
    """Requests from second 0 until `end_s`, at even steps."""
    rows = [
        {
            "intended": number * end_s / sent,
            "sent": number * end_s / sent,
            "ended": number * end_s / sent + 0.01 if number < answered else math.nan,
            "ok": number < answered,
            "status": 200,
            "name": "GET /",
            "served_by": "",
            "error": "",
            "worker": "0",
            "key": None,
        }
        for number in range(sent)
    ]
    return log_of(rows)


def asked(prices: Pricing, roles: dict[str, Role], directory: Path, between: Any = None) -> dict[str, Any]:
    """What is told before and after, by the events in the journal."""
    events: list[dict[str, Any]] = []
    whole = Role("target", "http", {}, ("127.0.0.1",), str(directory))
    questions = UsageQuestions(
        prices, whole, roles, lambda event, **told: events.append({"event": event, **told})
    )
    questions.ask("before")
    if between is not None:
        between()
    questions.ask("after")
    assert {event["event"] for event in events} == {EVENT}
    told = told_in(json.loads(json.dumps(events)))
    assert {when: dict(answer) for when, answer in told.items()} == {
        when: {"event": EVENT, **answer} for when, answer in questions.told.items()
    }
    return dict(told)


def test_instances_and_requests_have_their_price(tmp_path: Path) -> None:
    prices = pricing("{currency: EUR, instance_hour: 0.5, instances: 4, million_requests: 10}")
    cost = cost_of(prices, asked(prices, {}, tmp_path), log(1_000, 900), 36.0)
    assert cost is not None
    assert cost.lower == pytest.approx(0.02 + 0.009)
    assert cost.upper == pytest.approx(0.02 + 0.010)
    assert cost.per_million_lower == pytest.approx(1e3 * 0.029)
    assert cost.per_million_upper == pytest.approx(0.030 / 900 * 1e6)
    assert run_cost(cost) == "0.0290 … 0.0300 EUR, 29.0 … 33.4 EUR a million requests"


def test_what_a_command_tells_twice_lies_between(tmp_path: Path) -> None:
    (tmp_path / "instances").write_text("2\n")
    prices = pricing("{currency: USD, instance_hour: 1, instances: {command: [cat, instances]}}")
    told = asked(prices, {}, tmp_path, lambda: (tmp_path / "instances").write_text("5"))
    cost = cost_of(prices, told, log(100, 100), 36.0)
    assert cost is not None
    assert [cost.lower, cost.upper] == pytest.approx([0.02, 0.05])


def test_gigabytes_are_what_a_counter_rose_by(tmp_path: Path) -> None:
    (tmp_path / "gb").write_text("12.5")
    prices = pricing("{currency: USD, gb_price: 0.1, gb: {command: [cat, gb]}}")
    told = asked(prices, {}, tmp_path, lambda: (tmp_path / "gb").write_text("14.5"))
    cost = cost_of(prices, told, log(100, 100), 36.0)
    assert cost is not None
    assert [cost.lower, cost.upper] == pytest.approx([0.2, 0.2])
    fell = cost_of(prices, {"before": told["after"], "after": told["before"]}, log(100, 100), 36.0)
    assert fell is not None
    assert (fell.lower, fell.why) == (None, "the counter of gigabytes fell from 14.5 to 12.5 during the run")


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("[echo, many]", "echo printed 'many', which is no number"),
        ("[echo, nan]", "nan is no amount of anything"),
        ("[./none]", "none"),
        ("[sh, -c, exit 3]", "sh"),
    ],
)
def test_usage_that_cannot_be_asked_makes_the_cost_unknown(tmp_path: Path, command: str, why: str) -> None:
    prices = pricing(
        f"{{currency: EUR, instance_hour: 1, instances: {{command: {command}}}, million_requests: 1}}"
    )
    cost = cost_of(prices, asked(prices, {}, tmp_path), log(100, 100), 36.0)
    assert cost is not None
    assert (cost.lower, cost.upper, cost.per_million_lower, cost.per_million_upper) == (None,) * 4
    assert why in cost.why
    assert run_cost(cost).startswith("unknown: ")
    assert [part.used_lower is None for part in cost.parts] == [True, False]


def test_a_run_that_ended_before_it_was_asked_again_is_unknown(tmp_path: Path) -> None:
    prices = pricing("{currency: EUR, instance_hour: 1, instances: 3}")
    told = asked(prices, {}, tmp_path)
    cost = cost_of(prices, {"before": told["before"]}, log(100, 100), 36.0)
    assert cost is not None
    assert cost.why == "how many instances are used was not asked after the run"


def test_a_prometheus_server_tells(tmp_path: Path, liar: Liar) -> None:
    def answer(result: Any) -> bytes:
        body = {"status": "success", "data": {"resultType": "vector", "result": result}}
        return b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + json.dumps(body).encode()

    prices = pricing("{currency: EUR, instance_hour: 1, instances: {promql: count(up), on: metrics}}")
    roles = {"metrics": Role("metrics", "prometheus", {"url": liar.url}, ("127.0.0.1",), str(tmp_path))}
    liar.says = answer([{"metric": {}, "value": [0, "3"]}])
    assert asked(prices, roles, tmp_path)["before"]["instances"] == 3.0
    liar.says = answer([])
    assert "gives no single value" in asked(prices, roles, tmp_path)["after"]["instances_why"]


def test_nothing_declared_is_no_cost() -> None:
    assert cost_of(None, {}, log(10, 10), 36.0) is None
    assert run_cost(None) == ""
    prices = pricing("{currency: EUR, million_requests: 1}")
    assert cost_of(prices, {}, RequestLog.empty(), 36.0) is None


@given(
    st.lists(st.tuples(st.floats(0, 1e3), st.floats(0, 1e6), st.floats(0, 1e6)), min_size=1, max_size=4),
    st.integers(0, 10**6),
    st.integers(1, 10**6),
)
def test_bounds_are_in_order_whatever_was_used(
    uses: list[tuple[float, float, float]], answered: int, more: int
) -> None:
    parts = tuple(CostPart("x", price, min(one, other), max(one, other)) for price, one, other in uses)
    cost = RunCost.of("EUR", parts, answered, answered + more)
    assert cost.lower is not None
    assert cost.upper is not None
    assert cost.lower <= cost.upper
    assert cost.per_million_lower is not None
    assert (cost.per_million_upper is None) == (answered == 0)
    if cost.per_million_upper is not None:
        assert cost.per_million_lower <= cost.per_million_upper


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{currency: EUR}", "names no price"),
        ("{currency: EUR, instance_hour: 1}", "instance_hour and instances belong together"),
        ("{currency: EUR, instances: 1, million_requests: 1}", "instance_hour and instances belong together"),
        (
            "{currency: EUR, gb_price: 1, gb: {promql: x, count: 1}}",
            "say one of a count, promql and a command",
        ),
        ("{currency: EUR, million_requests: -1}", "greater than or equal to 0"),
        ("{currency: EUR, million_requests: ten}", "a number"),
    ],
)
def test_prices_that_make_no_sense_are_refused_at_their_place(text: str, said: str) -> None:
    with pytest.raises(BadInput) as caught:
        pricing(text)
    assert said in str(caught.value)
    assert str(caught.value).startswith("target.yaml:1:")


@pytest.mark.parametrize(
    ("on", "said"),
    [
        (
            "metric",
            "target.yaml:5:65: cost.instances.on: the target shop has no role 'metric'; it has: app, metrics",
        ),
        (
            "app",
            "target.yaml:5:65: cost.instances.on: the role 'app' is bound to driver 'process', not to prometheus",
        ),
        ("metrics", "the host 10.0.0.1 is not in allow: [127.0.0.1]"),
    ],
)
def test_whoever_is_asked_must_be_there_and_allowed(tmp_path: Path, on: str, said: str) -> None:
    text = (
        "target: shop\nbase_url: http://127.0.0.1:9\nallow: [127.0.0.1]\ncost:\n"
        f"  {{currency: EUR, instance_hour: 1, instances: {{promql: up, on: {on}}}}}\n"
        "roles:\n  app: {driver: process}\n  metrics: {driver: prometheus, url: http://10.0.0.1:9090}\n"
    )
    problems = Problems()
    roles = Roles.of(Source(tmp_path / "target.yaml", parse(text, "target.yaml")), "", problems)
    bind_usage(roles, problems)
    assert said in "\n".join(map(str, problems))
