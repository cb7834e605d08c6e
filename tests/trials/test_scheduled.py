"""A schedule is planned whole, and what an incident says to run is a command that runs."""

from __future__ import annotations

import json
import shlex
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.command import seatrial
from tests.support.results import result
from tests.support.schedule_world import Time, World
from tests.support.sinks import KEPT

from seatrial.files import read
from seatrial.incidents import IncidentSettings
from seatrial.incidents.event import IncidentEvent
from seatrial.model.offeredrate import OfferedRate
from seatrial.model.verdict import Verdict
from seatrial.run.evidence import Evidence
from seatrial.run.execute import Execution
from seatrial.run.plan import make_plan
from seatrial.schedule import load_schedule
from seatrial.schedule.daemon import Daemon, Options
from seatrial.schedule.loading import ScheduleFiles
from seatrial.store import Store
from seatrial.trials import scheduled
from seatrial.trials.records import Records
from seatrial.trials.request import TrialRequest

EXPERIMENT = """\
experiment: {name}
load: {{scenario: home page.py, rate: 100/s}}
duration: 10s
objectives:
  errors: {{max: 1%}}
"""
SCHEDULE = """\
schedule: monthly
suite: suites/monthly.yaml
target: my target.yaml
confirm: shop
cadence: "@monthly"
"""


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEATRIAL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")
    Path("suites").mkdir()
    Path("home page.py").write_text("import nothing_that_is_here\n")
    Path("my target.yaml").write_text("target: shop\nenvironment: production\nbase_url: http://127.0.0.1:1\n")
    Path("suites/monthly.yaml").write_text("suite: monthly\nexperiments: [one's.yaml, two.yaml]\npause: 0s\n")
    Path("suites/one's.yaml").write_text(EXPERIMENT.format(name="one"))
    Path("suites/two.yaml").write_text(EXPERIMENT.format(name="two"))
    Path("s.yaml").write_text(SCHEDULE.replace('"@monthly"', '{cron: "@monthly"}'))


def change(file: str, old: str, new: str) -> None:
    text = Path(file).read_text()
    assert old in text
    Path(file).write_text(text.replace(old, new))


def reviewed() -> list[str]:
    return [str(problem) for problem in scheduled.review(load_schedule(Path("s.yaml"))).problems]


@pytest.mark.parametrize(
    ("file", "old", "new", "complaint"),
    [
        ("suites/two.yaml", "duration:", "duratoin:", "two.yaml:3:1: duratoin: unknown key 'duratoin'; did you mean 'duration'?"),
        ("suites/two.yaml", "home page.py", "nowhere.py", "two.yaml:2:18: load.scenario: no such file"),
        ("suites/monthly.yaml", "two.yaml", "three.yaml", "suites/monthly.yaml:2:27: experiments[1]: no such file"),
        ("suites/monthly.yaml", "pause:", "pauze:", "suites/monthly.yaml:3:1: pauze: unknown key 'pauze'; did you mean 'pause'?"),
        ("my target.yaml", "environment: production", "enviroment: x", "my target.yaml:2:1: enviroment: unknown key"),
        ("s.yaml", "confirm: shop", "confirm: shed", "my target.yaml:2:14: environment: a production target is only touched"),
        ("home page.py", "import nothing_that_is_here", "def f(:", "home page.py:1:7: not valid Python: invalid syntax"),
    ],
)  # fmt: skip
def test_every_mistake_in_what_a_schedule_names_is_told_before_it_is_due(
    file: str,
    old: str,
    new: str,
    complaint: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert reviewed() == []
    change(file, old, new)
    assert any(complaint in problem for problem in reviewed()), reviewed()
    for command in (["next", "s.yaml"], ["start", "--once", "s.yaml"], ["export", "--systemd", "s.yaml"]):
        assert seatrial(monkeypatch, "schedule", *command) == 64
        said = capsys.readouterr()
        assert complaint in said.err
        assert ("monthly" in said.out) == (command[0] == "next")  # the dates are shown all the same


def test_a_schedule_without_mistakes_is_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert seatrial(monkeypatch, "schedule", "next", "s.yaml", "--json", "--count", "2") == 0
    shown = json.loads(capsys.readouterr().out)
    assert (len(shown["occurrences"]), shown["problems"]) == (2, [])
    assert seatrial(monkeypatch, "schedule", "next", "schedules/monthly.yaml") == 0  # the shipped one


def test_what_a_schedule_hangs_on_is_all_that_it_names_there_or_not(tmp_path: Path) -> None:
    change("suites/two.yaml", "home page.py", "nowhere.py")
    files = scheduled.review(load_schedule(Path("s.yaml"))).files
    expected = [
        "suites/monthly.yaml",
        "suites/one's.yaml",
        "suites/two.yaml",
        "home page.py",
        "nowhere.py",
        "suites/nowhere.py",
    ]
    assert {tmp_path / name for name in expected} <= set(files)


@pytest.fixture
def store() -> Iterator[Store]:
    with Store.default() as opened:
        yield opened


def commands(store: Store) -> list[str]:
    events = (
        IncidentEvent.from_json(each.message.body) for each in store.outbox.messages(newest_first=False)
    )
    return [str(event.details["reproduce"]) for event in events if event.kind == "trigger"]


def test_each_experiment_of_a_scheduled_suite_says_how_to_run_it_alone(
    store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def execute(plan, home, observer, stop, directory, reporter):  # type: ignore[no-untyped-def]
        failed = result(Verdict.FAIL, experiment=plan.experiment.experiment)
        reporter.finished(failed)
        return Execution(failed, Evidence(directory))

    monkeypatch.setattr("seatrial.trials.running.execute", execute)
    loaded = load_schedule(Path("s.yaml"))
    outcome = scheduled.run_scheduled(loaded, threading.Event(), store)
    assert (outcome.verdict, len(outcome.reasons), outcome.unproven) == (Verdict.FAIL, 2, ())
    assert commands(store) == [
        "seatrial run 'suites/one'\"'\"'s.yaml' --target 'my target.yaml' --confirm shop",
        "seatrial run suites/two.yaml --target 'my target.yaml' --confirm shop",
    ]
    for command, name in zip(commands(store), ("one", "two"), strict=True):
        assert seatrial(monkeypatch, *shlex.split(command)[1:], "--dry-run") == 0
        assert capsys.readouterr().out.startswith(name)


def test_a_run_by_hand_is_run_again_as_it_was_asked_for(
    store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = make_plan(read("suites/two.yaml", "experiment"), read("my target.yaml", "target"), confirm="shop")
    request = TrialRequest(
        "suites/two.yaml", target="my target.yaml", rate=OfferedRate.parse("9000/min"), confirm="shop"
    )
    reporter = Records(store, IncidentSettings()).reporter(plan.experiment, request.command(plan))
    reporter.finished(result(Verdict.FAIL))
    (command,) = commands(store)
    assert command == "seatrial run suites/two.yaml --target 'my target.yaml' --rate 9000/min --confirm shop"
    assert seatrial(monkeypatch, *shlex.split(command)[1:], "--dry-run") == 0
    assert "9000/min from 0s" in capsys.readouterr().out
    assert TrialRequest("suites/two.yaml").command(plan) == "seatrial run suites/two.yaml"  # on the testbed


def test_a_daemon_tells_at_once_what_would_show_when_it_is_due(store: Store) -> None:
    time = Time()
    files = ScheduleFiles([Path("s.yaml")], scheduled.review)

    execute = scheduled.executor(store)
    daemon = Daemon(
        store, files.current, execute, time.clock, Options(KEPT), since=time.wall, problems=files.problems
    )
    daemon.tick()
    assert store.outbox.messages() == []
    change("suites/two.yaml", "duration:", "duratoin:")
    daemon.tick()
    (message,) = store.outbox.messages()
    event = IncidentEvent.from_json(message.message.body)
    mistake = "two.yaml:3:1: duratoin: unknown key 'duratoin'; did you mean 'duration'?"
    assert event.summary.startswith("monthly on shop: what is due cannot run: two.yaml:1:1: ")
    assert mistake in str(event.details["problems"])
    time.passes(days=31, minutes=-20)  # the first of April, ten minutes past midnight
    daemon.tick()
    World.await_idle(daemon)
    (row,) = store.occurrences.history()
    assert (row.state, mistake in row.detail) == ("interrupted", True)
    assert store.outbox.messages()[0].message.dedup_key == "seatrial/shop/schedule.monthly"
    change("suites/two.yaml", "duratoin:", "duration:")
    daemon.tick()
    last = store.outbox.messages()[0].message
    assert (last.kind, last.dedup_key) == ("resolve", "seatrial/shop/schedule.monthly.files")
