"""The outline of a calendar file: every line that is refused is named."""

from __future__ import annotations

import pytest

from seatrial.model.problems import BadInput
from seatrial.schedule.contentlines import outline

CALENDAR = "BEGIN:VCALENDAR\nX-A:1\nBEGIN:VEVENT\nSUMMARY:Quarter end\\, no\n  changes\nUID:1\nEND:VEVENT\nEND:VCALENDAR\n"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("before", ["", "\ufeff", "\n\n"])
def test_parts_lines_and_their_numbers(end: str, before: str) -> None:
    (calendar,) = outline((before + CALENDAR).replace("\n", end), "f.ics")
    (event,) = calendar.parts
    first = 1 + before.count("\n")
    assert calendar.value("x-a".upper()) == "1"
    assert [(line.number - first, line.name) for line in event.lines] == [(3, "SUMMARY"), (5, "UID")]
    assert event.lines[0].text == "SUMMARY:Quarter end\\, no changes"
    assert event.line_of("UID") - first == 5
    assert event.line_of("DTSTART") == event.number == first + 2
    assert event.text == "BEGIN:VEVENT\r\nSUMMARY:Quarter end\\, no changes\r\nUID:1\r\nEND:VEVENT\r\n"


def test_several_calendars_and_nothing_between_them() -> None:
    assert len(outline(CALENDAR + "\n" + CALENDAR, "f.ics")) == 2
    assert len(outline(CALENDAR.replace("\nUID", "\u2028x\nUID"), "f.ics")) == 1  # no end of a line here


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("hello", r"f\.ics:1: is not a calendar file"),
        ("", r"f\.ics:1: is not a calendar file"),
        (CALENDAR + "SUMMARY:x\n", r"f\.ics:9: is not a calendar file"),
        (CALENDAR.replace("END:VEVENT\n", ""), r"f\.ics:7: END:VCALENDAR ends nothing here; BEGIN:VEVENT of line 3"),
        (CALENDAR[: CALENDAR.index("UID")], r"f\.ics:3: BEGIN:VEVENT has no END: the file was cut short"),
        (CALENDAR.replace("UID:1", "DTSTART20260101"), r"f\.ics:6: 'DTSTART20260101' is not a line of a calendar"),
        (CALENDAR.replace("UID:1", "so that: x"), r"f\.ics:6: 'so that: x' is not a line"),
    ],
)  # fmt: skip
def test_what_is_no_calendar_is_refused_with_its_line(text: str, complaint: str) -> None:
    with pytest.raises(BadInput, match=complaint):
        outline(text, "f.ics")
