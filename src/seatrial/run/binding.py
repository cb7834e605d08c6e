"""Binds what an experiment names to what a target has: roles, and whoever is to act on them or ask them.

Whatever is wrong is noted where it stands, in either file, and what stands beside it is bound all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from seatrial.model.document import Document
from seatrial.model.problems import BadInput, Path, Problem, Problems
from seatrial.model.role import Role
from seatrial.run.roles import Roles


@dataclass(frozen=True, slots=True)
class Binder:
    """An experiment's file, and the roles of its target; None: there is no target to hold it against."""

    document: Document
    roles: Roles | None
    problems: Problems

    def role(self, name: str, place: Path) -> Role | None:
        """The role that is named at `place`, or the target itself for no name; its hosts may be touched."""
        if self.roles is None:
            return None
        with self.noted(place[:-1], named=place):
            role = self.roles.named(name) if name else self.roles.whole()
            self.problems.add(*self.roles.not_allowed(role))
            return role
        return None

    def fits(self, role: Role, place: Path, named: Path, fit: Callable[[Role], None]) -> bool:
        """Whether a role has what is needed of it, as far as can be known without looking at it."""
        with self.noted(place, named=named):
            fit(role)
            return True
        return False

    @contextmanager
    def noted(self, place: Path, *, named: Path | None = None) -> Iterator[None]:
        """Note what a BadInput in the block tells; the rest of the block is then left out.

        A problem is one of a role, in the target's file; or its path counts from `place` in the experiment's.
        One without a path is about what stands at `named`.
        """
        try:
            yield
        except BadInput as error:
            for problem in error.problems:
                if problem.path[:1] == ("roles",) and self.roles is not None:
                    self.problems.add(self.roles.placed(problem))
                elif problem.path or named is None:
                    self.add(problem.under(place))
                else:
                    self.add(problem.under(named))

    def add(self, *problems: Problem) -> None:
        """Note problems of the experiment's file, by their paths in it."""
        self.problems.add(*map(self.document.placed, problems))
