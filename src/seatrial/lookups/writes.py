"""Which of the run's writes a target holds, through a role that is bound to driver `sql` or `http`.

A scenario gives each write a key of the form `ID CONTENT…`: up to the first space the id, after it what the
write says, in whatever words the scenario likes. The target is asked for the ids; if its answer carries
content too, the two are compared word for word.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import ClassVar

from seatrial.drivers.sql import SqlBinding
from seatrial.lookups.recorder import Columns, Recorder, RunFacts
from seatrial.model.problems import BadInput
from seatrial.model.role import Role
from seatrial.model.secrets import screened

Copy = tuple[str, str | None]  # id, content (None: the target does not say)


class Writes(Recorder[tuple[Copy, ...]]):
    """Each stored copy of the writes that the scenario made; a doubled write stands twice."""

    name: ClassVar[str] = "writes"
    drivers: ClassVar[tuple[str, ...]] = ("sql", "http")  # files of this room with an `ask`
    kept_as: ClassVar[str] = "stored"

    def fit(self, role: Role) -> None:
        super().fit(role)
        if role.driver == SqlBinding.driver and not role.parameters.get("query"):
            raise BadInput(role.problem(("query",), "is missing, and writes are looked up with it"))

    def record(self, role: Role, run: RunFacts) -> tuple[Copy, ...]:
        self.fit(role)
        # loaded when it is asked: its library is large
        ask: Callable[[Role, Sequence[str]], list[Copy]] = import_module(
            f"seatrial.lookups.{role.driver}"
        ).ask
        return tuple(ask(role, run.keys))

    def evidence(self, data: tuple[Copy, ...]) -> Columns:
        return {
            "id": [identity for identity, _ in data],
            "content": [content and screened(content) for _, content in data],
        }
