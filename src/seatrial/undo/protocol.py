"""What a fault is: three methods, and a record of plain data between them.

    prepare(role) ──► Undo ──► [journal: PREPARED] ──► (warm) ──► inject(undo) ──► [ACTIVE] ──► undo(undo)
        looks only     │                                              ▲                           ▲
                       └── everything that undoing needs ─────────────┴───────────────────────────┘

The undo may run in another process, after a crash, days later: so `Undo` is data, durable before the effect,
and holds no secret (a role is recorded as its target file has it, `${PASSWORD}` and all, and resolved at the
moment of use). Actions (deploy.switch …) follow the same protocol; their undo restores what was before.

A fault is a frozen record whose fields are its `with:` parameters; its `name` is what experiments call it,
and the file that holds it is called the same with underscores. Extra abilities are extra protocols.

To add one: a file in `seatrial/faults/` (or `actions/`) called as the name is, with underscores, or a class
in a package of your own under the entry-point group `seatrial.faults`, and its test. It is a `Declared` with
a `name`, the `drivers` that it acts through, and `prepare`, `inject` and `undo`; `gone` and `healthy`, or the
undo is never verified. `prepare` returns what `self.noting(role, record, …)` makes of a record of its own,
and the others read that again by `undo.noted(Record)`. A whole one is
`tests/support/example_package/seatrial_example/flag_raise.py`.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol, Self, runtime_checkable

from pydantic import BaseModel

from seatrial.model.role import Record, Role
from seatrial.model.secrets import shown
from seatrial.model.strict import Strict

Kind = Literal["fault", "action"]
ANY = frozenset({"*"})  # for `Fault.drivers`: whatever the role is bound to


@dataclass(frozen=True, slots=True)
class Undo:
    """Everything that another process needs to undo a fault. Plain data, without secrets."""

    fault: str  # the declared name
    with_: Mapping[str, Any]  # the fault's parameters, as written
    role: Role
    state: Mapping[str, Any]  # what the fault noted before the effect: identities, old settings
    touches: str  # who is about to be touched, for people
    by_hand: str  # the command for a person, should the undo fail
    token: str = field(default_factory=lambda: uuid.uuid4().hex)  # marks what the fault makes as ours
    kind: Kind | None = None  # of what was done; None: recorded before two kinds could have one name
    lasting: bool = False  # what was done stays, by declaration: there is nothing to put back

    def noted(self, record: type[Record]) -> Record:
        """The fault's own state, typed."""
        return record.model_validate(self.state, strict=False)

    def to_json(self) -> str:
        """One line of JSON."""
        plain = {name: getattr(self, name) for name in self.__slots__}
        role = {name: getattr(self.role, name) for name in self.role.__slots__}
        return json.dumps({**plain, "role": role}, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The inverse of `to_json`."""
        data = json.loads(text)
        role = data.pop("role")
        return cls(role=Role(**{**role, "allow": tuple(role["allow"])}), **data)


class Ability(Protocol):
    """What drivers can do (`drivers.ability`), as far as whoever asks who can act on what has to know it."""

    @property
    def otherwise(self) -> str:
        """The roles of other drivers that will do as well, for people; empty when there are none."""

    def drivers(self) -> list[str]:
        """The drivers that have it."""


class Fault(Protocol):
    """Something that is done to a role and always undone."""

    name: ClassVar[str]  # process.kill, deploy.switch …
    kind: ClassVar[Kind]
    drivers: ClassVar[frozenset[str]]  # a role must be bound to one of these, or ANY

    def prepare(self, role: Role) -> Undo:
        """Look, touch nothing, and return all that undoing needs. Raises BadInput or Unavailable."""

    def inject(self, undo: Undo) -> None:
        """Bring the effect about, and return once it is there."""

    def undo(self, undo: Undo) -> None:
        """Take the effect back: idempotent, harmless when there was none, and only to what is surely ours."""


@runtime_checkable
class Probe(Protocol):
    """A fault that can tell what has become of it: two questions, for neither answers the other.

    A role can be well though this effect is still there (a cache that answers, at a tenth of its memory),
    and unwell though it is gone. Each may raise any SeatrialError instead of saying False, to say why, and
    waits at most a second or two.
    """

    def gone(self, undo: Undo) -> bool | None:
        """Whether just this effect is there no more; None when there is no way to tell.

        Raises PartlyUndone when some of it is gone and some is not.
        """

    def healthy(self, role: Role) -> bool | None:
        """Whether the role works as it should, whoever did what to it; None when there is no way to tell."""


@runtime_checkable
class Observable(Protocol):
    """A fault whose effect shows from outside, by another way than the injection that brings it about."""

    def effective(self, undo: Undo) -> bool:
        """Whether the effect is there now. Touches nothing, and is cheap: it is asked every millisecond."""


@runtime_checkable
class Spreading(Protocol):
    """A fault whose extent is known only while it is injected: one that reaches new child processes."""

    def extended(self, undo: Undo) -> Undo | None:
        """`undo` with what it does not cover yet; None when it covers all.

        What it returns becomes durable, is injected in its turn, and the question is put again.
        """


@runtime_checkable
class Warming(Protocol):
    """A fault that is injected faster once something is ready: a program started, a connection open."""

    def warm(self, undo: Undo) -> None:
        """Make it ready, a moment before the instant; `undo` is durable by now, and nobody is touched yet.

        What is made ready ends with this process or with the undo. Raises Unavailable.
        """


@runtime_checkable
class Lagging(Protocol):
    """A fault whose effect may come about after the death of whoever asked for it: a request on its way."""

    @property
    def lag_s(self) -> float:
        """How long after; when the effect was never confirmed, the undo is done again then."""


@runtime_checkable
class Demanding(Protocol):
    """A fault that not every machine can inject."""

    def lacking(self) -> str:
        """What this machine lacks and the command that mends it; empty when nothing."""


@runtime_checkable
class ChangingArrivals(Protocol):
    """A fault that the load alone brings about: it changes the arrivals, and touches nobody.

    It is planned with the arrivals, before a run, and needs no role; none of the three methods is called.
    """

    def arrival_factor(self) -> float:
        """How many times as fast arrivals come while it lasts."""


@runtime_checkable
class Lasting(Protocol):
    """An action that may be declared without an undo."""

    @property
    def lasting(self) -> bool:
        """Whether what it does stays, by declaration."""


@runtime_checkable
class Interruptible(Protocol):
    """A fault whose injection may be cut short by the death of whoever injects it: a program that runs on."""

    def cut_short(self, undo: Undo) -> None:
        """End what is left of an injection that has not returned, so that no effect comes after its undo."""


@runtime_checkable
class Following(Protocol):
    """An action: undoing several on one role goes back to what was before the first of them, in one step."""

    def following(self, first: Undo) -> Self:
        """This action, when `first` is the undo of the run's first action on the same role."""


@runtime_checkable
class Fitting(Protocol):
    """A fault that needs more of a role than any of its driver's has: a side, a release, a command."""

    def fit(self, role: Role) -> None:
        """Raise BadInput for what the role's parameters lack. Looks at nothing else: the plan asks.

        A problem's path begins with `with`, for a parameter of the fault, or is one of `Role.problem`.
        """


@runtime_checkable
class Varied(Protocol):
    """A fault that says itself with which parameters exploration may try it on a role.

    Without, it is tried as it is, if it needs no parameter.
    """

    @classmethod
    def variations(cls, role: Role) -> Sequence[Mapping[str, Any]]:
        """The parameters, each as a step would have them under `with`. Looks, and touches nothing.

        Raises BadInput or Unavailable to say why there are none.
        """


class Declared(Strict):
    """The base of every fault: a frozen record of its `with:` parameters."""

    name: ClassVar[str]
    kind: ClassVar[Kind] = "fault"
    drivers: ClassVar[frozenset[str]]
    ability: ClassVar[Ability | None] = None  # by which it acts, when it knows no driver; `fit` demands it

    def noting(
        self, role: Role, state: BaseModel, *, touches: str, by_hand: str, lasting: bool = False
    ) -> Undo:
        """The `Undo` of this fault on `role`."""
        as_written = self.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        noted = state.model_dump(mode="json")
        return Undo(
            self.name,
            as_written,
            role,
            noted,
            shown(touches),
            shown(by_hand),
            kind=self.kind,
            lasting=lasting,
        )
