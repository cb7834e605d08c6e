"""Cut the network between two sides, in the namespace that routes between them.

    {at: 5s, fault: network.partition, on: router, for: 10s, with: {between: [east, west]}}

The role names the sides; the namespace is one of `ip netns add`, or, left out, this machine's own:

    {driver: network, namespace: router, sides: {east: [10.1.0.0/24], west: [10.2.0.0/24]}}

The cut is one table of ours with a chain in each hook that a packet between the sides can pass:

    input ─► [cut]      forward ─► [cut]      output ─► [cut]        policy accept: all else goes on

It needs no memory of connections, so those that are open are cut as well.
"""

from __future__ import annotations

import atexit
import ipaddress
import threading
from dataclasses import replace
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict

from seatrial.faults import nft
from seatrial.faults.launch import end_tagged
from seatrial.faults.protocol import Declared, Role, Undo
from seatrial.model.problems import BadInput, Unavailable, nearest
from seatrial.model.quantities import Ratio
from seatrial.model.strict import as_tuple

_PARTS = 10_000  # the resolution of `share`
_PRIORITY = -150  # before the filters that are there


def _some(share: Ratio) -> Ratio:
    if share.fraction <= 0:
        raise ValueError("a share of 0% cuts nothing")
    return share


class NetworkBinding(BaseModel):
    """Which namespace, and which addresses are on which side."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    namespace: str = ""
    sides: dict[str, tuple[str, ...]]


class Cut(BaseModel):
    """Where the table is."""

    namespace: str


class NetworkPartition(Declared):
    """`between` two sides, one way (`from` the first) or both; a `share` of packets; dropped or reset."""

    name: ClassVar[str] = "network.partition"
    drivers: ClassVar[frozenset[str]] = frozenset({"network"})

    between: Annotated[tuple[str, str], BeforeValidator(as_tuple)]
    ways: Literal["both", "forward"] = "both"
    share: Annotated[Ratio, AfterValidator(_some)] = Ratio(1.0)
    by: Literal["drop", "reset"] = "drop"

    def lacking(self) -> str:
        return nft.lacking()

    def prepare(self, role: Role) -> Undo:
        if missing := nft.lacking():
            raise Unavailable(f"{role.name}: not run here, needs {missing}")
        self._body(role)
        namespace = role.bound_to(NetworkBinding).namespace
        sign = "⇹" if self.ways == "both" else "→"
        where = f"in the namespace {namespace}" if namespace else "on this machine"
        undo = self.noting(
            role,
            Cut(namespace=namespace),
            touches=f"{self.share} of packets {self.between[0]} {sign} {self.between[1]}, {where}",
            by_hand="",
        )
        _shells.open(undo.token, namespace)
        inside = f"ip netns exec {namespace} " if namespace else ""
        return replace(undo, by_hand=f"{inside}nft delete table inet {nft.table_of(undo.token)}")

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

    def healthy(self, role: Role) -> bool:
        return not nft.tables(role.bound_to(NetworkBinding).namespace)

    def _body(self, role: Role) -> str:
        """The chains of the table, in one line. Raises BadInput for a side that the role does not have."""
        one, other = (_networks(role, side) for side in self.between)
        pairs = [(one, other)] + ([(other, one)] if self.ways == "both" else [])
        rules = "; ".join(rule for source, target in pairs for rule in self._rules(source, target))
        if not rules:
            raise BadInput(f"with.between: {' and '.join(self.between)} have no addresses of one family")
        return " ".join(
            f"chain cut_{hook} {{ type filter hook {hook} priority {_PRIORITY}; policy accept; {rules}; }};"
            for hook in ("input", "forward", "output")
        )

    def _rules(self, source: list[_Network], target: list[_Network]) -> list[str]:
        parts = round(self.share.fraction * _PARTS)
        some = f"numgen random mod {_PARTS} < {parts} " if parts < _PARTS else ""
        rules = []
        for version, family in ((4, "ip"), (6, "ip6")):
            senders = ", ".join(str(each) for each in source if each.version == version)
            receivers = ", ".join(str(each) for each in target if each.version == version)
            if senders and receivers:
                match = f"{family} saddr {{ {senders} }} {family} daddr {{ {receivers} }} {some}"
                if self.by == "reset":
                    rules.append(f"{match}meta l4proto tcp counter reject with tcp reset")
                else:
                    rules.append(f"{match}counter drop")
        return rules


_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _networks(role: Role, side: str) -> list[_Network]:
    sides = role.bound_to(NetworkBinding).sides
    if side not in sides:
        raise BadInput(f"with.between: {role.name} has no side '{side}'{nearest(side, sides)}")
    try:
        networks = [ipaddress.ip_network(each) for each in sides[side]]
    except ValueError as error:
        raise BadInput(f"roles.{role.name}.sides.{side}: {error}") from error
    for network in networks:
        role.require_allowed(str(network[0]))
        role.require_allowed(str(network[-1]))
    return networks


class _Shells:
    """The shells of faults that this process has prepared and not undone."""

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
