"""Asks a target which version it is, before a run and after it. That it does not tell fails nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from seatrial.drivers import httpclient
from seatrial.drivers.launch import answer_of
from seatrial.model.problems import SeatrialError, Unavailable, translating
from seatrial.model.role import Role
from seatrial.model.secrets import shown
from seatrial.model.version import TargetVersion, VersionSource

EVENT = "target.version"
_LONGEST = 200  # characters: a whole page is no version

Note = Callable[..., None]  # event, details


class Versions:
    """What one target says of itself. `role`: the whole target; `note` is told of each answer."""

    def __init__(self, source: VersionSource | None, role: Role | None, note: Note) -> None:
        self._source = source
        self._role = role
        self._note = note
        self._answers: dict[str, Mapping[str, Any]] = {}

    def ask(self, when: str) -> None:
        """Ask it. `when`: "before" or "after"."""
        if self._source is None or self._role is None:
            return
        told, why = None, ""
        try:
            with translating("the target's version"):
                told = _told(self._source, self._role)
        except SeatrialError as error:
            why = str(error)
        answer = {"when": when, "version": told, "why": why}
        self._answers[when] = answer
        self._note(EVENT, **answer)

    @property
    def told(self) -> TargetVersion | None:
        """Both answers; None for a target that was not asked."""
        return version_in(self._answers.values())


def version_in(events: Iterable[Mapping[str, Any]]) -> TargetVersion | None:
    """The same from the events of a run's journal."""
    answers = {event["when"]: event for event in events}
    if not answers:
        return None
    before, after = (answers.get(when, {}).get("version") for when in ("before", "after"))
    whys = dict.fromkeys(event["why"] for event in answers.values() if event["why"])
    return TargetVersion(before, after, "; ".join(whys))


def _told(source: VersionSource, role: Role) -> str:
    """Raises SeatrialError when it does not tell."""
    within_s = source.within.seconds
    if source.command:
        program = role.resolved(list(source.command))
        return _first_line(answer_of(program, directory=Path(role.directory), within_s=within_s))
    base = str(role.parameters["url"])
    url = str(role.resolved(urljoin(base.rstrip("/") + "/", source.url.removeprefix("/"))))
    answer = httpclient.ask(role.allow_list, role.name, "GET", url, within_s)
    if not answer.is_success:
        raise Unavailable(f"{answer.to}: HTTP {answer.status}")
    if source.header:
        told = answer.headers.get(source.header.lower(), "")
        return _first_line(told, f"{answer.to}: there is no header {source.header}")
    if not source.key:
        return _first_line(answer.text)
    value: Any = answer.object()
    for part in source.key.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    if not isinstance(value, (str, int, float)):
        raise Unavailable(f"{answer.to}: there is no version under the key {source.key}")
    return _first_line(str(value))


def _first_line(text: str, otherwise: str = "the answer is empty") -> str:
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    if not line:
        raise Unavailable(otherwise)
    return shown(line)[:_LONGEST]
