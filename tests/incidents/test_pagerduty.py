"""PagerDuty's limits, answers and silences."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.pagerduty_double import ROUTING_KEY, TOKEN, PagerDutyDouble, Trouble
from tests.support.sinks import settings_of

from seatrial.incidents.event import IncidentEvent, Kind
from seatrial.incidents.pagerduty import EVENTS_URL, render
from seatrial.incidents.posting import retry_after_s
from seatrial.incidents.sink import Refused, TryLater
from seatrial.incidents.sinks.pagerduty import PagerdutySettings, PagerdutySink
from seatrial.incidents.sinks.pagerduty_notes import NotesSettings, PagerdutyNotesSink
from seatrial.incidents.variables import Secret

KEY = "seatrial/testbed/crash"


def event(kind: Kind = Kind.TRIGGER, **changes: Any) -> IncidentEvent:
    fields: dict[str, Any] = {
        "kind": kind,
        "dedup_key": KEY,
        "at": "2026-03-01T03:00:00+00:00",
        "summary": "crash failed",
        "target": "testbed",
        "experiment": "crash",
        "run": "r1",
        "report_url": "https://trials.example/runs/r1",
    }
    return IncidentEvent(**fields | changes)


def events_to(url: str = EVENTS_URL, key: str = ROUTING_KEY, timeout_s: float = 15.0) -> PagerdutySink:
    return PagerdutySink(settings_of(PagerdutySettings, key=key, events_url=url), timeout_s)


def notes_to(url: str, token: str = TOKEN) -> PagerdutyNotesSink:
    return PagerdutyNotesSink(
        settings_of(NotesSettings, token=token, from_="sre@example.com", api_url=url), 5.0
    )


@pytest.fixture
def double() -> Iterator[PagerDutyDouble]:
    with PagerDutyDouble(hang_s=2.0, retry_after_s="7") as running:
        yield running


@pytest.fixture
def sink(double: PagerDutyDouble) -> Iterator[PagerdutySink]:
    with closing(events_to(double.url, timeout_s=0.3)) as events:
        yield events


def test_an_incidents_whole_life(double: PagerDutyDouble, sink: PagerdutySink) -> None:
    sink.send(event(details={"verdict": "fail"}), "1")
    sink.send(event(summary="again"), "2")
    alert = double.open(KEY)
    assert alert is not None
    assert len(alert.log) == 2
    assert alert.log[0]["payload"]["custom_details"] == {"run": "r1", "verdict": "fail"}
    assert alert.log[0]["links"] == [{"href": "https://trials.example/runs/r1", "text": "Report of the run"}]
    sink.send(event(Kind.RESOLVE), "3")
    assert alert.status == "resolved"
    sink.send(event(Kind.CHANGE), "4")
    assert [change["payload"]["summary"] for change in double.changes] == ["crash failed"]
    assert double.rejected == []


def test_a_note_is_written_only_when_somebody_has_taken_it(
    double: PagerDutyDouble, sink: PagerdutySink
) -> None:
    notes = notes_to(double.url)
    assert notes.acknowledged(KEY) is None
    sink.send(event(), "1")
    assert notes.acknowledged(KEY) is False
    assert "not acknowledged" in notes.send(event(Kind.NOTE), "2")
    double.acknowledge(KEY)
    assert notes.acknowledged(KEY) is True
    objective = {"objective": "downtime", "measured": "7 … 8 s", "target": "5 s"}
    assert notes.send(event(Kind.NOTE, details={"objectives": [objective]}), "3") == ""
    alert = double.open(KEY)
    assert alert is not None
    (note,) = alert.notes
    assert "Still failing: crash failed" in note
    assert "downtime: 7 … 8 s, target 5 s" in note
    notes.close()


@pytest.mark.parametrize(
    ("trouble", "taken"),
    [
        (Trouble.SERVER_ERROR, False),
        (Trouble.RESET_BEFORE, False),
        (Trouble.HANG_BEFORE, False),
        (Trouble.RESET_AFTER, True),
        (Trouble.HANG_AFTER, True),
    ],
)
def test_every_passing_trouble_is_tried_once_and_put_off(
    double: PagerDutyDouble, sink: PagerdutySink, trouble: Trouble, *, taken: bool
) -> None:
    double.trouble = lambda: trouble
    with pytest.raises(TryLater) as caught:
        sink.send(event(), "1")
    assert double.requests == 1
    assert ROUTING_KEY not in str(caught.value)
    assert bool(double.alerts) == taken


def test_429_waits_as_long_as_it_says_and_quiets_the_whole_sink(
    double: PagerDutyDouble, sink: PagerdutySink
) -> None:
    double.trouble = lambda: Trouble.RATE_LIMIT
    with pytest.raises(TryLater) as caught:
        sink.send(event(), "1")
    assert (caught.value.after_s, caught.value.whole_sink, double.requests) == (7.0, True, 1)


def test_a_wrong_key_is_refused_and_never_shown(double: PagerDutyDouble) -> None:
    wrong = "f" * 32
    with (
        closing(events_to(double.url, wrong)) as events,
        pytest.raises(Refused, match="belongs to no integration") as caught,
    ):
        events.send(event(), "1")
    assert wrong not in str(caught.value)
    assert wrong not in repr(Secret(wrong))
    with (
        closing(notes_to(double.url, "wrong")) as notes,
        pytest.raises(Refused, match="does not know this key"),
    ):
        notes.send(event(Kind.NOTE), "1")


def test_no_network_is_put_off() -> None:
    with (
        closing(events_to("http://127.0.0.1:9")) as events,
        pytest.raises(TryLater, match="cannot be reached"),
    ):
        events.send(event(), "1")


def test_plain_http_is_for_loopback_alone() -> None:
    with pytest.raises(Exception, match="only https"):
        events_to("http://events.example.com")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=200),
    lambda children: (
        st.lists(children, max_size=5) | st.dictionaries(st.text(max_size=20), children, max_size=5)
    ),
    max_leaves=20,
)


@settings(max_examples=20, deadline=None)
@given(
    summary=st.text(min_size=1, max_size=3000),
    key=st.text(min_size=1, max_size=600),
    details=st.dictionaries(st.text(max_size=20), json_values, max_size=4),
    repeat=st.sampled_from([1, 3000]),
)
def test_nothing_is_ever_too_large(summary: str, key: str, details: dict[str, Any], repeat: int) -> None:
    huge = {
        name: [value] * repeat if index % 2 else str(value) * repeat
        for index, (name, value) in enumerate(details.items())
    }
    body = cast("dict[str, Any]", render(event(summary=summary, dedup_key=key, details=huge)))
    assert len(body["payload"]["summary"]) <= 1024
    assert len(body["dedup_key"]) <= 255
    assert len(json.dumps(body).encode()) <= 512 * 1024


def test_what_is_cut_is_marked_and_long_keys_stay_different() -> None:
    body = cast(
        "dict[str, Any]",
        render(event(summary="s" * 2000, details={"log": "x" * 10**6, "many": ["y"] * 10**6})),
    )
    assert body["payload"]["summary"].endswith("…[cut]")
    assert body["payload"]["custom_details"]["log"].endswith("…[cut]")
    assert body["payload"]["custom_details"]["many"][-1].endswith("…[cut]")
    keys = {cast("dict[str, Any]", render(event(dedup_key="k" * 300 + end)))["dedup_key"] for end in "ab"}
    assert len(keys) == 2


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("12", 12.0),
        ("Sun, 01 Mar 2026 03:00:30 GMT", 30.0),
        ("soon", None),
        (None, None),
        ("Sun, 01 Mar 2026 00:00:00 GMT", 0.0),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, seconds: float | None) -> None:
    assert retry_after_s(value, datetime(2026, 3, 1, 3, 0, tzinfo=UTC)) == seconds
