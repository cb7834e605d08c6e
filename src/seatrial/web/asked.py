"""What can be asked of a page in its address; everything else there is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

_PAGES = 100_000
_Text = Annotated[str, StringConstraints(max_length=300)]


class Asked(BaseModel):
    """Nothing can be asked."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class AskedRuns(Asked):
    """Which runs."""

    experiment: _Text = ""
    """Of this experiment alone."""
    target: _Text = ""
    """On this target alone."""
    verdict: Literal["", "pass", "fail", "unknown"] = ""
    """With this verdict alone."""
    since: Annotated[str, StringConstraints(pattern=r"^(\d{4}-\d{2}-\d{2})?$")] = ""
    """Started on this day (UTC) or later."""
    covers: _Text = ""
    """Evidence for this requirement."""
    page: Annotated[int, Field(ge=1, le=_PAGES)] = 1
    """Which page; the first holds the newest."""

    @property
    def first_instant(self) -> datetime | None:
        """The start of `since`. Raises ValueError for a day that no calendar has."""
        if not self.since:
            return None
        day = date.fromisoformat(self.since)
        return datetime(day.year, day.month, day.day, tzinfo=UTC)


class AskedRun(Asked):
    """Which run."""

    run: _Text
    """Its id."""


class AskedMonths(Asked):
    """Which experiment."""

    experiment: _Text
    """Its name."""
    target: _Text = ""
    """The target that it ran on; without one, that of its latest run."""


class AskedComparison(Asked):
    """Which two runs."""

    a: _Text = ""
    """The id of the earlier; without it, the later is held beside all before it."""
    b: _Text = ""
    """The id of the later."""


class AskedSchedules(Asked):
    """Which occurrences."""

    schedule: _Text = ""
    """Of this schedule alone."""
    state: Literal["", "running", "run", "missed", "skipped", "interrupted"] = ""
    """In this state alone."""
    page: Annotated[int, Field(ge=1, le=_PAGES)] = 1
    """Which page; the first holds the newest."""
