"""What a recorder is: it asks a role what it holds, so that a check can judge it (see `checks.protocol`).

A *watcher* is a recorder that looks during the run, again and again; what it saw is told with the instants
between which it did (`model.looks`).

A recorder lives in a file of its own and is found by its declared name: a check that needs `audit-log` is fed
by `audit_log.py`. It asks and notes down, and judges nothing. Whatever goes wrong it raises: that is then the
reason why there is nothing to judge. Its answer is kept in the evidence, as a table or as a text.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Generic, Protocol, TypeVar

from seatrial.model.looks import Look
from seatrial.model.problems import BadInput
from seatrial.model.role import Role

Data = TypeVar("Data")
Seen = TypeVar("Seen")
Seen_co = TypeVar("Seen_co", covariant=True)
Columns = Mapping[str, Sequence[str | None]]


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What a recorder may have to know of the run."""

    keys: Sequence[
        str
    ]  # of the writes that the scenario made, each once, an id's together; none before the run
    directory: Path  # for what is too large for memory; it is not there yet


class Recorder(ABC, Generic[Data]):
    """Notes down what a role holds."""

    name: ClassVar[str]
    drivers: ClassVar[tuple[str, ...]]  # that it can ask
    kept_as: ClassVar[str] = "recorded"  # how the names of its files in the evidence begin

    def fit(self, role: Role) -> None:
        """Raise BadInput unless `role` is bound so that it can be asked. Nobody is asked for that."""
        if role.driver not in self.drivers:
            raise BadInput(self.elsewhere(role, self.drivers))

    def elsewhere(self, role: Role, able: Sequence[str]) -> str:
        """What is told of a role that is bound to none of the drivers that are `able`."""
        return f"the role '{role.name}' is bound to driver '{role.driver}', not to {' or '.join(able)}"

    @abstractmethod
    def record(self, role: Role, run: RunFacts) -> Data:
        """Ask. Raises BadInput when the role is not bound as it must be, Unavailable when nobody answers."""

    @abstractmethod
    def evidence(self, data: Data) -> str | Columns | Iterator[Columns]:
        """What was noted down, as it is kept: a text, or a table, which may come some rows at a time."""


class Looker(Protocol[Seen_co]):
    """One of those that a watcher looks at."""

    def seen(self) -> Seen_co:
        """What it says now. Raises Unavailable when it does not answer in time."""

    def close(self) -> None:
        """Close its connections."""


Series = Mapping[str, tuple[Look[Seen], ...]]  # the looks at each of those looked at, in order of time


class Watcher(Recorder[Series[Seen]]):
    """Looks at a role during a run; each looker by its name, in a thread of its own."""

    every_s: ClassVar[float]  # from one look to the next

    @abstractmethod
    def lookers(self, role: Role) -> Mapping[str, Looker[Seen]]:
        """Those to look at. Asks nobody yet. Raises BadInput when the role is not bound as it must be."""

    def record(self, role: Role, run: RunFacts) -> Series[Seen]:  # noqa: ARG002  # it asks for all there is
        """One look each, at no instant of any run."""
        found: dict[str, tuple[Look[Seen], ...]] = {}
        for name, looker in self.lookers(role).items():
            try:
                found[name] = (Look(0.0, 0.0, looker.seen()),)
            finally:
                looker.close()
        return found
