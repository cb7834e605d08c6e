"""Everything that a file may name, of each kind, in one place: for `explain`, the schemas and `doctor`.

    names("fault")                         chaostoolkit, command.run, database.connections, …
    find("fault", "process.kill")          its class, its docstring, the record of its parameters, its file
    complaints()                           what other people's packages declare and cannot be used

What is needed to run something goes to the registry of its own room, and loads one file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seatrial.checks.registry import CHECKS
from seatrial.discovery import Found, Registry
from seatrial.drivers import DRIVERS
from seatrial.incidents.sink import SINKS
from seatrial.lookups.recording import RECORDERS
from seatrial.measure.importers import IMPORTERS
from seatrial.probes.protocol import PROBES
from seatrial.undo.registry import ACTIONS, FAULTS

KINDS: Mapping[str, Registry[Any]] = {
    registry.kind: registry for registry in (FAULTS, ACTIONS, DRIVERS, CHECKS, PROBES, SINKS, IMPORTERS)
}


def names(kind: str) -> list[str]:
    """Every declared name of a kind, sorted."""
    return KINDS[kind].names()


def find(kind: str, name: str) -> Found[Any]:
    """What is declared as `name`. Raises BadInput, with the nearest name, when there is nothing."""
    KINDS[kind].find(name)
    return KINDS[kind].all()[name]


def complaints() -> list[str]:
    """What is wrong with what other packages declare, one line each."""
    return [line for registry in (*KINDS.values(), RECORDERS) for line in registry.complaints()]
