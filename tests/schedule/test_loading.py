"""Schedules as files: read whole, and every mistake told with its place."""

from __future__ import annotations

import logging
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from seatrial.model.document import build, parse
from seatrial.model.problems import BadInput, Location, Problem
from seatrial.schedule.commands import next_occurrences
from seatrial.schedule.loading import LoadedSchedule, Review, ScheduleFiles, load_schedule, load_schedules
from seatrial.schedule.model import Schedule

SHIPPED = Path(__file__).parents[2] / "schedules" / "monthly.yaml"
GOOD = """\
schedule: monthly
suite: suite.yaml
target: target.yaml
cadence: {monthly: {day: first sunday, at: "02:30"}}
timezone: Europe/Berlin
jitter: 10m
windows:
  never: [{dates: 2026-04-05, why: Easter}, {ics: freezes.ics}]
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "suite.yaml").write_text("suite: monthly\n")
    (tmp_path / "target.yaml").write_text("target: staging\nbase_url: http://127.0.0.1:1\n")
    (tmp_path / "freezes.ics").write_text("BEGIN:VCALENDAR\nEND:VCALENDAR\n")
    return tmp_path


def write(directory: Path, text: str, name: str = "s.yaml") -> Path:
    file = directory / name
    file.write_text(text)
    return file


def test_next_lists_local_time_utc_notes_and_blackouts(directory: Path) -> None:
    after = datetime(2026, 3, 1, 12, tzinfo=UTC)
    easter, may = next_occurrences([write(directory, GOOD)], 2, after)
    assert easter.blackout == "never: Easter"
    assert may.to_json() | {"due_utc": ""} == {
        "schedule": "monthly",
        "target": "staging",
        "planned_utc": "2026-05-03T00:30:00Z",
        "local": "2026-05-03T02:30:00+02:00",
        "due_utc": "",
        "note": "",
        "blackout": None,
    }
    assert 0 <= (may.due - may.planned).total_seconds() < 600


def test_several_schedules_are_merged_in_order(directory: Path) -> None:
    daily = GOOD.replace("schedule: monthly", "schedule: daily").replace(
        'monthly: {day: first sunday, at: "02:30"}', 'daily: {at: ["01:00", "13:00"]}'
    )
    files = [write(directory, GOOD), write(directory, daily, "d.yaml")]
    found = next_occurrences(files, 8, datetime(2026, 5, 2, 12, tzinfo=UTC))
    assert [each.planned for each in found] == sorted(each.planned for each in found)
    assert {each.schedule for each in found} == {"monthly", "daily"}
    with pytest.raises(BadInput, match="at least 1"):
        next_occurrences(files, 0, datetime(2026, 5, 2, 12, tzinfo=UTC))


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        (
            "first sunday",
            "fifth sunday",
            r"s\.yaml:4:26: cadence\.monthly\.day: 'fifth sunday' is not a day of a",
        ),
        ('at: "02:30"', 'at: "25:30"', "'25:30' is not a time of day"),
        ("Europe/Berlin", "Europe/Berlim", r"s\.yaml:5:11: timezone: 'Europe/Berlim' is not a time zone"),
        ("jitter: 10m", "jitter: 10", r"s\.yaml:6:9: jitter: '10' is not a duration"),
        ("jitter: 10m", "jiter: 10m", r"s\.yaml:6:1: jiter: unknown key 'jiter'; did you mean 'jitter'"),
        ("suite: suite.yaml", "suite: nowhere.yaml", r"s\.yaml:2:8: suite: nowhere\.yaml"),
        ("target: target.yaml", "target: no.yaml", r"s\.yaml:3:9: target: no\.yaml: no such file"),
        ("2026-04-05", "2026-04-35", r"s\.yaml:8:19: windows\.never\[0\]\.dates: '2026-04-35' is not a date"),
        ("freezes.ics", "none.ics", r"s\.yaml:8:51: windows\.never\[1\]\.ics: none\.ics: no such file"),
        ("{ics: freezes.ics}", "{ics: freezes.ics, from: '08:00'}", "from and to belong to days"),
        ("suite: suite.yaml", "suite: suite.yaml\nexperiment: x.yaml", "either a suite or an experiment"),
        (
            '{monthly: {day: first sunday, at: "02:30"}}',
            "{every: 6h, cron: '* * * * *'}",
            "a cadence is one of",
        ),
        ('{monthly: {day: first sunday, at: "02:30"}}', "{every: 5s}", "every: at least 1m"),
        ("jitter: 10m", "missed: whatever", "neither skip nor like run-late within 6h"),
    ],
)
def test_mistakes_are_told_with_their_place(directory: Path, old: str, new: str, complaint: str) -> None:
    assert old in GOOD
    with pytest.raises(BadInput, match=complaint):
        load_schedule(write(directory, GOOD.replace(old, new)))


def test_a_target_that_is_none(directory: Path) -> None:
    (directory / "target.yaml").write_text("hello: world\n")
    with pytest.raises(BadInput, match=r"target\.yaml:1:1: not a target"):
        load_schedule(write(directory, GOOD))


def test_names_must_differ(directory: Path) -> None:
    with pytest.raises(BadInput, match="the schedule monthly is in"):
        load_schedules([write(directory, GOOD), write(directory, GOOD, "other.yaml")])


def test_a_change_is_seen_and_a_mistake_changes_nothing(
    directory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = write(directory, GOOD)
    files = ScheduleFiles([file])
    assert files.current()[0].schedule.jitter.seconds == 600
    file.write_text(GOOD.replace("jitter: 10m", "jitter: 1h"))
    assert files.current()[0].schedule.jitter.seconds == 3600
    with caplog.at_level(logging.ERROR):
        file.write_text(GOOD.replace("jitter: 10m", "jitter: soon"))
        assert files.current()[0].schedule.jitter.seconds == 3600
    assert "the former schedule stays" in caplog.text
    file.write_text(GOOD)
    os.utime(file, (1, 1))
    assert files.current()[0].schedule.jitter.seconds == 600


def test_a_changed_calendar_is_seen(directory: Path) -> None:
    files = ScheduleFiles([write(directory, GOOD)])
    noon = datetime(2026, 5, 3, 12, tzinfo=UTC)
    assert files.current()[0].allowance.blackout(noon) is None
    event = "BEGIN:VEVENT\nDTSTART;VALUE=DATE:20260503\nSUMMARY:Freeze\nEND:VEVENT\n"
    (directory / "freezes.ics").write_text(f"BEGIN:VCALENDAR\n{event}END:VCALENDAR\n")
    assert files.current()[0].allowance.blackout(noon) == "never: Freeze"


def test_files_that_are_wrong_from_the_start_are_refused(directory: Path) -> None:
    with pytest.raises(BadInput):
        ScheduleFiles([directory / "absent.yaml"]).current()


def test_the_shipped_schedule_is_a_schedule() -> None:
    schedule = build(Schedule, parse(SHIPPED.read_text(), "schedules/monthly.yaml"))
    assert schedule.incident.escalate.after == 3
    assert schedule.missed.late_s == 6 * 3600


def test_what_a_schedule_names_is_planned_again_when_one_of_its_files_changes(
    directory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    experiment, absent = directory / "x.yaml", directory / "scenario.py"
    experiment.write_text("experiment: x\n")
    reviewed: list[str] = []

    def review(loaded: LoadedSchedule) -> Review:
        reviewed.append(loaded.name)
        wrong = [] if absent.exists() else [Problem("there is no scenario", Location("x.yaml", 2, 9))]
        return Review((experiment, absent), tuple(wrong))

    files = ScheduleFiles([write(directory, GOOD)], review)
    assert [str(problem) for problem in files.problems()["monthly"]] == ["x.yaml:2:9: there is no scenario"]
    files.current()
    assert reviewed == ["monthly"]
    assert "monthly: what is due cannot run: x.yaml:2:9: there is no scenario" in caplog.text
    absent.write_text("")  # a file that was not there before
    assert files.problems() == {}
    for number, file in enumerate([experiment, directory / "suite.yaml", directory / "target.yaml"], start=3):
        file.write_text(file.read_text() + "\n")
        files.current()
        assert len(reviewed) == number


def test_one_schedule_is_broken_and_the_other_goes_on_changing(directory: Path) -> None:
    first = write(directory, GOOD)
    second = write(directory, GOOD.replace("schedule: monthly", "schedule: other"), "other.yaml")
    files = ScheduleFiles([first, second])
    files.current()
    first.unlink()
    second.write_text(second.read_text().replace("jitter: 10m", "jitter: 20m"))
    assert [(loaded.name, loaded.schedule.jitter.seconds) for loaded in files.current()] == [
        ("monthly", 600),
        ("other", 1200),
    ]
    assert list(files.problems()) == ["monthly"]
    assert "no such file" in str(files.problems()["monthly"][0])


def test_two_schedules_that_take_one_name_stay_as_they_were(directory: Path) -> None:
    first = write(directory, GOOD)
    second = write(directory, GOOD.replace("schedule: monthly", "schedule: other"), "other.yaml")
    files = ScheduleFiles([first, second])
    files.current()
    second.write_text(GOOD + "\n")
    assert [loaded.name for loaded in files.current()] == ["monthly", "other"]
    assert set(files.problems()) == {"monthly", "other"}


def test_the_command_that_runs_it_by_hand_is_quoted_and_found_from_here(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (directory / "my target.yaml").write_text("target: staging\nbase_url: http://127.0.0.1:1\n")
    text = GOOD.replace("target.yaml", "my target.yaml\nconfirm: staging")
    loaded = load_schedule(write(directory, text))
    monkeypatch.chdir(directory)
    assert loaded.command == "seatrial suite suite.yaml --target 'my target.yaml' --confirm staging"
    (directory / "elsewhere").mkdir()
    monkeypatch.chdir(directory / "elsewhere")
    assert loaded.command.startswith(f"seatrial suite {directory / 'suite.yaml'} --target '")


@pytest.mark.parametrize(
    ("incident", "complaint"),
    [
        (
            "{unknown: loud}",
            r"s\.yaml:9:21: incident\.unknown: 'loud' is neither one of critical, error, warning, info nor",
        ),
        ("{escalate: {unknown: 0}}", r"s\.yaml:9:32: incident\.escalate\.unknown"),
    ],
)
def test_how_loud_an_unknown_is_must_make_sense(directory: Path, incident: str, complaint: str) -> None:
    with pytest.raises(BadInput, match=complaint):
        load_schedule(write(directory, f"{GOOD}incident: {incident}\n"))


def test_a_defect_in_planning_is_a_problem_and_ends_nothing(directory: Path) -> None:
    def review(loaded: LoadedSchedule) -> Review:
        raise ZeroDivisionError("oops")

    files = ScheduleFiles([write(directory, GOOD)], review)
    assert len(files.current()) == 1
    assert [str(problem) for problem in files.problems()["monthly"]] == [
        "planning it ended with ZeroDivisionError: oops"
    ]
