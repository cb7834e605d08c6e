"""What schedules tell: every line of the table."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from tests.support.sinks import KEPT

from seatrial.incidents import schedules
from seatrial.incidents.event import IncidentEvent, Subject
from seatrial.incidents.history import IncidentHistory
from seatrial.incidents.policy import Context, Escalation
from seatrial.store import Occurrence, OccurrenceEnding, OccurrenceState, OutboxMessage

NOW = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
CONTEXT = Context(routes=KEPT, reproduce="seatrial run chaos/x.yaml", owner="team-shop")
MISSED = OccurrenceEnding(OccurrenceState.MISSED, detail="no daemon was there")


def triggered(messages: list[OutboxMessage]) -> IncidentEvent:
    return next(IncidentEvent.from_json(each.body) for each in messages if each.kind == "trigger")


def open_since(when: datetime, *sinks: str, failures: int = 1) -> IncidentHistory:
    last = triggered(schedules.on_missed(MONTHLY, MISSED, when, IncidentHistory(), CONTEXT))
    return IncidentHistory(failures, dict.fromkeys(sinks or ("pagerduty",), when), last)


def test_a_missed_occurrence_is_the_schedules_own_incident() -> None:
    occurrence = Occurrence("monthly", NOW, NOW, "testbed")
    missed = OccurrenceEnding(OccurrenceState.MISSED, detail="no daemon was there")
    event = triggered(schedules.on_missed(occurrence, missed, NOW, IncidentHistory(), CONTEXT))
    assert event.dedup_key == "seatrial/testbed/schedule.monthly"
    assert "planned for 2026-03-01 03:00 UTC was missed: no daemon was there" in event.summary
    louder = schedules.on_missed(occurrence, missed, NOW, open_since(NOW, failures=2), CONTEXT)
    assert [each.sink for each in louder] == ["pagerduty", "pagerduty-escalation"]


UNKNOWN = OccurrenceEnding(OccurrenceState.RUN, "monthly-0001", "unknown", "x: the generator was late")
WHY = ["x: the generator was late", "y: it was not run here"]
MONTHLY = Occurrence("monthly", NOW, NOW, "testbed")
WARNING = replace(CONTEXT, severity="warning")


def test_an_occurrence_that_proved_nothing_is_a_warning_on_its_schedule() -> None:
    messages = schedules.on_unknown(MONTHLY, UNKNOWN, WHY, NOW, IncidentHistory(), WARNING)
    event = triggered(messages)
    assert [each.sink for each in messages] == ["pagerduty"]
    assert (event.dedup_key, event.severity) == ("seatrial/testbed/schedule.monthly", "warning")
    assert event.summary == (
        "monthly on testbed: the run planned for 2026-03-01 03:00 UTC proved nothing: "
        "x: the generator was late (and 1 more)"
    )
    assert event.details["unproven"] == WHY
    assert event.details["run"] == "monthly-0001"
    assert event.details["reproduce"] == "seatrial run chaos/x.yaml"


def test_the_second_without_a_pass_between_them_is_louder_and_goes_to_the_second_key() -> None:
    once = schedules.on_unknown(MONTHLY, UNKNOWN, WHY, NOW, IncidentHistory(), WARNING)
    told = IncidentHistory(1, {"pagerduty": NOW}, triggered(once))
    messages = schedules.on_unknown(MONTHLY, UNKNOWN, WHY, NOW, told, WARNING)
    assert [each.sink for each in messages] == ["pagerduty", "pagerduty-escalation"]
    assert triggered(messages).severity == "error"
    assert triggered(messages).details["in_a_row"] == 2
    patient = replace(WARNING, escalation=Escalation(unknown=3))
    assert triggered(schedules.on_unknown(MONTHLY, UNKNOWN, WHY, NOW, told, patient)).severity == "warning"


def test_an_open_incident_never_gets_quieter() -> None:
    missed = schedules.on_missed(
        MONTHLY, OccurrenceEnding(OccurrenceState.MISSED), NOW, IncidentHistory(), CONTEXT
    )
    told = IncidentHistory(1, {"pagerduty": NOW}, triggered(missed))
    patient = replace(WARNING, escalation=Escalation(unknown=9))
    assert triggered(schedules.on_unknown(MONTHLY, UNKNOWN, WHY, NOW, told, patient)).severity == "error"


def test_a_pass_resolves_a_schedules_incident_at_every_sink_where_it_is_open() -> None:
    messages = schedules.on_passed(MONTHLY, NOW, open_since(NOW, "pagerduty", "webhook"))
    assert [(each.kind, each.sink) for each in messages] == [("resolve", "pagerduty"), ("resolve", "webhook")]
    assert schedules.on_passed(MONTHLY, NOW, IncidentHistory()) == []


def test_files_that_cannot_be_used_are_told_once_and_resolved_when_mended() -> None:
    subject = Subject("", "monthly", "testbed")
    problems = ["x.yaml:2:1: unknown key 'laod'"]
    event = triggered(schedules.on_files(subject, problems, NOW, IncidentHistory(), WARNING))
    assert event.dedup_key == "seatrial/testbed/schedule.monthly.files"
    assert event.summary == "monthly on testbed: what is due cannot run: x.yaml:2:1: unknown key 'laod'"
    told = IncidentHistory(1, {"pagerduty": NOW}, event)
    assert schedules.on_files(subject, problems, NOW, told, WARNING) == []
    assert [each.kind for each in schedules.on_files(subject, ["other"], NOW, told, WARNING)] == ["trigger"]
    assert [each.kind for each in schedules.on_files(subject, [], NOW, told, WARNING)] == ["resolve"]
    assert schedules.on_files(subject, [], NOW, IncidentHistory(), WARNING) == []


def test_nothing_but_blackouts_is_a_warning_while_nothing_else_is_open() -> None:
    skipped = OccurrenceEnding(OccurrenceState.SKIPPED, detail="never: freeze")
    event = triggered(
        schedules.on_nothing_but_blackouts(MONTHLY, skipped, 3, NOW, IncidentHistory(), WARNING)
    )
    assert event.severity == "warning"
    assert event.summary.endswith("was skipped, as the 2 before it: never: freeze")
    assert schedules.on_nothing_but_blackouts(MONTHLY, skipped, 3, NOW, open_since(NOW), WARNING) == []


def test_whose_schedule_it_is_is_told_with_each_of_its_incidents() -> None:
    subject = Subject("", "monthly", "shop")
    for context, owner in ((CONTEXT, "team-shop"), (Context(routes=KEPT), None)):
        missed = triggered(schedules.on_missed(MONTHLY, MISSED, NOW, IncidentHistory(), context))
        files = triggered(schedules.on_files(subject, ["a typo"], NOW, IncidentHistory(), context))
        assert (missed.details.get("owner"), files.details.get("owner")) == (owner, owner)
