"""Record what a role says after a run, by its driver. What is too large for memory goes into a directory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from seatrial.model.problems import BadInput, nearest, translating
from seatrial.model.role import Role

# each loads its file when it is needed: their libraries are large


def _replicas(role: Role, _directory: Path) -> bytes:
    from seatrial.lookups import replicas  # noqa: PLC0415

    return replicas.record(role)


def _audit_log(role: Role, directory: Path) -> bytes:
    from seatrial.lookups import audit  # noqa: PLC0415

    return audit.record(role, directory)


RECORDERS: dict[str, Callable[[Role, Path], bytes]] = {"replicas": _replicas, "audit-log": _audit_log}


def fit(role: Role) -> None:
    """Raise BadInput unless `role` is bound so that it can be recorded."""
    if role.driver not in RECORDERS:
        able = " or ".join(RECORDERS)
        raise BadInput(f"the role '{role.name}' is bound to driver '{role.driver}', not to {able}")


def record(role: Role, directory: Path) -> bytes:
    """The recording as JSON; `directory` is not there yet, and made if it is needed.

    Raises BadInput when the role cannot be recorded as it is bound, Unavailable when nobody answers.
    """
    recorder = RECORDERS.get(role.driver)
    if recorder is None:
        known = nearest(role.driver, RECORDERS)
        raise BadInput(f"{role.name}: nothing is recorded through the driver '{role.driver}'{known}")
    with translating(role.name):
        return recorder(role, directory)
