"""A release that is stopped and started with commands.

    release.blue:
      driver: command
      start: [systemctl, start, shop-blue]
      stop: [systemctl, stop, shop-blue]
      ready: http://127.0.0.1:9001/healthz

The actions release.stop and release.start run its commands, in the directory of the target file and without
a shell.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from seatrial.drivers.binding import Binding
from seatrial.drivers.httpclient import ask
from seatrial.drivers.launch import run_tagged, typed
from seatrial.model.problems import BadInput, Unavailable
from seatrial.model.problems import Path as KeyPath
from seatrial.model.quantities import Duration
from seatrial.model.role import Role

_ANSWER_WITHIN_S = 1.0


class CommandBinding(Binding):
    """A release that is stopped and started with commands, and known to be ready by asking it."""

    driver: ClassVar[str] = "command"

    ready: str = Field(default="", examples=["http://127.0.0.1:9001/healthz"])
    """An address that answers 2xx when the release can serve."""
    within: Duration = Duration(30.0)
    """Each command must be through within that time."""

    def addresses(self) -> Iterator[tuple[KeyPath, str]]:
        yield ("ready",), self.ready

    def service(self, role: Role) -> CommandService:
        """The release. Raises BadInput for what is missing."""
        lacking = [key for key in ("start", "stop", "ready") if not getattr(self, key)]
        if lacking:
            told = "is missing, and without it the release cannot be stopped and started"
            raise BadInput([role.problem((key,), told) for key in lacking])
        return CommandService(role, self)


@dataclass(frozen=True, slots=True)
class CommandService:
    """See `drivers.services`."""

    role: Role
    binding: CommandBinding

    def runs(self) -> bool:
        """Whether it answers that it is ready."""
        try:
            url = self.binding.ready
            return ask(self.role.allow_list, self.role.name, "GET", url, _ANSWER_WITHIN_S).is_success
        except Unavailable:
            return False

    def switch(self, on: bool, token: str) -> None:
        """Returns when its command does. Raises Unavailable with its last words when it fails."""
        command, within_s = self._command(on), self.binding.within.seconds
        run_tagged(command, token, directory=Path(self.role.directory), within_s=within_s)

    def by_hand(self, on: bool) -> str:
        return typed(self.role, shlex.join(self._command(on)))

    def _command(self, on: bool) -> tuple[str, ...]:
        return self.binding.start if on else self.binding.stop
