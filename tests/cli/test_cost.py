"""`seatrial cost watch`: exit codes, what is printed, and who else is told of it."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from tests.support.command import seatrial
from tests.support.liar import Liar
from tests.support.waiting import wait_until

from seatrial.cost.billing import focus_rows
from seatrial.cost.planting import Anomaly, Planted
from seatrial.cost.series import CostSeries
from seatrial.cost.synthetic import daily_costs, hourly_costs
from seatrial.incidents.event import IncidentEvent
from seatrial.store import Store

CALM = CostSeries(date(2026, 1, 5), daily_costs(110, 7), "EUR")
UNTIL = ("--until", "2026-04-24")
PLANTED = {
    "calm": [],
    "spike": [Planted(Anomaly.SPIKE, 108, 1.0)],
    "gap": [Planted(Anomaly.GAP, 108)],
}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEATRIAL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


def write(path: Path, what: str) -> None:
    values = CALM.values
    for each in PLANTED[what]:
        values = each.into(values)
    path.write_text("\n".join(focus_rows(CostSeries(CALM.first, values, "EUR"))), encoding="utf-8")


def test_a_bill_over_some_days(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Calm, then a spike that is told once, then missing data beside it, then all is well and resolved."""
    bill = place / "bill.csv"

    def watched(what: str) -> tuple[int, dict[str, Any], list[str]]:
        write(bill, what)
        code = seatrial(monkeypatch, "cost", "watch", "--focus", str(bill), *UNTIL, "--json")
        told: dict[str, Any] = json.loads(capsys.readouterr().out)
        seatrial(monkeypatch, "incidents", "list", "--json")
        listing = json.loads(capsys.readouterr().out)
        return code, told, [each["summary"] for each in listing["incidents"]]

    assert watched("calm")[::2] == (0, [])
    for _ in range(2):
        code, told, incidents = watched("spike")
        assert (code, told["verdict"], told["findings"][0]["kind"]) == (1, "fail", "spike")
        assert len(incidents) == 1
        assert incidents[0].startswith("costs of bill: 2026-04-23: ")
    code, told, incidents = watched("gap")
    assert (code, told["verdict"]) == (2, "unknown")
    assert incidents == [
        "costs of bill: 2026-04-23: the bill has nothing of this day, or not all of it; what it cost is unknown"
    ]
    assert watched("calm")[::2] == (0, [])


def test_a_bill_by_the_hour_is_judged_until_its_newest_hour_but_one(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An hour in which five times as much was spent is a quarter more in its day: too little to be told."""
    begin, hours = datetime(2026, 1, 5, tzinfo=UTC), hourly_costs(70, 7)
    hours[67 * 24 + 12] *= 5
    rows = (
        f"{(begin + timedelta(hours=at)).isoformat()},{cost}" for at, cost in enumerate(hours[: 67 * 24 + 14])
    )
    Path("bill.csv").write_text("\n".join(("day,cost", *rows)), encoding="utf-8")
    watch = ("cost", "watch", "bill.csv", "--days", "2", "--hours", "--quiet", "--until")
    assert seatrial(monkeypatch, *watch, "2026-03-12") == 0
    assert "2 days until 2026-03-12, 48 hours until 2026-03-13 00:00 UTC" in capsys.readouterr().out
    assert seatrial(monkeypatch, *watch, "2026-03-13") == 1
    printed = capsys.readouterr().out
    assert "37 hours until 2026-03-13 13:00 UTC\n  2026-03-13 12:00 UTC: " in printed
    assert "2026-03-13: the bill has nothing of this day, or not all of it" in printed


def test_it_is_told_to_people_and_to_nobody_else_if_so_wanted(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(place / "bill.csv", "spike")
    assert seatrial(monkeypatch, "cost", "watch", "bill.csv", *UNTIL, "--quiet") == 1
    printed = capsys.readouterr().out
    assert printed.startswith("fail  costs of bill, 7 days until 2026-04-24\n  2026-04-23: ")
    assert not (place / "home").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "name one source of costs"),
        (("bill.csv", "--focus", "bill.csv"), "name one source of costs"),
        (("bill.csv",), "bill.csv:3:12: 'x' is no amount"),
        (("bill.csv", "--until", "soon"), "--until: 'soon' is no day such as 2026-10-31"),
        (("bill.csv", "--severity", "loud"), "--severity: 'loud' is not one of"),
        (("--focus", "bill.csv"), "bill.csv:1:1: has no column 'BilledCost'"),
        (("--focus", "bill.csv", "--column", "Cost"), "--column: 'Cost' is not one of BilledCost"),
        (("--promql", "up"), "--promql EXPR and --target FILE belong together"),
        (("--promql", "up", "--target", "none.yaml"), "target none.yaml: no such file"),
        (("none.csv",), "none.csv: cannot be read: No such file"),
        (("bill.csv", "--every", "5"), "--every: '5' is not a duration"),
    ],
)
def test_bad_input_is_told_and_nobody_is(
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    said: str,
) -> None:
    (place / "bill.csv").write_text("day,cost\n2026-10-01,1\n2026-10-02,x\n")
    assert seatrial(monkeypatch, "cost", "watch", *arguments) == 64
    assert said in capsys.readouterr().err
    assert not (place / "home").exists()


def test_a_prometheus_server_has_the_bill(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], liar: Liar
) -> None:
    """Asked at the end of each day; when it does not answer nothing is known."""
    Path("shop.yaml").write_text(
        f"target: shop\nbase_url: {liar.url}\nroles:\n  metrics: {{driver: prometheus, url: {liar.url}}}\n"
    )
    watch = ("cost", "watch", "--promql", "sum(cost)", "--target", "shop.yaml", *UNTIL, "--quiet")

    def answer(path: str) -> bytes:
        asked = {name: value for name, (value,) in parse_qs(urlsplit(path).query).items()}
        assert asked["query"] == "sum(cost)"
        assert datetime.fromtimestamp(float(asked["end"]), UTC) == datetime(2026, 4, 25, tzinfo=UTC)
        ends = np.arange(float(asked["end"]) - 109 * 86400, float(asked["end"]) + 1, 86400)
        samples = [[at, str(value)] for at, value in zip(ends.tolist(), CALM.values.tolist(), strict=True)]
        body = {
            "status": "success",
            "data": {"resultType": "matrix", "result": [{"metric": {}, "values": samples}]},
        }
        return b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + json.dumps(body).encode()

    liar.says = answer
    assert seatrial(monkeypatch, *watch) == 0, capsys.readouterr()
    for status, body, code, said in (
        (200, {"status": "success", "data": {"resultType": "matrix", "result": []}}, 2, "matches nothing"),
        (400, {"status": "error", "errorType": "bad_data", "error": "parse error"}, 64, "parse error"),
        (503, {"status": "error", "errorType": "unavailable", "error": "starting up"}, 2, "starting up"),
        (200, {"no": "Prometheus"}, 2, "HTTP 200"),
    ):
        liar.says = f"HTTP/1.1 {status} X\r\nConnection: close\r\n\r\n{json.dumps(body)}".encode()
        assert seatrial(monkeypatch, *watch) == code
        captured = capsys.readouterr()
        assert said in captured.out + captured.err


class Watch:
    """`cost watch --every` in a process of its own, and what it has printed so far."""

    def __init__(self, place: Path, name: str) -> None:
        self._printed = place / name
        with self._printed.open("wb") as stdout:
            arguments = (
                "cost",
                "watch",
                "--focus",
                "bill.csv",
                *UNTIL,
                "--days",
                "2",
                "--every",
                "100ms",
                "--json",
            )
            self.process = subprocess.Popen(
                [sys.executable, "-m", "seatrial", *arguments], stdout=stdout, stderr=subprocess.DEVNULL
            )

    @property
    def verdicts(self) -> list[str]:
        """Of each look, in the order of looks."""
        return re.findall(r'^  "verdict": "(\w+)"', self._printed.read_text(), re.MULTILINE)

    def looks(self, more: int = 1) -> None:
        """Wait until it has looked so often again."""
        seen = len(self.verdicts)
        wait_until(lambda: len(self.verdicts) >= seen + more or self.process.poll() is not None)
        assert self.process.poll() is None

    def ends(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(30)


@pytest.fixture
def watching(place: Path) -> Iterator[Callable[[str], Watch]]:
    """Begins watches, and ends those that are left."""
    begun: list[Watch] = []

    def begin(name: str) -> Watch:
        begun.append(Watch(place, name))
        return begun[-1]

    yield begin
    for each in begun:
        if each.process.poll() is None:
            each.ends(signal.SIGKILL)


def replaced(what: str) -> None:
    """Put another bill in the place of the one that is watched, whole."""
    write(Path("bill.new"), what)
    Path("bill.new").replace("bill.csv")


def told_of() -> list[tuple[str, str]]:
    """What was put into the outbox for PagerDuty, in order, each with the day that it is about."""
    with Store.default() as store:
        sent = [each.message for each in store.outbox.messages(newest_first=False)]
    events = [IncidentEvent.from_json(each.body) for each in sent if each.sink == "pagerduty"]
    return [(event.kind.value, event.summary.removeprefix("costs of bill: ")[:10]) for event in events]


@pytest.mark.long
def test_a_watch_goes_on_and_tells_once_though_it_is_killed_and_there_are_two(
    place: Path, watching: Callable[[str], Watch]
) -> None:
    replaced("calm")
    killed = watching("killed")
    killed.looks()
    replaced("spike")
    wait_until(lambda: "fail" in killed.verdicts)
    killed.ends(signal.SIGKILL)  # it has printed what it found, and may or may not have told of it
    assert told_of() in ([], [("trigger", "2026-04-23")])
    both = watching("one"), watching("other")
    for each in both:
        each.looks(2)
        assert set(each.verdicts) == {"fail"}
    assert told_of() == [("trigger", "2026-04-23")]
    Path("bill.csv").unlink()
    wait_until(lambda: all(each.verdicts[-1] == "unknown" for each in both))
    replaced("calm")
    wait_until(lambda: all(each.verdicts[-1] == "pass" for each in both))
    for each in both:
        each.looks()
    told = told_of()
    assert told[0] == ("trigger", "2026-04-23")
    assert sorted(kind for kind, _ in told) == ["resolve", "resolve", "trigger", "trigger"]
    replaced("spike")  # the same day again, after all was well: that is news
    wait_until(lambda: len(told_of()) > len(told))
    for each in both:
        each.looks(2)
    assert told_of() == [*told, ("trigger", "2026-04-23")]
    assert [each.ends(signal.SIGINT) for each in both] == [130, 130]
