"""What `seatrial schedule next` lists: planned instants in local time and UTC, clock changes, blackouts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from itertools import islice

from seatrial.schedule.loading import LoadedSchedule


@dataclass(frozen=True, slots=True)
class Upcoming:
    """One planned instant. `due` has the jitter added; `blackout` says why it will be skipped, if it will."""

    schedule: str
    target: str
    planned: datetime  # UTC
    local: datetime
    due: datetime  # UTC
    note: str
    blackout: str | None

    def to_json(self) -> dict[str, str | None]:
        """The keys that `--json` prints."""
        return {
            "schedule": self.schedule,
            "target": self.target,
            "planned_utc": _utc(self.planned),
            "local": self.local.isoformat(),
            "due_utc": _utc(self.due),
            "note": self.note,
            "blackout": self.blackout,
        }


def upcoming(schedules: Sequence[LoadedSchedule], after: datetime, count: int) -> list[Upcoming]:
    """The next `count` planned instants of all schedules together, in order."""
    streams = [_upcoming(loaded, after) for loaded in schedules]
    return list(islice(merge(*streams, key=lambda each: (each.planned, each.schedule)), count))


def _upcoming(loaded: LoadedSchedule, after: datetime) -> Iterator[Upcoming]:
    for instant in loaded.planned(after):
        occurrence = loaded.occurrence(instant.utc)
        yield Upcoming(
            schedule=loaded.name,
            target=loaded.target_name,
            planned=instant.utc,
            local=instant.utc.astimezone(loaded.schedule.timezone),
            due=occurrence.due_at,
            note=instant.note,
            blackout=loaded.allowance.blackout(occurrence.due_at),
        )


def _utc(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")
