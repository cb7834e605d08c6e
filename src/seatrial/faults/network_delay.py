"""Make the way between two sides longer, as between regions of a continent, or across an ocean.

    {at: 5s, fault: network.delay, on: router, for: 20s,
     with: {between: [east, west], delay: 65ms, jitter: 15ms}}

Each packet that the namespace forwards from one side to the other is held for `delay` (both ways: a round
trip takes twice as long). Where the kernel has no netem, or somebody's own queueing must stay as it is, that
works all the same, for packets are led round through a program of ours:

    east ─► prerouting: marked ─► rule: the mark's own table ─► TUN ─► held ─► TUN ─► forwarded ─► west

When that program ends, however that comes about, its device is gone and the table empty, so the rule finds
nothing and the packets take the straight way at once. Only what is forwarded is delayed, not what the
namespace itself sends or receives. Of two delays between the same sides one counts: they do not add up.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, BaseModel, Field, model_validator

from seatrial.drivers import nft
from seatrial.drivers.launch import end_tagged, start_companion
from seatrial.drivers.network import Between, Family, NetworkBinding, Ways, arrow, passing
from seatrial.model.problems import Unavailable
from seatrial.model.quantities import Duration
from seatrial.model.role import Role
from seatrial.processes import await_gone, send, tagged
from seatrial.undo.protocol import Declared, Undo

_TUN = "/dev/net/tun"
_READY_WITHIN_S = 10.0
_LET_GO_WITHIN_S = 1.0
_LONGEST_S = 10.0
_ACROSS_AN_OCEAN = "100ms"  # each way: what exploration tries
_RULES = 1000  # the priority of our rules: before the one for the main table
_NUMBERS = 0x5EA00000  # how the numbers of our marks and tables begin
_DEVICES = "seatrial"  # how the names of our devices begin


def _sensible(delay: Duration) -> Duration:
    if not 0 < delay.seconds <= _LONGEST_S:
        raise ValueError(f"must lie between 0 and {_LONGEST_S:g}s; to lose packets use network.partition")
    return delay


@dataclass(frozen=True, slots=True)
class Detour:
    """What leads packets round. All of it is named after the fault's token, and so surely ours."""

    token: str

    @property
    def number(self) -> int:
        """The mark of the packets, and the number of their routing table."""
        return _NUMBERS | int(self.token[:5], 16)

    @property
    def device(self) -> str:
        """The TUN device; the kernel allows 15 characters."""
        return f"{_DEVICES}{self.token[:6]}"

    @property
    def address(self) -> str:
        """An address for the device, which nobody uses."""
        third, fourth = (int(self.token[place : place + 2], 16) for place in (0, 2))
        return f"169.254.{third}.{fourth}/32"

    def rule(self) -> list[str]:
        """The rule, in the words of `ip rule add` and `ip rule del`."""
        return ["fwmark", hex(self.number), "lookup", str(self.number), "priority", str(_RULES)]

    def table(self, matches: list[str]) -> str:
        """The table for `nft`, which marks what matches unless it comes back from a detour."""
        rules = "; ".join(
            f'iifname != "{_DEVICES}*" {match} counter meta mark set {self.number}' for match in matches
        )
        chain = f"chain round {{ type filter hook prerouting priority mangle; policy accept; {rules}; }};"
        return f"table inet {nft.table_of(self.token)} {{ {chain} }}\n"


class Route(BaseModel):
    """Where the detour is, and for which packets."""

    namespace: str
    matches: tuple[tuple[Family, str], ...]


class NetworkDelay(Declared):
    """Holds packets between two sides for a while, and keeps their order."""

    name: ClassVar[str] = "network.delay"
    drivers: ClassVar[frozenset[str]] = frozenset({"network"})

    between: Between = Field(examples=[["east", "west"]])
    """Two sides of the role."""
    delay: Annotated[Duration, AfterValidator(_sensible)] = Field(examples=["65ms"])
    """How long each packet is held."""
    jitter: Duration = Duration(0.0)
    """How much longer or shorter a packet may be held, at random; at most `delay`."""
    ways: Ways = "both"
    """both, or forward: from the first side to the second alone."""

    @classmethod
    def variations(cls, role: Role) -> Sequence[Mapping[str, Any]]:
        sides = combinations(role.bound_to(NetworkBinding).sides, 2)
        return [{"between": list(two), "delay": _ACROSS_AN_OCEAN} for two in sides]

    @model_validator(mode="after")
    def _never_early(self) -> Self:
        if self.jitter.seconds > self.delay.seconds:
            raise ValueError(f"jitter: {self.jitter} is more than the delay itself")
        return self

    def lacking(self) -> str:
        if missing := nft.lacking():
            return missing
        if shutil.which("ip") is None:
            return "ip: apt-get install iproute2"
        try:
            os.close(os.open(_TUN, os.O_RDWR | os.O_CLOEXEC))
        except OSError as error:
            return f"{_TUN} ({error.strerror}): modprobe tun; for a container: --device {_TUN}"
        return ""

    def fit(self, role: Role) -> None:
        passing(role, self.between, self.ways)

    def prepare(self, role: Role) -> Undo:
        if missing := self.lacking():
            raise Unavailable(f"{role.name}: not run here, needs {missing}")
        binding = role.bound_to(NetworkBinding)
        matches = tuple(passing(role, self.between, self.ways))
        nft.inside(binding.namespace)  # raises when it is not there
        around = f" ± {self.jitter}" if self.jitter.seconds else ""
        undo = self.noting(
            role,
            Route(namespace=binding.namespace, matches=matches),
            touches=f"{self.delay}{around} for packets {arrow(self.between, self.ways)}, {binding.where}",
            by_hand="",
        )
        return replace(
            undo,
            by_hand=(
                f"pkill -f 'seatrial.faults.companions.detour .*{undo.token}'; and had it been killed before:"
                f" {binding.by_hand}nft delete table inet {nft.table_of(undo.token)};"
                f" {binding.by_hand}ip rule del {' '.join(Detour(undo.token).rule())}"
            ),
        )

    def inject(self, undo: Undo) -> None:
        start_companion(
            "seatrial.faults.companions.detour",
            [
                undo.token,
                undo.noted(Route).model_dump_json(),
                str(self.delay.seconds),
                str(self.jitter.seconds),
            ],
            undo.token,
            directory=Path(undo.role.directory),
            within_s=_READY_WITHIN_S,
        )

    def undo(self, undo: Undo) -> None:
        companions = tagged(undo.token)
        for companion in companions:
            send(companion, signal.SIGTERM)  # it undoes all itself, and loses no packet by it
        await_gone(companions, _LET_GO_WITHIN_S)
        end_tagged(undo.token, Path(undo.role.directory))
        route = undo.noted(Route)
        lead_straight(route.namespace, Detour(undo.token), route)

    def gone(self, undo: Undo) -> bool:
        """Whether companion, table and rule are away; the device goes with the companion."""
        route = undo.noted(Route)
        if tagged(undo.token):
            return False
        if not nft.is_there(route.namespace):
            return True
        mark = f"fwmark {hex(Detour(undo.token).number)} "
        ruled = any(
            mark in ip(route.namespace, family, ["rule", "show"])
            for family in {each for each, _ in route.matches}
        )
        return not ruled and nft.table_of(undo.token) not in nft.tables(route.namespace)

    def healthy(self, role: Role) -> bool:
        binding = role.bound_to(NetworkBinding)
        mark = f"fwmark {hex(_NUMBERS)[:5]}"
        ruled = any(mark in ip(binding.namespace, family, ["rule", "show"]) for family in binding.families)
        return not ruled and not nft.tables(binding.namespace)


def lead_straight(namespace: str, detour: Detour, route: Route) -> None:
    """Remove table and rule of a detour; nothing happens where they, or the whole namespace, are missing."""
    nft.remove(namespace, nft.table_of(detour.token))
    if nft.is_there(namespace):
        for family in {family for family, _ in route.matches}:
            with contextlib.suppress(Unavailable):  # there is none; whether one is left, `healthy` tells
                ip(namespace, family, ["rule", "del", *detour.rule()])


def ip(namespace: str, family: Family, words: list[str]) -> str:
    """Run the program `ip` in a namespace; what it printed. Raises Unavailable with its complaint."""
    command = ["ip", "-6" if family == "ip6" else "-4", *words]
    return nft.ask(namespace, command, f"ip {' '.join(words)}")
