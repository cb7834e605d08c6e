"""Cut the network between two sides, in the namespace that routes between them.

    {at: 5s, fault: network.partition, on: router, for: 10s, with: {between: [east, west]}}

The role names the sides (see `sides`). The cut is one table of ours with a chain in each hook that a packet
between the sides can pass:

    input ─► [cut]      forward ─► [cut]      output ─► [cut]        policy accept: all else goes on

It needs no memory of connections, so those that are open are cut as well.
"""

from __future__ import annotations

import atexit
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, Field

from seatrial.drivers import nft
from seatrial.drivers.launch import end_tagged
from seatrial.drivers.network import Between, NetworkBinding, Ways, arrow, passing
from seatrial.model.problems import Unavailable
from seatrial.model.quantities import Ratio
from seatrial.model.role import Role
from seatrial.undo.protocol import Declared, Undo

_PARTS = 10_000  # the resolution of `share`
_PRIORITY = -150  # before the filters that are there


def _some(share: Ratio) -> Ratio:
    if share.fraction <= 0:
        raise ValueError("a share of 0% cuts nothing")
    return share


class Cut(BaseModel):
    """Where the table is."""

    namespace: str


class NetworkPartition(Declared):
    """Cuts two sides apart."""

    name: ClassVar[str] = "network.partition"
    drivers: ClassVar[frozenset[str]] = frozenset({"network"})

    between: Between = Field(examples=[["east", "west"]])
    """Two sides of the role."""
    ways: Ways = "both"
    """both, or forward: from the first side to the second alone."""
    share: Annotated[Ratio, AfterValidator(_some)] = Ratio(1.0)
    """The share of packets that is lost."""
    by: Literal["drop", "reset"] = "drop"
    """drop: packets vanish; reset: TCP connections are reset."""

    @classmethod
    def variations(cls, role: Role) -> Sequence[Mapping[str, Any]]:
        return [{"between": list(two)} for two in combinations(role.bound_to(NetworkBinding).sides, 2)]

    def lacking(self) -> str:
        return nft.lacking()

    def fit(self, role: Role) -> None:
        passing(role, self.between, self.ways)

    def prepare(self, role: Role) -> Undo:
        if missing := nft.lacking():
            raise Unavailable(f"{role.name}: not run here, needs {missing}")
        self._body(role)
        binding = role.bound_to(NetworkBinding)
        nft.inside(binding.namespace)  # raises when it is not there
        undo = self.noting(
            role,
            Cut(namespace=binding.namespace),
            touches=f"{self.share} of packets {arrow(self.between, self.ways)}, {binding.where}",
            by_hand="",
        )
        return replace(undo, by_hand=f"{binding.by_hand}nft delete table inet {nft.table_of(undo.token)}")

    def warm(self, undo: Undo) -> None:
        """Start the `nft` that the cut is one more line to: starting it takes longer than the cut."""
        _shells.open(undo.token, undo.noted(Cut).namespace)

    def inject(self, undo: Undo) -> None:
        table, body = nft.table_of(undo.token), self._body(undo.role)
        shell = _shells.get(undo.token)
        if shell is None:
            nft.run(undo.noted(Cut).namespace, f"table inet {table} {{ {body} }}\n")
        else:
            shell.add(table, body)

    def undo(self, undo: Undo) -> None:
        _shells.close(undo.token)
        end_tagged(
            undo.token, Path(undo.role.directory)
        )  # a dead conductor's shell may have a line to read yet
        nft.remove(undo.noted(Cut).namespace, nft.table_of(undo.token))

    def gone(self, undo: Undo) -> bool:
        """Whether our table is away; with its whole namespace it is."""
        namespace = undo.noted(Cut).namespace
        return not nft.is_there(namespace) or nft.table_of(undo.token) not in nft.tables(namespace)

    def healthy(self, role: Role) -> bool:
        return not nft.tables(role.bound_to(NetworkBinding).namespace)

    def _body(self, role: Role) -> str:
        """The chains of the table, in one line. Raises BadInput for a side that the role does not have."""
        parts = round(self.share.fraction * _PARTS)
        some = f"numgen random mod {_PARTS} < {parts} " if parts < _PARTS else ""
        fate = "meta l4proto tcp counter reject with tcp reset" if self.by == "reset" else "counter drop"
        rules = "; ".join(f"{match} {some}{fate}" for _, match in passing(role, self.between, self.ways))
        return " ".join(
            f"chain cut_{hook} {{ type filter hook {hook} priority {_PRIORITY}; policy accept; {rules}; }};"
            for hook in ("input", "forward", "output")
        )


class _Shells:
    """The shells of faults that this process is about to inject, or has injected and not undone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[str, nft.Shell] = {}
        atexit.register(self._close_all)

    def open(self, token: str, namespace: str) -> None:
        with self._lock:
            self._open[token] = nft.Shell(namespace, token)

    def get(self, token: str) -> nft.Shell | None:
        with self._lock:
            return self._open.get(token)

    def close(self, token: str) -> None:
        with self._lock:
            shell = self._open.pop(token, None)
        if shell is not None:
            shell.close()

    def _close_all(self) -> None:
        for token in list(self._open):
            self.close(token)


_shells = _Shells()
