"""Change freezes as offices export them: every one is honoured, or refused with its line."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import count, islice, takewhile
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.model.problems import BadInput
from seatrial.schedule.ics import instant, read_calendar
from seatrial.schedule.windows import DatedSpan

BERLIN = ZoneInfo("Europe/Berlin")

# As Exchange writes it: the zone by its Windows name, with rules that begin in 1601.
EXCHANGE_ZONE = """\
BEGIN:VTIMEZONE
TZID:{name}
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0200
TZOFFSETTO:{winter}
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:{winter}
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE
"""
CUSTOM_ZONE = EXCHANGE_ZONE.format(name="Customized Time Zone", winter="+0100")


def calendar(*events: str, head: str = "") -> str:
    """A calendar of events, each given as its lines."""
    bodies = "".join(f"BEGIN:VEVENT\n{event}\nEND:VEVENT\n" for event in events)
    return f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\n{head}{bodies}END:VCALENDAR\n"


def found(
    text: str, start: str = "2026-01-01", end: str = "2027-01-01", zone: ZoneInfo = BERLIN
) -> list[str]:
    """The spans of a calendar in Berlin's time, as `begin/end summary`."""
    spans = read_calendar(text, "f.ics", zone).between(
        datetime.fromisoformat(start).replace(tzinfo=UTC), datetime.fromisoformat(end).replace(tzinfo=UTC)
    )
    return [f"{_local(span.start)}/{_local(span.end)} {span.why}".rstrip() for span in spans]


def _local(at: datetime) -> str:
    return at.astimezone(BERLIN).strftime("%m-%dT%H:%M")


def test_single_events_in_every_form() -> None:
    text = calendar(
        "SUMMARY:Quarter end\\, no\n  changes\nDTSTART;VALUE=DATE:20260331\nDTEND;VALUE=DATE:20260402\nCLASS:PRIVATE",
        'SUMMARY:Launch\nDTSTART;TZID=America/New_York:20260410T090000\nDURATION:PT2H30M\nX-ODD;Y="a:b":1',
        "SUMMARY:Called off\nSTATUS:CANCELLED\nDTSTART:20260501T000000Z\nDTEND:20260502T000000Z",
        "DTSTART;VALUE=DATE:20260329\nSUMMARY:Holiday\nBEGIN:VALARM\nTRIGGER:-PT15M\nACTION:DISPLAY\nEND:VALARM",
        "DTSTART:20260601T120000\nDTEND:20260601T130000\nSUMMARY:Floating",
        "DTSTART:20260701T120000Z\nSUMMARY:A moment",
        "TRANSP:TRANSPARENT\nX-MICROSOFT-CDO-BUSYSTATUS:FREE\nSTATUS:TENTATIVE\nDTSTART;VALUE=DATE:20260801\nSUMMARY:Free",
    )
    assert found(text) == [
        "03-29T00:00/03-30T00:00 Holiday",  # 23 hours long
        "03-31T00:00/04-02T00:00 Quarter end, no changes",
        "04-10T15:00/04-10T17:30 Launch",
        "06-01T12:00/06-01T13:00 Floating",
        "08-01T00:00/08-02T00:00 Free",
    ]
    assert found("\ufeff" + text.replace("\n", "\r\n")) == found(text)


WEEKLY = "UID:1\nSUMMARY:No deploys\nDTSTART;TZID={zone}:20260306T120000\nDTEND;TZID={zone}:20260306T180000\nRRULE:FREQ=WEEKLY"


@pytest.mark.parametrize(
    ("zone", "head"),
    [
        ("W. Europe Standard Time", EXCHANGE_ZONE.format(name="W. Europe Standard Time", winter="+0100")),
        (
            "W. Europe Standard Time",
            EXCHANGE_ZONE.format(name="W. Europe Standard Time", winter="-0500"),
        ),  # stale
        ("W. Europe Standard Time", ""),
        ("Customized Time Zone", CUSTOM_ZONE),
        ("/example.org/Europe/Berlin", ""),
        ('"Europe/Berlin"', ""),
    ],
)
def test_a_recurring_event_follows_the_clock_of_its_zone(zone: str, head: str) -> None:
    text = calendar(WEEKLY.format(zone=zone) + ";UNTIL=20260403T100000Z", head=head)
    assert found(text) == [
        f"{day}T12:00/{day}T18:00 No deploys" for day in ("03-06", "03-13", "03-20", "03-27", "04-03")
    ]


def test_two_files_may_mean_different_zones_by_one_name() -> None:
    event = "DTSTART;TZID=Office:20260110T120000\nDURATION:PT1H"
    for winter, hour in (("+0100", 12), ("-0500", 18), ("+0100", 12)):
        head = EXCHANGE_ZONE.format(name="Office", winter=winter)
        assert found(calendar(event, head=head)) == [f"01-10T{hour}:00/01-10T{hour + 1}:00"]
    both = "".join(
        calendar(event, head=EXCHANGE_ZONE.format(name="Office", winter=winter))
        for winter in ("+0100", "-0500")
    )
    assert found(both) == ["01-10T12:00/01-10T13:00", "01-10T18:00/01-10T19:00"]


SERIES = WEEKLY.format(zone="Europe/Berlin") + ";COUNT=4"


@pytest.mark.parametrize(
    ("change", "begins"),
    [
        ("", ["06T12", "13T12", "20T12", "27T12"]),
        ("\nEXDATE;TZID=Europe/Berlin:20260313T120000,20260327T120000", ["06T12", "20T12"]),
        ("\nEXDATE:20260313T110000Z", ["06T12", "20T12", "27T12"]),
        ("\nEXDATE;VALUE=DATE:20260313", ["06T12", "20T12", "27T12"]),
        ("\nEXDATE:20260313T115900Z", ["06T12", "13T12", "20T12", "27T12"]),  # of no occurrence
        ("\nRDATE;TZID=Europe/Berlin:20260315T120000", ["06T12", "13T12", "15T12", "20T12", "27T12"]),
    ],
)
def test_exceptions_and_additions(change: str, begins: list[str]) -> None:
    assert [span[3:8] for span in found(calendar(SERIES + change))] == begins


def test_one_occurrence_moved_and_one_cancelled() -> None:
    moved = "UID:1\nSUMMARY:Moved\nRECURRENCE-ID;TZID=Europe/Berlin:20260313T120000\nDTSTART:20260314T080000Z\nDURATION:PT1H"
    cancelled = (
        "UID:1\nSTATUS:CANCELLED\nRECURRENCE-ID:20260320T110000Z\nDTSTART:20260320T110000Z\nDURATION:PT6H"
    )
    expected = [
        "03-06T12:00/03-06T18:00 No deploys",
        "03-14T09:00/03-14T10:00 Moved",
        "03-27T12:00/03-27T18:00 No deploys",
    ]
    assert found(calendar(SERIES, moved, cancelled)) == expected
    assert found(calendar(cancelled, moved, SERIES)) == expected  # in whatever order
    assert found(calendar(moved)) == ["03-14T09:00/03-14T10:00 Moved"]  # a change of what is not in the file
    future = moved.replace("RECURRENCE-ID;", "RECURRENCE-ID;RANGE=THISANDFUTURE;")
    assert [span[:11] for span in found(calendar(SERIES, future))] == [
        "03-06T12:00", "03-14T09:00", "03-21T09:00", "03-28T09:00",
    ]  # fmt: skip
    assert found(calendar(SERIES + "\nSTATUS:CANCELLED")) == []


def test_the_newer_version_of_an_event_counts() -> None:
    newer = SERIES.replace("T120000", "T130000") + "\nSEQUENCE:2"
    assert found(calendar(newer, SERIES))[0] == "03-06T13:00/03-06T18:00 No deploys"
    assert len(found(calendar(SERIES, SERIES))) == 4
    with pytest.raises(BadInput, match=r"f\.ics:11: line 4 has an event of the same UID, and no SEQUENCE"):
        read_calendar(calendar(SERIES, SERIES.replace("COUNT=4", "COUNT=5")), "f.ics", BERLIN)


@pytest.mark.parametrize(
    ("until", "last"),
    [
        ("20260327", "03-27"),  # a date where a time belongs: all of that day
        ("20260327T110000Z", "03-27"),
        ("20260327T120000", "03-27"),  # a time without a zone is in the event's
        ("20260327T105959Z", "03-20"),
        ("20260326", "03-20"),
    ],
)
def test_until_in_every_form(until: str, last: str) -> None:
    assert found(calendar(SERIES.replace("COUNT=4", f"UNTIL={until}")))[-1][:5] == last


def test_whole_days_recur_in_the_calendars_own_zone() -> None:
    days = (
        "UID:1\nSUMMARY:Year end\nDTSTART;VALUE=DATE:20251224\nDTEND;VALUE=DATE:20251227\nRRULE:FREQ=YEARLY"
    )
    assert found(calendar(days)) == ["12-24T00:00/12-27T00:00 Year end"]
    assert found(calendar(days), zone=ZoneInfo("UTC")) == ["12-24T01:00/12-27T01:00 Year end"]
    google = calendar(days, head="X-WR-TIMEZONE:Europe/Berlin\n")
    assert found(google, zone=ZoneInfo("UTC")) == ["12-24T00:00/12-27T00:00 Year end"]
    assert found(calendar(days), "2050-01-01", "2051-01-01") == ["12-24T00:00/12-27T00:00 Year end"]  # no end


NIGHT = "UID:1\nDTSTART;TZID={zone}:20261023T{begin}\n{length}\nRRULE:FREQ=DAILY;COUNT=4"


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Customized Time Zone"])
def test_a_night_in_which_the_clocks_change(zone: str) -> None:
    end = NIGHT.format(zone=zone, begin="220000", length=f"DTEND;TZID={zone}:20261024T060000")
    assert found(calendar(end, head=CUSTOM_ZONE))[1] == "10-24T22:00/10-25T06:00"  # nine hours
    duration = NIGHT.format(zone=zone, begin="220000", length="DURATION:PT8H")
    assert found(calendar(duration, head=CUSTOM_ZONE))[1] == "10-24T22:00/10-25T05:00"
    twice = NIGHT.format(zone=zone, begin="023000", length="DURATION:PT1H")
    (first,) = read_calendar(calendar(twice, head=CUSTOM_ZONE), "f.ics", BERLIN).between(
        datetime(2026, 10, 25, tzinfo=UTC), datetime(2026, 10, 25, 12, tzinfo=UTC)
    )
    assert first.start == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # the first of the two
    gap = f"DTSTART;TZID={zone}:20260329T023000\nDURATION:PT1H"
    assert found(calendar(gap, head=CUSTOM_ZONE)) == ["03-29T03:30/03-29T04:30"]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("SUMMARY:x", r"f\.ics:4: an event without DTSTART"),
        ("DTSTART:soon", r"f\.ics:5: DTSTART: .*'soon'"),
        (
            "DTSTART;TZID=Mars/Olympus:20260101T000000",
            r"f\.ics:5: DTSTART: the time zone Mars/Olympus is not known",
        ),
        ("DTSTART;TZID=:20260101T000000", r"f\.ics:5: DTSTART: the time zone  is not known"),
        (
            "DTSTART:20260101T000000Z\nEXDATE;TZID=Nowhere:20260101T000000",
            r"f\.ics:6: EXDATE: the time zone Nowhere",
        ),
        ("DTSTART:20260101T000000Z\nDURATION:long", r"f\.ics:6: DURATION: .*'long'"),
        ("DTSTART:20260101T000000Z\nDURATION:-PT1H", "is less than nothing"),
        ("DTSTART;VALUE=DATE:20260101\nDURATION:PT1H", "hours are no duration for an event of whole days"),
        (
            "DTSTART:20260101T000000Z\nDTEND:20251231T000000Z",
            r"f\.ics:6: DTEND: the event ends before it begins",
        ),
        (
            "DTSTART:20260101T000000Z\nDTEND;VALUE=DATE:20260102",
            "DTEND: a date, and DTSTART is a time with a zone",
        ),
        ("DTSTART:20260101T000000Z\nDTSTART:20260102T000000Z", "DTSTART stands twice"),
        (
            "DTSTART:20260101T000000Z\nRRULE:FREQ=SECONDLY",
            r"f\.ics:6: RRULE: an event that recurs SECONDLY is not taken",
        ),
        ("DTSTART:20260101T000000Z\nRRULE:FREQ=FORTNIGHTLY", r"f\.ics:6: RRULE: .*FORTNIGHTLY"),
        ("DTSTART:20260101T000000Z\nEXRULE:FREQ=DAILY", "EXRULE is not read"),
        ("DTSTART:20260101T000000Z\nEXDATE:yesterday", r"f\.ics:6: EXDATE"),
        ("DTSTART:20260101T000000Z\nRDATE:tomorrow", r"f\.ics:6: RDATE"),
    ],
)
def test_what_would_be_read_wrongly_is_refused(content: str, complaint: str) -> None:
    with pytest.raises(BadInput, match=complaint):
        read_calendar(calendar(content), "f.ics", BERLIN)


@pytest.mark.parametrize(
    ("head", "complaint"),
    [
        ("CALSCALE:HEBREW\n", r"f\.ics:4: only Gregorian calendars"),
        ("X-WR-TIMEZONE:Mars/Olympus\n", r"f\.ics:4: X-WR-TIMEZONE: the time zone Mars/Olympus"),
        (
            "BEGIN:VFREEBUSY\nFREEBUSY:20260101T000000Z/PT1H\nEND:VFREEBUSY\n",
            r"f\.ics:4: VFREEBUSY: busy times",
        ),
    ],
)
def test_calendars_that_are_not_ones_of_events(head: str, complaint: str) -> None:
    with pytest.raises(BadInput, match=complaint):
        read_calendar(calendar(head=head), "f.ics", BERLIN)


def test_a_zone_that_its_file_defines_wrongly() -> None:
    broken = CUSTOM_ZONE.replace("TZOFFSETTO:+0100\n", "")
    event = "DTSTART;TZID=Customized Time Zone:20260101T000000"
    with pytest.raises(BadInput, match=r"f\.ics:4: the time zone Customized Time Zone is not understood"):
        read_calendar(calendar(event, head=broken), "f.ics", BERLIN)


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(BadInput) as caught:
        read_calendar(
            calendar("SUMMARY:x", "DTSTART:soon", "UID:1\nDTSTART:20260101T000000Z\nRRULE:FREQ=HOURLY"),
            "f.ics",
            BERLIN,
        )
    assert [each.location.line for each in caught.value.problems if each.location] == [4, 8, 13]


# An oracle that walks through the days: what a person does with a calendar and a finger.

ZONES = [BERLIN, ZoneInfo("America/New_York"), ZoneInfo("Australia/Lord_Howe"), ZoneInfo("Asia/Beirut")]
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
hours = st.builds(time, st.integers(0, 23), st.sampled_from([0, 30]))


def days_of(rule: dict[str, object], first: date) -> Iterator[date]:
    """The days of a rule from its first on, endlessly."""
    step = int(str(rule["INTERVAL"]))
    monday = first - timedelta(days=first.weekday())
    for day in (first + timedelta(days=number) for number in count()):
        named = WEEKDAYS[day.weekday()] in str(rule["BYDAY"]).split(",")
        if rule["FREQ"] == "DAILY":
            fits = named and (day - first).days % step == 0
        elif rule["FREQ"] == "WEEKLY":
            fits = named and ((day - monday).days // 7) % step == 0
        else:
            fits = named and ((day.year - first.year) * 12 + day.month - first.month) % step == 0
        if fits or day == first:
            yield day


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_recurring_events_against_a_walk_through_the_days(data: st.DataObject) -> None:
    zone = data.draw(st.sampled_from(ZONES))
    first = data.draw(st.dates(date(2025, 1, 1), date(2026, 6, 1)))
    at, last = data.draw(hours), data.draw(st.integers(1, 90)) * timedelta(minutes=30)
    weekdays = data.draw(st.sets(st.sampled_from(WEEKDAYS), min_size=1, max_size=4)) | {
        WEEKDAYS[first.weekday()]
    }
    rule = {
        "FREQ": data.draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY"])),
        "INTERVAL": data.draw(st.integers(1, 3)),
        "BYDAY": ",".join(sorted(weekdays)),
    }
    occurrences = data.draw(st.integers(1, 30))
    end = data.draw(st.sampled_from(["", "count", "until"]))
    days = list(
        takewhile(
            lambda day: day < date(2027, 1, 1), islice(days_of(rule, first), 800 if not end else occurrences)
        )
    )
    if end == "count":
        rule["COUNT"] = occurrences
    elif end == "until":
        rule["UNTIL"] = f"{days[-1]:%Y%m%d}"
    gone = set(data.draw(st.lists(st.sampled_from(days), max_size=3)))
    lines = [
        "UID:1",
        f"DTSTART;TZID={zone.key}:{datetime.combine(first, at):%Y%m%dT%H%M%S}",
        f"DURATION:PT{int(last.total_seconds() // 60)}M",
        "RRULE:" + ";".join(f"{key}={value}" for key, value in rule.items()),
        *(f"EXDATE;TZID={zone.key}:{datetime.combine(day, at):%Y%m%dT%H%M%S}" for day in sorted(gone)),
    ]
    expected = [
        DatedSpan(begins, begins + last, "")
        for begins in (instant(datetime.combine(day, at), zone) for day in days if day not in gone)
        if begins < datetime(2026, 12, 1, tzinfo=UTC)
    ]
    calendar_of = read_calendar(calendar("\n".join(lines)), "f.ics", BERLIN)
    assert (
        list(calendar_of.between(datetime(2024, 12, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)))
        == expected
    )
    for span in data.draw(st.lists(st.sampled_from(expected), max_size=3)) if expected else []:
        assert calendar_of.covering(span.start, BERLIN) is not None
        assert calendar_of.covering(span.end - timedelta(seconds=1), BERLIN) is not None
        inside = any(other.holds(span.end) for other in expected)
        assert (calendar_of.covering(span.end, BERLIN) is not None) == inside


minutes = st.integers(0, 2 * 366 * 24 * 60).map(
    lambda since: datetime(2025, 1, 1) + timedelta(minutes=since)  # noqa: DTZ001  # the wall clock
)


@given(minutes, st.sampled_from(ZONES))
def test_an_instant_is_what_the_standard_library_says_of_the_first(at: datetime, zone: ZoneInfo) -> None:
    assert instant(at, zone) == at.replace(tzinfo=zone, fold=0).astimezone(UTC)


WHOLE = calendar(
    SERIES + "\nEXDATE;TZID=Europe/Berlin:20260313T120000",
    "UID:1\nRECURRENCE-ID;TZID=Europe/Berlin:20260320T120000\nDTSTART;TZID=Customized Time Zone:20260314T080000\nDURATION:P1DT1H",
    "UID:2\nDTSTART:20260101T000000Z\nDTEND:20260101T010000Z\nRRULE:FREQ=MONTHLY;BYDAY=-1FR;BYSETPOS=1;UNTIL=20270101\n"
    "RDATE;VALUE=PERIOD:20260301T000000Z/PT3H,20260305T000000Z/20260305T020000Z\nSEQUENCE:3",
    head=CUSTOM_ZONE + "X-WR-TIMEZONE:Europe/Berlin\n",
)
edits = st.lists(
    st.tuples(st.integers(0, len(WHOLE) - 1), st.sampled_from(["", *"0123456789TZ;:=,/-+ \nAMOFREQ"])),
    max_size=4,
)


@settings(max_examples=30, deadline=None)
@given(edits)
def test_a_damaged_calendar_is_read_or_refused_and_nothing_else(damage: list[tuple[int, str]]) -> None:
    text = list(WHOLE)
    for place, character in damage:
        text[place] = character
    try:
        read = read_calendar("".join(text), "f.ics", BERLIN)
    except BadInput as error:
        assert all(problem.location and problem.location.line for problem in error.problems)
    else:
        spans = read.between(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
        assert all(span.start < span.end for span in spans)
