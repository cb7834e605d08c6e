"""How far a replica has come, and which operation may come next.

Causal delivery: an operation of another region is taken in when everything that its region had seen is here.
Sets need it (a removal must not overtake the addition that it removes), and with it the version vector alone
says which operations a replica holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from seatrial.testbed.replica.causality import Dot, Vector, covers, dominates
from seatrial.testbed.replica.hlc import ORIGIN, DriftError, Stamp, require_bounded, successor
from seatrial.testbed.replica.operation import Intent, Operation


@dataclass(frozen=True, slots=True)
class Frontier:
    """What a replica has seen, and the latest stamp among it."""

    vector: Vector
    clock: Stamp = ORIGIN

    def issue(self, region: str, intent: Intent, physical_us: int, max_drift_us: int) -> Operation:
        """The operation by which `region` carries `intent` out now. Raises DriftError."""
        seen = max(self.clock, intent.after or ORIGIN)
        return Operation(
            dot=Dot(region, self.vector.get(region, 0) + 1),
            stamp=successor(seen, physical_us, max_drift_us),
            physical_us=physical_us,
            context=self.vector,
            kind=intent.kind,
            tenant=intent.tenant,
            name=intent.name,
            value=intent.value,
            key=intent.key,
        )

    def after(self, operation: Operation) -> Frontier:
        """The frontier once `operation` is here too."""
        origin, number = operation.dot
        return Frontier({**self.vector, origin: number}, max(self.clock, operation.stamp))


@dataclass(frozen=True, slots=True)
class Admission:
    """Which operations of a batch may be taken in, in order; and why the next may not ("": all may)."""

    operations: tuple[Operation, ...]
    held: str = ""


def admissible(
    frontier: Frontier, batch: Sequence[Operation], physical_us: int, max_drift_us: int
) -> Admission:
    """What of a peer's `batch` a replica at `frontier` takes in. What it has already is passed over."""
    taken: list[Operation] = []
    for operation in batch:
        if covers(frontier.vector, operation.dot):
            continue
        held = _obstacle(frontier.vector, operation) or _drift(operation, physical_us, max_drift_us)
        if held:
            return Admission(tuple(taken), held)
        taken.append(operation)
        frontier = frontier.after(operation)
    return Admission(tuple(taken))


def _obstacle(vector: Mapping[str, int], operation: Operation) -> str:
    origin, number = operation.dot
    if number != vector.get(origin, 0) + 1:
        return f"{origin} sent its operation {number} where {vector.get(origin, 0) + 1} was due"
    if not dominates(vector, operation.context):
        return f"operation {number} of {origin} builds on others that have not arrived"
    return ""


def _drift(operation: Operation, physical_us: int, max_drift_us: int) -> str:
    try:
        require_bounded(operation.stamp, physical_us, max_drift_us)
    except DriftError as error:
        return f"operation {operation.dot.number} of {operation.dot.origin}: {error}"
    return ""
