"""The lines of a calendar file (iCalendar, RFC 5545, section 3.1), each with its number.

A calendar library reads values; it does not say in which line they stand, forgives a file that was cut short
and drops what it cannot read. So the outline is read here, strictly: whatever is refused has its line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from seatrial.model.problems import BadInput, Location, Problem

_END_OF_LINE = re.compile(r"\r\n|\n|\r")  # not `splitlines`: a summary may hold other separators
_FORM = re.compile(r"[A-Za-z0-9-]+[;:]")


@dataclass(frozen=True, slots=True)
class ContentLine:
    """One logical line: unfolded, with the number of the first line of the file that it stands in."""

    number: int
    text: str

    @property
    def name(self) -> str:
        """The property's name."""
        return re.split("[;:]", self.text, maxsplit=1)[0].upper()


@dataclass(frozen=True, slots=True)
class Part:
    """What stands between a BEGIN and its END: lines of its own, and other parts."""

    name: str
    number: int
    lines: list[ContentLine] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)

    @property
    def text(self) -> str:
        """As it is written, parts in it included."""
        lines = [f"BEGIN:{self.name}", *(line.text for line in self.lines)]
        return (
            "\r\n".join([*lines, *(part.text.rstrip() for part in self.parts), f"END:{self.name}"]) + "\r\n"
        )

    def value(self, name: str) -> str:
        """The value of a property without parameters, or nothing."""
        found = (line.text for line in self.lines if line.name == name)
        return next(found, "").partition(":")[2].strip()

    def line_of(self, name: str) -> int:
        """The line of a property; of the part itself, when it has none of that name."""
        return next((line.number for line in self.lines if line.name == name), self.number)


def outline(text: str, file: str) -> list[Part]:
    """The calendars of a file. Raises BadInput for a file that is none, or that was cut short."""
    calendars: list[Part] = []
    open_parts: list[Part] = []
    for line in _unfolded(text):
        problem = _take(line, open_parts, calendars)
        if problem:
            raise BadInput(Problem(problem, Location(file, line.number)))
    if open_parts:
        last = open_parts[-1]
        message = f"BEGIN:{last.name} has no END: the file was cut short"
        raise BadInput(Problem(message, Location(file, last.number)))
    if not calendars:
        raise BadInput(Problem("is not a calendar file: there is no BEGIN:VCALENDAR", Location(file, 1)))
    return calendars


def _take(line: ContentLine, open_parts: list[Part], calendars: list[Part]) -> str:
    """Put a line where it belongs; what is wrong with it, or nothing."""
    word = line.text.partition(":")[2].strip().upper()
    if not open_parts and (line.name, word) != ("BEGIN", "VCALENDAR"):
        return "is not a calendar file: BEGIN:VCALENDAR is expected here"
    if not _FORM.match(line.text) or ":" not in line.text:
        return f"'{line.text[:40]}' is not a line of a calendar, such as SUMMARY:Freeze"
    if line.name == "BEGIN":
        part = Part(word, line.number)
        (open_parts[-1].parts if open_parts else calendars).append(part)
        open_parts.append(part)
    elif line.name == "END":
        if open_parts[-1].name != word:
            last = open_parts[-1]
            return f"END:{word} ends nothing here; BEGIN:{last.name} of line {last.number} is open"
        open_parts.pop()
    else:
        open_parts[-1].lines.append(line)
    return ""


def _unfolded(text: str) -> Iterator[ContentLine]:
    """A line that begins with a blank continues the one before."""
    number, parts = 0, [""]
    for current, line in enumerate(_END_OF_LINE.split(text.lstrip("\ufeff")), 1):
        if line[:1] in (" ", "\t") and parts[0]:
            parts.append(line[1:])
            continue
        if parts[0]:
            yield ContentLine(number, "".join(parts))
        number, parts = current, [line.strip() and line]
    if parts[0]:
        yield ContentLine(number, "".join(parts))
