"""A deploy tool of your own, by two commands: one that says what is live, and one that changes it.

    driver: deploy-command
    live: [./deploy.sh, --which]            # prints the name of the release that is live, and no more
    switch: [./deploy.sh, "{release}"]      # returns when that is so
    releases: [blue, green]
    within: 5m                              # each command

Commands run in the directory of the target file, without a shell, as `command.run` does.
"""

from __future__ import annotations

import shlex
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, Field

from seatrial.drivers.binding import Arguments, Binding
from seatrial.drivers.launch import answer_of, run_for, typed
from seatrial.drivers.releases import PLACEHOLDER, filled_in
from seatrial.model.problems import BadInput, Unavailable
from seatrial.model.quantities import Duration
from seatrial.model.role import Role
from seatrial.model.strict import as_tuple


class DeployCommandBinding(Binding):
    """Its two commands, and the releases that there are."""

    driver: ClassVar[str] = "deploy-command"

    live: Arguments = Field(default=(), examples=[["./deploy.sh", "--which"]])
    """Prints the name of the release that is live, and no more."""
    switch: Arguments = Field(default=(), examples=[["./deploy.sh", "{release}"]])
    """Makes `{release}` live, and returns when that is so."""
    releases: Annotated[tuple[str, ...], BeforeValidator(as_tuple)] = Field((), examples=[["blue", "green"]])
    """The releases that there are."""
    within: Duration = Duration(60.0)
    """The time limit of each command."""

    def as_releases(self, role: Role) -> CommandReleases:
        """Its releases. Raises BadInput for what is missing."""
        for key in ("live", "switch"):
            if not getattr(self, key):
                raise BadInput(role.problem((key,), "is missing: a program and its arguments"))
        if not any(PLACEHOLDER in argument for argument in self.switch):
            raise BadInput(role.problem(("switch",), f"nowhere says which release: write {PLACEHOLDER}"))
        if len(self.releases) < 2:
            raise BadInput(role.problem(("releases",), "name the releases: [blue, green]"))
        return CommandReleases(role, self)


@dataclass(frozen=True, slots=True)
class CommandReleases:
    """See `drivers.releases`."""

    role: Role
    binding: DeployCommandBinding

    @property
    def names(self) -> Sequence[str]:
        """As the target file lists them."""
        return self.binding.releases

    def live(self) -> str:
        arguments = self.role.resolved(list(self.binding.live))
        directory = Path(self.role.directory)
        said = answer_of(arguments, directory=directory, within_s=self.binding.within.seconds).strip()
        if not said or len(said.splitlines()) > 1:
            told = f"{arguments[0]} is to print one name, and says {said[:80]!r}"
            raise Unavailable(f"{self.role.name}: {told}")
        return said

    def make_live(self, release: str) -> None:
        program = filled_in(self.binding.switch, release)
        run_for(self.role, program, uuid.uuid4().hex, self.binding.within.seconds)
        if (now := self.live()) != release:
            raise Unavailable(f"{self.role.name}: after {program[0]} has ended, {now} is live, not {release}")

    def by_hand(self, release: str) -> str:
        return typed(self.role, shlex.join(filled_in(self.binding.switch, release)))
