"""A run beside those on record: alike ones only, and enough of them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from tests.support.command import seatrial
from tests.support.results import START, result

from seatrial.model.noticing import Detection
from seatrial.model.pricing import RunCost
from seatrial.model.result import Bounds, ObjectiveResult
from seatrial.model.verdict import Verdict
from seatrial.report.unpromised import MILLION
from seatrial.store import Origin, Store

HERE = Origin(rate="500/s", experiment_sha256="a" * 64)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEATRIAL_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SEATRIAL_DATABASE", raising=False)


def record(lowers: list[float], origin: Origin = HERE, first: int = 1) -> None:
    with Store.default() as store:
        for number, lower in enumerate(lowers, first):
            measured = ObjectiveResult("latency p95", 900.0, lower, lower + 0.2, "ms", Verdict.PASS)
            one = replace(result(Verdict.PASS, number), objectives=(measured,))
            store.record(one, [], START, origin)


def compared(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    return seatrial(monkeypatch, "compare", *arguments)


def test_slow_decay_over_months_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    record([10.0 + 0.5 * number for number in range(12)])
    record([50.0] * 4, replace(HERE, rate="100/s"), first=50)
    with Store.default() as store:
        assert datetime.fromisoformat(result(number=12).started_at) == store.history.runs()[4].started_at
    assert compared(monkeypatch, "--baseline", "database-crash-0012", "--json") == 1
    told = json.loads(capsys.readouterr().out)
    (objective,) = told["objectives"]
    assert (objective["change"], objective["how"], told["false_alarms"]) == ("worse", "trend", 0.01)
    assert len(objective["runs"]) == 12


def test_what_a_million_requests_cost_and_how_soon_all_is_well_have_their_course_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing was promised of either, so nothing fails; all of one comparison share its rate of false alarms."""
    with Store.default() as store:
        for number in range(12):
            cost = RunCost("EUR", 0.002, 0.0021, 1.9 + 0.2 * number, 2.0 + 0.2 * number)
            well = Bounds(9.0 - 0.5 * number, 9.2 - 0.5 * number)
            noticed = Detection("crash", "MemberDown", "prometheus", Bounds(0.3, 0.9), well, Verdict.PASS)
            one = replace(result(Verdict.PASS, number), cost=cost, detections=(noticed,))
            store.record(one, [], START, HERE)
    assert compared(monkeypatch, "--baseline", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    changes = {each["name"]: (each["unit"], each["change"], each["how"]) for each in told["unpromised"]}
    assert changes == {
        "crash: until noticed (MemberDown)": ("s", "can't tell", ""),
        "crash: until well again": ("s", "better", "trend"),
        MILLION: ("EUR", "worse", "trend"),
    }
    assert [each["change"] for each in told["objectives"]] == ["can't tell"]
    assert compared(monkeypatch, "--baseline") == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "beside what was promised" in text
    assert "1% of such comparisons" in text


def test_a_price_in_another_currency_is_another_course(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Store.default() as store:
        for number in range(7):
            currency = "USD" if number == 6 else "EUR"
            one = replace(result(Verdict.PASS, number), cost=RunCost(currency, 1.0, 1.0, 2.0, 2.0))
            store.record(one, [], START, HERE)
    assert compared(monkeypatch, "--baseline", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["unpromised"], told["too_few"]) == ([], [MILLION])


def test_noise_is_not_called_anything(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    record([10.0, 10.4, 10.1, 9.9, 10.6, 10.2, 10.3])
    record([99.0], replace(HERE, experiment_sha256="b" * 64), first=0)
    assert compared(monkeypatch, "--baseline") == 0
    text = capsys.readouterr().out
    assert "can't tell" in text
    assert "left out: 1 earlier run at another rate or of another experiment file" in " ".join(text.split())


def test_with_few_earlier_runs_it_is_the_last_that_is_compared(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    record([10.0, 11.0])
    assert compared(monkeypatch, "--baseline", "latest:database-crash") == 1
    told = capsys.readouterr()
    assert "a trend takes 5 earlier runs, and 1 are there" in told.err
    assert "database-crash-0001" in told.out
    assert compared(monkeypatch, "database-crash-0002", "latest", "--json") == 0


def test_with_none_nothing_is_known(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    record([10.0])
    record([10.0], replace(HERE, rate="100/s"), first=2)
    assert compared(monkeypatch, "--baseline") == 2
    assert "1 were made at another rate" in " ".join(capsys.readouterr().err.split())
    assert compared(monkeypatch, "database-crash-0001", "database-crash-0002") == 2
    assert "different rates: 500/s and 100/s" in capsys.readouterr().out


def test_one_run_alone_is_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    assert compared(monkeypatch) == 64
    assert compared(monkeypatch, "a", "--baseline", "b") == 64
    assert compared(monkeypatch, "--baseline", "no-such-run") == 64


def test_without_the_statistics_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    record([10.0] * 6)
    monkeypatch.setattr("seatrial.extras._is_installed", lambda package: package != "scipy")
    assert compared(monkeypatch, "--baseline") == 2
    assert "pip install 'seatrial[trends]'" in capsys.readouterr().err
