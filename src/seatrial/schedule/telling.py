"""What a schedule causes to be told: its occurrences and its files, in the words of `incidents.schedules`.

A failing run has told its experiment's incident already, so a schedule tells what no run can: that nothing
was run, that nothing was proved, that what is due next cannot run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from seatrial.incidents import history, schedules
from seatrial.incidents.event import Subject
from seatrial.incidents.history import IncidentHistory
from seatrial.incidents.policy import Context, Routes
from seatrial.model.experiment import Severity
from seatrial.model.problems import Problem
from seatrial.model.verdict import Verdict
from seatrial.schedule.loading import LoadedSchedule
from seatrial.store import Occurrence, OccurrenceEnding, OccurrenceState, OutboxMessage, Store

_LONG, _MANY = timedelta(days=60), 3  # a freeze over the turn of the year takes two of a monthly schedule


@dataclass(frozen=True, slots=True)
class Teller:
    """Makes the messages of schedules. Every method raises Unavailable when the database is away."""

    store: Store
    routes: Routes

    def of_ending(
        self,
        loaded: LoadedSchedule,
        occurrence: Occurrence,
        ending: OccurrenceEnding,
        at: datetime,
        unproven: Sequence[str] = (),
    ) -> list[OutboxMessage]:
        """What an occurrence causes to be told. `unproven`: what in it came out unknown."""
        incident = loaded.schedule.incident
        past = history.of_schedule(self.store, occurrence.target, occurrence.schedule)
        if ending.state is OccurrenceState.SKIPPED:
            return self._of_skipped(loaded, occurrence, ending, at, past)
        if ending.state is not OccurrenceState.RUN:
            context = self._context(loaded, incident.severity)
            return schedules.on_missed(occurrence, ending, at, past, context) if incident.missed else []
        verdict = Verdict(ending.verdict)
        if verdict is Verdict.UNKNOWN and not unproven:
            unproven = [ending.detail or "no reason is known"]
        if unproven:
            if incident.unknown is None:
                return []
            context = self._context(loaded, incident.unknown)
            return schedules.on_unknown(occurrence, ending, unproven, at, past, context)
        return schedules.on_passed(occurrence, at, past) if verdict is Verdict.PASS else []

    def _of_skipped(
        self,
        loaded: LoadedSchedule,
        occurrence: Occurrence,
        ending: OccurrenceEnding,
        at: datetime,
        past: IncidentHistory,
    ) -> list[OutboxMessage]:
        """A blackout is as it should be, until there is nothing else for months."""
        before, first = self.store.occurrences.skipped_since(occurrence.schedule)
        long = first is not None and occurrence.planned_at - first >= _LONG
        if not loaded.schedule.incident.missed or not long or before + 1 < _MANY:
            return []
        context = self._context(loaded, "warning")
        return schedules.on_nothing_but_blackouts(occurrence, ending, before + 1, at, past, context)

    def of_files(
        self, loaded: LoadedSchedule, problems: Sequence[Problem], at: datetime
    ) -> list[OutboxMessage]:
        """What is told when a schedule's files cannot be used, or can be used again (no problems)."""
        if not loaded.schedule.incident.missed:
            return []
        past = history.of_files(self.store, loaded.target_name, loaded.name)
        subject = Subject("", loaded.name, loaded.target_name)
        told = [str(problem) for problem in problems]
        return schedules.on_files(subject, told, at, past, self._context(loaded, "warning"))

    def _context(self, loaded: LoadedSchedule, severity: Severity) -> Context:
        owner = loaded.schedule.owner
        return Context(severity, loaded.escalation, self.routes, reproduce=loaded.command, owner=owner)
