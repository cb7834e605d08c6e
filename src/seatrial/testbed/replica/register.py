"""A last-writer-wins register: of two concurrent writes one is lost, and which one is declared.

The greater stamp wins; equal stamps of two regions are told apart by the regions' names. Merging is the
maximum of a total order, hence commutative, associative and idempotent.
"""

from __future__ import annotations

from dataclasses import dataclass

from seatrial.testbed.replica.hlc import Stamp


@dataclass(frozen=True, slots=True)
class Register:
    """The value, and the write that it comes from."""

    value: str
    stamp: Stamp
    origin: str
    key: str  # names the write

    @property
    def rank(self) -> tuple[Stamp, str]:
        """What decides: no two writes share it, for a region gives each of its stamps once."""
        return self.stamp, self.origin


def merge(one: Register, other: Register) -> Register:
    """The later of two writes."""
    return one if one.rank >= other.rank else other
