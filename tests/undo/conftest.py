"""Faults of no consequence, for tests of the machinery around them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel

from seatrial.model.role import Role
from seatrial.undo.protocol import ANY, Declared, Undo


class Nothing(BaseModel):
    """No state."""


class Scripted(Declared):
    """A fault that only tells what is done to it, and misbehaves as it is told."""

    name: ClassVar[str] = "scripted"
    drivers: ClassVar[frozenset[str]] = ANY
    told: ClassVar[list[str]] = []
    hanging: ClassVar[threading.Event] = threading.Event()

    label: str = "it"
    undo_fails: int = 0  # so many times, then it works
    inject_fails: bool = False
    undo_hangs: bool = False
    is_gone: bool | None = True
    well: bool | None = True

    def prepare(self, role: Role) -> Undo:
        return self.noting(role, Nothing(), touches="nothing", by_hand=f"mend {self.label}")

    def inject(self, undo: Undo) -> None:
        self.told.append(f"inject {self.label}")
        if self.inject_fails:
            raise OSError("no such luck")

    def undo(self, undo: Undo) -> None:
        self.told.append(f"undo {self.label}")
        if self.undo_hangs:
            self.hanging.wait(30)
        if self.told.count(f"undo {self.label}") <= self.undo_fails:
            raise OSError("still broken")

    def gone(self, undo: Undo) -> bool | None:
        return self.is_gone

    def healthy(self, role: Role) -> bool | None:
        return self.well


@pytest.fixture
def scripted() -> Iterator[type[Scripted]]:
    """The class of faults that tell, `told` empty."""
    Scripted.told.clear()
    Scripted.hanging.clear()
    yield Scripted
    Scripted.hanging.set()


@pytest.fixture
def build(scripted: type[Scripted]) -> Callable[[Undo], Any]:
    """What the registry does, for scripted faults."""
    return lambda undo: scripted.model_validate(dict(undo.with_))
