"""Raise a flag, as an operator would by mistake."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel

from seatrial.model.role import Role
from seatrial.undo.protocol import Declared, Undo
from seatrial_example.flag import flag_of


class Raised(BaseModel):
    """Whether it was up before."""

    before: bool


class FlagRaise(Declared):
    """Raise the flag of a role."""

    name: ClassVar[str] = "flag.raise"
    drivers: ClassVar[frozenset[str]] = frozenset({"flag"})

    def prepare(self, role: Role) -> Undo:
        flag = flag_of(role)
        return self.noting(role, Raised(before=flag.exists()), touches=str(flag), by_hand=f"rm {flag}")

    def inject(self, undo: Undo) -> None:
        flag_of(undo.role).touch()

    def undo(self, undo: Undo) -> None:
        if not undo.noted(Raised).before:
            flag_of(undo.role).unlink(missing_ok=True)

    def gone(self, undo: Undo) -> bool:
        return undo.noted(Raised).before or not flag_of(undo.role).exists()

    def healthy(self, role: Role) -> bool:
        return flag_of(role).parent.is_dir()
