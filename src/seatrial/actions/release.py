"""A release that is stopped and started with the commands that its target declares."""

from __future__ import annotations

import subprocess
from typing import ClassVar

from seatrial.actions.action import Action
from seatrial.drivers.command import CommandBinding
from seatrial.drivers.httpclient import ask
from seatrial.model.problems import BadInput, TooLate, Unavailable
from seatrial.model.quantities import Duration
from seatrial.model.role import Role
from seatrial.model.strict import Strict
from seatrial.undo.protocol import Undo


class Running(Strict):
    """What undoing a stop or a start needs."""

    before: bool  # whether the release was running before the run's first action on it


class ReleaseAction(Action):
    """What stopping and starting share: knowing whether the release ran before, and going back to that."""

    drivers: ClassVar[frozenset[str]] = frozenset({"command"})

    def fit(self, role: Role) -> None:
        bound = role.bound_to(CommandBinding)
        told = f"is missing, and {self.name} needs it"
        lacking = [key for key in ("start", "stop", "ready") if not getattr(bound, key)]
        if lacking:
            raise BadInput([role.problem((key,), told) for key in lacking])

    def look(self, role: Role) -> Undo:
        release = role.bound_to(CommandBinding)
        running = _is_ready(role, release)
        by_hand = " ".join(release.start if running else release.stop)
        touches = f"{role.name}: {self.name} ({'running' if running else 'stopped'} now)"
        return self.noting(role, Running(before=running), touches=touches, by_hand=by_hand)

    def undo(self, undo: Undo) -> None:
        release, before = undo.role.bound_to(CommandBinding), undo.noted(Running).before
        if _is_ready(undo.role, release) != before:
            run_command(undo.role, release.start if before else release.stop, release.within)

    def gone(self, undo: Undo) -> bool:
        """Whether it runs just if it ran before."""
        return _is_ready(undo.role, undo.role.bound_to(CommandBinding)) == undo.noted(Running).before

    def healthy(self, role: Role) -> None:
        """Nobody can tell without that: a release that is switched off on purpose is as it should be."""


def _is_ready(role: Role, release: CommandBinding) -> bool:
    try:
        return ask(role.allow_list, role.name, "GET", release.ready, within_s=1.0).is_success
    except Unavailable:
        return False


def run_command(role: Role, command: tuple[str, ...], within: Duration) -> None:
    """Run one of the release's commands to its end. Raises Unavailable with its last words when it fails."""
    try:
        done = subprocess.run(
            command,
            cwd=role.directory,
            capture_output=True,
            text=True,
            timeout=within.seconds,
            check=False,
            start_new_session=True,
        )
    except subprocess.TimeoutExpired as error:
        raise TooLate(f"{role.name}: {' '.join(command)} was not through within {within}") from error
    except OSError as error:
        raise Unavailable(f"{role.name}: {' '.join(command)}: {error}") from error
    if done.returncode != 0:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise Unavailable(f"{role.name}: {' '.join(command)} ended with {done.returncode}: {' '.join(last)}")
