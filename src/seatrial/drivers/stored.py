"""Which writes a system holds: what the check acknowledged-writes asks of a driver, by the recorder `writes`.

    writes: {driver: sql, url: …, query: SELECT key FROM orders WHERE key IN :ids}    ┐
    writes: {driver: http, url: "http://127.0.0.1:9000/orders/{id}"}                  ├─► WRITES ─► writes
    writes: {driver: one of your own, …}                                              ┘

A driver that can answer has a binding with the method `stored_writes(role)`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, runtime_checkable

from seatrial.drivers.ability import Ability
from seatrial.model.role import Role

Copy = tuple[str, str | None]  # id, content (None: the system does not say)


class StoredWrites(Protocol):
    """Those of one role."""

    def copies(self, keys: Sequence[str]) -> Iterable[Copy]:
        """Each stored copy of the writes with these keys; of a doubled one two, in any order.

        A key is `ID CONTENT…`; see `identity_of`. Keys of one id stand side by side. A night has millions:
        whoever asks for some at a time and yields what is answered needs no memory for all.
        Raises BadInput, or Unavailable when nobody answers.
        """


@runtime_checkable
class HasStoredWrites(Protocol):
    """A binding of something that can be asked which writes it holds."""

    def stored_writes(self, role: Role) -> StoredWrites:
        """Those of `role`, which is bound so. Asks nobody. Raises BadInput for what the binding lacks."""


WRITES: Ability[HasStoredWrites] = Ability(HasStoredWrites, "cannot be asked which writes it holds")


def identity_of(key: str) -> str:
    """The id in a write's key."""
    return key.partition(" ")[0]
