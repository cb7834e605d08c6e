"""Who is asked what: probes during a run, look-ups and recordings for checks after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from seatrial.checks import registry
from seatrial.checks.protocol import AsksForRecording, AsksForWrites, Check
from seatrial.lookups import asking, recording
from seatrial.model.document import Document
from seatrial.model.experiment import Check as WrittenCheck
from seatrial.model.probe import ProbeSpec
from seatrial.model.problems import BadInput, Path, Problems
from seatrial.model.role import Role
from seatrial.probes import Question
from seatrial.probes.asking import fit as fit_probe
from seatrial.run.draft import Draft
from seatrial.run.roles import Roles


@dataclass(frozen=True, slots=True)
class Questions:
    """All that is asked in a run, and the checks that judge the answers."""

    checks: tuple[Check, ...]
    lookups: tuple[Role, ...]  # through which checks ask which writes the target holds
    recordings: tuple[Role, ...]  # which are recorded after the run, for checks to judge
    steady_state: tuple[Question, ...]
    guard_probes: tuple[Question | None, ...]  # one for each guard that goes by a probe, else None


def bind_questions(draft: Draft, document: Document, roles: Roles | None, problems: Problems) -> Questions:
    """Look up every check and whom it asks, and every probe; what is wrong goes to `problems`."""
    binder = _Binder(document, roles, problems)
    checks: list[Check] = []
    lookups: list[Role] = []
    recordings: list[Role] = []
    for index, written in draft.checks:
        check = binder.check(index, written)
        if check is None:
            continue
        if check in checks:
            first = checks.index(check)
            problems.add(
                document.problem(("checks", index), f"the same check stands at checks[{first}] already")
            )
        checks.append(check)
        place: Path = ("checks", index, written.check, "role")
        if isinstance(check, AsksForWrites):
            lookups += binder.role(check.lookup_role(), place, asking.fit)
        if isinstance(check, AsksForRecording):
            recordings += binder.role(check.recorded_role(), place, recording.fit)
    return Questions(
        tuple(checks),
        _each_once(lookups),
        _each_once(recordings),
        tuple(
            question
            for index, probe in draft.steady_state
            for question in binder.question(probe, ("steady_state", index))
        ),
        tuple(
            next(binder.question(guard.probe, ("guards", index, "probe")), None) if guard.probe else None
            for index, guard in draft.guards
        ),
    )


def _each_once(roles: list[Role]) -> tuple[Role, ...]:
    return tuple({role.name: role for role in roles}.values())


@dataclass(frozen=True, slots=True)
class _Binder:
    """Finds what is named in one experiment, and says where it stands if there is none."""

    document: Document
    roles: Roles | None
    problems: Problems

    def check(self, index: int, written: WrittenCheck) -> Check | None:
        """The check that is named, with its parameters."""
        try:
            return registry.build(written.check, written.with_)
        except BadInput as error:
            place: Path = ("checks", index)
            for problem in error.problems:
                inside = problem.under((*place, written.check)) if problem.path else problem.under(place)
                self.problems.add(self.document.placed(inside))
            return None

    def question(self, probe: ProbeSpec, place: Path) -> Iterator[Question]:
        """The probe and whom it asks; one by HTTP without a role asks the target itself."""
        for role in self.role(probe.on, (*place, "on"), lambda role: fit_probe(probe, role)):
            yield Question(probe, role)

    def role(self, name: str, place: Path, fit: Callable[[Role], None]) -> Iterator[Role]:
        """The role of that name, or the target itself for none, if it fits.

        `place`: where it is named, or would be; beside it stand the values that `fit` complains of.
        """
        if self.roles is None:
            return
        try:
            role = self.roles.named(name) if name else self.roles.whole()
            self.problems.add(*self.roles.not_allowed(role))
            if not self.roles.absent(name):
                fit(role)
            yield role
        except BadInput as error:
            for problem in error.problems:
                if problem.path[:1] == ("roles",):
                    self.problems.add(self.roles.placed(problem))
                else:
                    at = (*place[:-1], *problem.path) if problem.path else place
                    self.problems.add(self.document.problem(at, problem.message))
