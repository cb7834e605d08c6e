"""Whatever a target answers, a probe says what is wrong with it, and never raises."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.answers import BODIES, JSON, REPLIES
from tests.support.liar import Liar
from tests.support.listeners import http

from seatrial.model.probe import ProbeSpec
from seatrial.model.role import Role
from seatrial.probes import Question, ask, sql

FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def said(probe: dict[str, object], url: str) -> str:
    role = Role("asked", "any", {"url": url}, ("127.0.0.1",), ".")
    return ask(
        Question(ProbeSpec.model_validate({"on": "asked", "within": "2s", **probe}, strict=False), role)
    )


@FEW
@given(body=BODIES, status=st.sampled_from(["200 OK", "302 Found", "500 Oh", "204 No Content"]))
def test_prometheus(liar: Liar, body: bytes, status: str) -> None:
    liar.says = http(body, status)
    assert said({"promql": "up", "min": 1}, liar.url)


@FEW
@given(value=JSON, kind=st.sampled_from(["vector", "scalar", "string", "matrix", ""]) | JSON)
def test_prometheus_of_another_shape(liar: Liar, value: object, kind: object) -> None:
    liar.says = http(
        json.dumps({"status": "success", "data": {"resultType": kind, "result": value}}).encode()
    )
    assert "asked" in said({"promql": "up", "min": 1}, liar.url) or value == []


@pytest.mark.parametrize("value", ["NaN", "nan", "-NaN"])
@pytest.mark.parametrize("limits", [{}, {"min": 0}, {"max": 1}, {"min": 0, "max": 1}])
def test_no_number_is_not_well(liar: Liar, value: str, limits: dict[str, int]) -> None:
    result = [{"metric": {}, "value": [0, value]}]
    liar.says = http(
        json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}}).encode()
    )
    assert "NaN" in said({"promql": "errors / requests", **limits}, liar.url)


@FEW
@given(answer=st.binary() | st.builds(http, BODIES))
def test_http(liar: Liar, answer: bytes) -> None:
    liar.says = answer
    assert said({"http": "/", "status": 418}, liar.url)


@FEW
@given(reply=REPLIES)
def test_redis(liar: Liar, reply: bytes) -> None:
    liar.says = reply
    assert isinstance(said({"redis": "GET x", "min": 1}, f"redis://127.0.0.1:{liar.port}/0"), str)


@pytest.mark.parametrize("error", [RuntimeError("lost\nits way"), KeyError("x"), RecursionError()])
def test_a_foreign_exception_is_an_answer_with_its_type(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fails(*_: object) -> str:
        raise error

    monkeypatch.setattr(sql.SqlProbe, "ask", fails)
    assert f"asked: {type(error).__name__}: " in said({"sql": "SELECT 1"}, "sqlite://")
