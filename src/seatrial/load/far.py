"""Where Locust's tests are joined to workers that share neither clock nor disk with their master.

`locust --processes N` forks its workers: they are near, and nothing here applies. Any other `--worker` is
taken to be far, on this machine or another. The master needs them sealed, asked and timed before it assigns;
a worker takes an assignment only with the seal of its master.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner

from seatrial.load.agreement import Agreement
from seatrial.load.assignment import Assignment
from seatrial.load.far_master import Fleet
from seatrial.load.far_worker import FarWorker
from seatrial.load.options import OPTIONS, LoadOptions
from seatrial.load.supplies import supplies_of
from seatrial.load.trust import MASTER, SECRET, opened, sealed, take_secret
from seatrial.load.versions import scenario_code

if TYPE_CHECKING:
    from seatrial.load.engine import Engine
    from seatrial.load.user_pool import Task

_FETCHES_FOR_S = 30.0  # after the last deadline, until the last row is here
_SEAL = "sealed"

logger = logging.getLogger(__name__)


class FarSide:
    """This process's part in tests with far workers: a master's, a worker's, or none."""

    def __init__(
        self,
        environment: Environment,
        end_test: Callable[[], None],
        refuse: Callable[[ValueError | OSError], None],
    ) -> None:
        """`refuse` ends a test that cannot be done as it was asked for."""
        self._environment = environment
        self._end_test = end_test
        self._refuse = refuse
        self._key = take_secret()
        self._scenario = scenario_code(environment.parsed_locustfiles or [], Path.cwd())  # as imported
        self._fleet: Fleet | None = None
        runner = environment.runner
        self._worker: FarWorker | None = None
        if isinstance(runner, WorkerRunner):
            self._worker = FarWorker(runner, self._key, self._scenario, runner.quit)

    @property
    def leads(self) -> bool:
        """Whether this is a master of far workers."""
        given = self._environment.parsed_options
        return isinstance(self._environment.runner, MasterRunner) and not getattr(given, "processes", None)

    @property
    def sealed(self) -> bool:
        """Whether this process was given a secret, as a conductor gives it to a master that it starts."""
        return bool(self._key)

    # a master's

    def assign(
        self, in_s: float, workers: tuple[str, ...], folder: Path, options: LoadOptions, tasks: Sequence[Task]
    ) -> Assignment:
        """Give the workers their shares, and their files. Raises ValueError unless all can be trusted."""
        runner = self._environment.runner
        assert isinstance(runner, MasterRunner)
        self._fleet = Fleet(runner, self._key, options.on_lost, self._end_test, self._scenario)
        try:
            if supplies := supplies_of(options):
                self._fleet.bring(supplies, workers)
            ahead_s = self._fleet.ahead_of_us(workers)
        except (ValueError, OSError):
            self._fleet.close()
            self._fleet = None
            raise
        assignment = Assignment.starting(in_s, workers, folder, ahead_s)
        self._fleet.begin(assignment, options.duration)
        if options.rate.counts == "requests" and len(workers) > 1:
            self._fleet.agree(Agreement(options.offer(), tasks), self._refuse)
        return assignment

    def plain(self, assignment: Assignment, texts: dict[str, Any]) -> dict[str, Any]:
        """The assignment for sending; with the seal of this master over it and what goes with it."""
        plain = assignment.plain()
        if not assignment.far:
            return plain
        said = sealed(self._key, MASTER, assignment=plain, given=self._given(texts))
        return {_SEAL: {name: value.hex() for name, value in said.items()}}

    def finish(self, deadline_s: float) -> None:
        """The load of all workers is over: wait until their rows are here."""
        if self._fleet is not None:
            self._fleet.finish(deadline_s + _FETCHES_FOR_S)
            self._fleet = None

    # a worker's

    def with_files_here(self, texts: dict[str, Any]) -> dict[str, Any]:
        """The options of a test, with files where this process has them."""
        return self._worker.pantry.here(texts) if self._worker is not None else texts

    def read(self, plain: dict[str, Any], texts: dict[str, Any]) -> Assignment:
        """The assignment that came. Raises ValueError for one that is not from our master."""
        if _SEAL not in plain:
            return Assignment.read(plain)
        data = {name: bytes.fromhex(value) for name, value in plain[_SEAL].items()}
        said = opened(self._key, MASTER, data)
        if said is None or said["given"] != self._given(texts):
            raise ValueError(f"the order to start is not sealed by our {SECRET}, or was changed on its way")
        return Assignment.read(said["assignment"])

    def spool(self, assignment: Assignment, index: int) -> Path:
        """Where this process's rows go."""
        if assignment.far and self._worker is not None:
            return self._worker.spool(index)
        return assignment.spool(index)

    def began(self, engine: Engine, assignment: Assignment, spool: Path, options: LoadOptions) -> None:
        """This process sends from now on."""
        if assignment.far and self._worker is not None:
            self._worker.begin(engine, assignment.test, spool, keep=options.rows == "keep")

    def finished(self) -> None:
        """All rows of this process are in its spool."""
        if self._worker is not None:
            self._worker.finished()

    def leave(self) -> None:
        """The process ends: say where rows are that nobody has fetched."""
        if self._worker is not None:
            self._worker.tell_of_rows_left()
            self._worker.pantry.clear()

    def _given(self, texts: dict[str, Any]) -> str:
        given = {option.name: str(texts.get(option.name)) for option in OPTIONS}
        return json.dumps([self._environment.host, given])
