"""Schedules as documents: what comes next, and what became of every planned instant."""

from __future__ import annotations

from seatrial.files import as_named
from seatrial.model.problems import BadInput
from seatrial.schedule import LoadedSchedule, Upcoming
from seatrial.schedule.upcoming import upcoming
from seatrial.store import OccurrenceState, RecordedOccurrence
from seatrial.web import documents
from seatrial.web.asked import AskedSchedules
from seatrial.web.sources import Sources

A_PAGE = 100  # occurrences


def schedules(sources: Sources, asked: AskedSchedules) -> documents.Schedules:
    """Every schedule that is known here or has occurrences, what is planned, and a page of what was."""
    loaded, problems = known(sources)
    counts: dict[str, dict[str, int]] = {each.name: {} for each in loaded}
    for (name, state), count in sources.store.occurrences.counts().items():
        counts.setdefault(name, {})[state.value] = count
    asked_states = [asked.state] if asked.state else list(OccurrenceState)
    total = sum(
        of_states.get(state, 0)
        for name, of_states in counts.items()
        for state in asked_states
        if asked.schedule in ("", name)
    )
    found = sources.store.occurrences.history(
        asked.schedule or None,
        A_PAGE,
        OccurrenceState(asked.state) if asked.state else None,
        (asked.page - 1) * A_PAGE,
        total,
    )
    runs = {each.name: as_named(each.runs) for each in loaded}
    return documents.Schedules(
        schedules=[
            documents.ScheduleLine(schedule=name, runs=runs.get(name, ""), counts=counts[name])
            for name in sorted(counts)
        ],
        problems=problems,
        planned=planned(sources, loaded, 12),
        occurrences=[_occurrence(each) for each in found],
        total=total,
        page=asked.page,
        pages=max(1, -(-total // A_PAGE)),
    )


def known(sources: Sources) -> tuple[list[LoadedSchedule], list[str]]:
    """The schedules of the files that were named, and what is wrong with them."""
    try:
        return sources.loaded.get(), []
    except BadInput as error:
        return [], [str(problem) for problem in error.problems]


def planned(sources: Sources, loaded: list[LoadedSchedule], count: int) -> list[documents.Planned]:
    """The next planned instants of all schedules together."""
    return [_planned(each) for each in upcoming(loaded, sources.now(), count)]


def _planned(each: Upcoming) -> documents.Planned:
    return documents.Planned(
        schedule=each.schedule,
        target=each.target,
        planned_at=each.planned,
        due_at=each.due,
        local=f"{each.local:%a %Y-%m-%d %H:%M %Z}",
        note=each.note,
        blackout=each.blackout,
    )


def _occurrence(each: RecordedOccurrence) -> documents.Occurrence:
    return documents.Occurrence(
        schedule=each.schedule,
        planned_at=each.planned_at,
        target=each.target,
        state=each.state,
        ended_at=each.ended_at,
        run=each.run,
        verdict=each.verdict,
        detail=each.detail,
    )
