"""Whatever a fault's code raises or returns, its caller hears of it in one family of errors."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel

from seatrial.model.problems import SeatrialError, Unavailable
from seatrial.model.role import Role
from seatrial.model.undo import PartlyUndone, none_of
from seatrial.undo import Undo, calling
from seatrial.undo.calling import FaultFailedError
from seatrial.undo.protocol import ANY, Declared


class State(BaseModel):
    """Nothing."""


class Foreign(Declared):
    """A fault of somebody else's: every method does what the test says."""

    name: ClassVar[str] = "test.foreign"
    drivers: ClassVar[frozenset[str]] = ANY
    does: ClassVar[Callable[[], Any]]

    @property
    def lag_s(self) -> Any:
        return type(self).does()

    def prepare(self, _role: Role) -> Any:
        return type(self).does()

    def fit(self, _role: Role) -> None:
        type(self).does()

    def warm(self, _undo: Undo) -> None:
        type(self).does()

    def inject(self, _undo: Undo) -> None:
        type(self).does()

    def cut_short(self, _undo: Undo) -> None:
        type(self).does()

    def undo(self, _undo: Undo) -> None:
        type(self).does()

    def extended(self, _undo: Undo) -> Any:
        return type(self).does()

    def effective(self, _undo: Undo) -> Any:
        return type(self).does()

    def lacking(self) -> Any:
        return type(self).does()

    def gone(self, _undo: Undo) -> Any:
        return type(self).does()

    def healthy(self, _role: Role) -> Any:
        return type(self).does()


CALLS: dict[str, Callable[[Any, Undo], Any]] = {
    "prepare": lambda fault, undo: calling.prepare(fault, undo.role),
    "fit": lambda fault, undo: calling.fit(fault, undo.role),
    "warm": calling.warm,
    "inject": calling.inject,
    "cut_short": calling.cut_short,
    "undo": calling.undo,
    "extended": calling.extended,
    "effective": calling.effective,
    "lacking": lambda fault, _: calling.lacking(fault),
    "lag_s": lambda fault, _: calling.lag_s(fault),
    "gone": calling.gone,
    "healthy": lambda fault, undo: calling.healthy(fault, undo.role),
}


@pytest.fixture
def call(role: Role, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Callable[[], Any]], Any]:
    """Call a method that does something."""

    def make(method: str, does: Callable[[], Any]) -> Any:
        monkeypatch.setattr(Foreign, "does", staticmethod(does), raising=False)
        return CALLS[method](Foreign(), a_record(role))

    return make


def a_record(role: Role) -> Undo:
    return Foreign().noting(role, State(), touches="", by_hand="")


def raising(error: BaseException) -> Callable[[], Any]:
    def fail() -> None:
        raise error

    return fail


@pytest.mark.parametrize("method", CALLS)
@pytest.mark.parametrize("error", [KeyError("nope"), OSError(28, "No space left on device"), SystemExit(3)])
def test_a_foreign_exception_is_told_with_fault_method_and_place(
    call: Any, method: str, error: BaseException
) -> None:
    with pytest.raises(FaultFailedError) as caught:
        call(method, raising(error))
    said = str(caught.value)
    assert said.startswith(f"test.foreign: {method} raised {type(error).__name__}: ")
    assert said.endswith(")")
    assert "(test_calling.py:" in said
    assert caught.value.__cause__ is error
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("method", CALLS)
def test_an_error_of_ours_passes_as_it_is(call: Any, method: str) -> None:
    with pytest.raises(Unavailable, match=r"^the cache does not answer$"):
        call(method, raising(Unavailable("the cache does not answer")))


@pytest.mark.parametrize(
    ("method", "returned"),
    [
        ("prepare", None), ("prepare", {"role": "cache"}), ("extended", True), ("effective", None),
        ("lacking", None), ("lag_s", "3s"), ("lag_s", math.nan), ("gone", "yes"), ("gone", 1), ("healthy", 0),
    ],
)  # fmt: skip
def test_what_is_returned_is_held_against_the_protocol(call: Any, method: str, returned: object) -> None:
    with pytest.raises(FaultFailedError, match=f"test.foreign: {method} returned .*, and not "):
        call(method, lambda: returned)


def test_what_cannot_be_written_down_cannot_be_undone_by_another(call: Any, role: Role) -> None:
    with pytest.raises(FaultFailedError, match="prepare raised TypeError"):
        call("prepare", lambda: replace(a_record(role), state={"connection": object()}))


@pytest.mark.parametrize(("method", "answer"), [("gone", None), ("healthy", False), ("effective", True)])
def test_a_proper_answer_comes_back(call: Any, method: str, answer: object) -> None:
    assert call(method, lambda: answer) is answer


def test_a_fault_without_the_ability_is_not_asked(role: Role) -> None:
    class Plain(Declared):
        name: ClassVar[str] = "test.plain"
        drivers: ClassVar[frozenset[str]] = ANY

    plain: Any = Plain()
    undo = a_record(role)
    assert calling.gone(plain, undo) is None
    assert calling.healthy(plain, role) is None
    assert calling.extended(plain, undo) is None
    calling.fit(plain, role)
    calling.warm(plain, undo)
    assert calling.lacking(plain) == ""
    assert calling.lag_s(plain) == 0


def test_a_fault_whose_file_breaks_while_it_is_loaded_is_told(role: Role) -> None:
    def broken(*_: object) -> Any:
        raise ImportError("no module named chaosk8s")

    with pytest.raises(SeatrialError, match=r"^test\.foreign: loading it raised ImportError: no module"):
        calling.build(broken, a_record(role))


def test_something_left_of_several_is_a_part() -> None:
    assert none_of([], ["a", "b"], "still stopped")
    assert not none_of(["a", "b"], ["a", "b"], "still stopped")
    assert not none_of(["a"], ["a"], "still stopped")
    with pytest.raises(PartlyUndone, match=r"^b of 2 still stopped$"):
        none_of(["b"], ["a", "b"], "still stopped")
