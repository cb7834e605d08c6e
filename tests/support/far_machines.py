"""Machines at the end of long ways, as network namespaces: a worker in each, its master on this machine.

    worker 0 ──┐                       ┌── 10.N.255.1   the master: held there and back, and packets are lost
    worker 1 ──┼── router ── uplink ───┤
    worker 2 ──┘                       └── 10.N.254.1   the service: the straight way

The testbed's own network, with the fault `network.delay` in its router (this kernel may have no netem), and a
rule of nft that drops a share of what passes between workers and master. What the service's clients see is
not touched by it.
"""

from __future__ import annotations

import contextlib
import random
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.routed_namespaces import ip
from tests.support.slow_relay import Way

from seatrial.drivers import nft
from seatrial.faults.network_delay import NetworkDelay
from seatrial.model.quantities import Duration
from seatrial.model.role import Role
from seatrial.testbed import network as networks
from seatrial.testbed.network import Network
from seatrial.undo import registry

_LOSS_TABLE = "seatrial_test_loss"


def why_not() -> str:
    """What this machine lacks for it; empty when nothing."""
    return networks.why_not() or NetworkDelay(between=("a", "b"), delay=Duration(0.001)).lacking()


@dataclass(frozen=True, slots=True)
class FarMachines:
    """The addresses of master and service, and what a worker's command begins with on each machine."""

    master: str
    service: str
    entering: tuple[tuple[str, ...], ...]


@contextlib.contextmanager
def far_machines(ways: Sequence[Way], directory: Path) -> Iterator[FarMachines]:
    """A machine for each way, for as long as the block lasts. Raises Unavailable with what is missing."""
    block = networks.free_block(networks.routes(), random.Random())
    assert block is not None
    names = tuple(f"load{number}" for number in range(len(ways)))
    network = Network(uuid.uuid4().hex[:8], block, names)
    master, service = network.outside, f"10.{block}.254.1"
    uplink = f"st-{network.tag}"
    with contextlib.ExitStack() as stack:
        stack.callback(networks.remove, network.tag)
        networks.create(network)
        ip("addr", "add", f"{service}/32", "dev", uplink)
        ip("-n", network.router, "route", "add", f"{service}/32", "via", master)
        sides = {"master": [f"{master}/32"], **{name: [network.subnet(name)] for name in names}}
        binding = {"namespace": network.router, "sides": sides}
        role = Role("router", "network", binding, (network.everything,), str(directory))
        for name, way in zip(names, ways, strict=True):
            for given in (
                _way(name, "master", way.there_s, way.jitter_s),
                _way("master", name, way.back_s, way.jitter_s),
            ):
                fault = registry.build("network.delay", given)
                undo = fault.prepare(role)
                stack.callback(fault.undo, undo)
                fault.inject(undo)
        nft.run(
            network.router,
            _losing(master, {network.subnet(name): way.loss for name, way in zip(names, ways, strict=True)}),
        )
        yield FarMachines(master, service, tuple(network.enter(network.address(name)) for name in names))


def _way(one: str, other: str, length_s: float, jitter_s: float) -> dict[str, object]:
    jitter_s = min(jitter_s, length_s)
    held = {"delay": f"{length_s * 1000:g}ms", "jitter": f"{jitter_s * 1000:g}ms"}
    return {"between": [one, other], "ways": "forward", **held}


def _losing(master: str, losses: dict[str, float]) -> str:
    """Each way of its own: of a thousand packets so many are dropped, by chance."""
    rules = [
        f"ip {near} {subnet} ip {far} {master} numgen random mod 1000 < {round(share * 1000)} drop"
        for subnet, share in losses.items()
        for near, far in (("saddr", "daddr"), ("daddr", "saddr"))
        if share
    ]
    chain = ["chain lose {", "type filter hook forward priority 10; policy accept;", *rules, "}"]
    return "\n".join([f"table inet {_LOSS_TABLE} {{", *chain, "}", ""])
