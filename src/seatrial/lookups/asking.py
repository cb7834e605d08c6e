"""Ask through a role that is bound to driver `sql` or `http`.

A scenario gives each write a key of the form `ID CONTENT…`: up to the first space the id, after it what the
write says, in whatever words the scenario likes. The target is asked for the ids; if its answer carries
content too, the two are compared word for word.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module

from seatrial.drivers.sql import SqlBinding
from seatrial.model.problems import BadInput, Problem, translating
from seatrial.model.role import Role

Copy = tuple[str, str | None]  # id, content (None: the target does not say)

DRIVERS = ("sql", "http")  # files of this room with an `ask`; loaded when asked, their libraries are large


def fit(role: Role) -> None:
    """Raise BadInput unless `role` is bound so that writes can be looked up through it."""
    if role.driver not in DRIVERS:
        able = " or ".join(DRIVERS)
        raise BadInput(f"the role '{role.name}' is bound to driver '{role.driver}', not to {able}")
    if role.driver == SqlBinding.driver and not role.parameters.get("query"):
        raise BadInput(without_query(role))


def without_query(role: Role) -> Problem:
    """What is wrong with a role that has an address alone: probes can ask it, and nobody else."""
    return role.problem(("query",), "is missing, and writes are looked up with it")


def look_up(role: Role, keys: Sequence[str]) -> tuple[Copy, ...]:
    """Each stored copy of the writes with these keys; a doubled write stands twice.

    Raises BadInput when the role cannot be asked as it is bound, Unavailable when the target does not answer.
    """
    fit(role)
    with translating(role.name):
        ask: Callable[[Role, Sequence[str]], list[Copy]] = import_module(
            f"seatrial.lookups.{role.driver}"
        ).ask
        return tuple(ask(role, keys))
