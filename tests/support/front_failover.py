"""A region failover by DNS: a name with a front in each region, whose answer leaves out a front that is not well.

    load ── shop.testbed ─┬─ 10.N.1.2:8080   an HAProxy in east, which clients are cut off from
                          └─ 10.N.2.2:8080   an HAProxy in west

The network is the testbed's, its regions without what is behind their fronts: no figure here depends on it.

What a load balancer by DNS does is done here by health checks and a hosts file, which the system's resolver
reads anew at each question. Only the processes of the run see it, in a mount namespace of their own (root).
"""

from __future__ import annotations

import ipaddress
import json
import os
import random
import secrets
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml
from tests.support.edges import HAPROXY
from tests.support.waiting import wait_until

from seatrial.testbed import network as testbed_network
from seatrial.testbed.network import Network
from seatrial.testbed.topology import PLACES, REGIONS

PORT = 8080
NAME = "shop.testbed"
_EVERY_S, _WITHIN_S, _FALL = 0.1, 0.3, 2  # health checks: how often, how long, and how many that fail
_FRONT = """\
defaults
  mode http
  timeout connect 2s
  timeout client 30s
  timeout server 30s
frontend front
  bind {address}:{port}
  http-request return status 200 content-type text/plain string {address}
"""
SCENARIO = """\
from locust import task
from seatrial.load import OpenLoopUser

class Shopper(OpenLoopUser):
    @task
    def look(self):
        self.client.get("/")
"""
EXPERIMENT = """\
experiment: front-failover
load: {{scenario: shopper.py, rate: 100/s, deadline: 1s, {clients}}}
warmup: 1s
duration: 9s
timeline:
  - {{at: 1s, fault: network.partition, on: router, for: 6s, with: {{between: [clients, east]}}, name: region-loss}}
objectives:
  downtime: {{max: 4s, after: region-loss}}
"""


@dataclass
class Fronts:
    """Which of the fronts DNS names: those that are well, and all of them when none is, as such services do."""

    network: Network
    hosts: Path
    addresses: list[str]

    def answer_with(self, addresses: list[str]) -> None:
        """In one write and always of one length, so that nobody reads half of an answer."""
        lines = "".join(f"{address} {NAME}\n" for address in addresses)
        text = f"127.0.0.1 localhost\n{lines}".ljust(256, "\n")
        with os.fdopen(os.open(self.hosts, os.O_WRONLY | os.O_CREAT), "wb") as hosts:
            hosts.write(text.encode())

    def follow(self, over: threading.Event) -> None:
        """Ask each front how it is, until it is `over`."""
        failed = dict.fromkeys(self.addresses, 0)
        while not over.wait(_EVERY_S):
            for address in self.addresses:
                failed[address] = 0 if is_well(address) else failed[address] + 1
            well = [address for address, count in failed.items() if count < _FALL]
            self.answer_with(well or self.addresses)


def is_well(address: str) -> bool:
    """Whether the front there answers in time."""
    try:
        return httpx.get(f"http://{address}:{PORT}/", timeout=_WITHIN_S, trust_env=False).is_success
    except httpx.HTTPError:
        return False


@contextmanager
def two_fronts(directory: Path) -> Iterator[Fronts]:
    """Both regions in service, and DNS with its health checks."""
    block = testbed_network.free_block(testbed_network.routes(), random.Random())
    assert block is not None
    network = Network(secrets.token_hex(4), block, PLACES)
    fronts = Fronts(network, directory / "hosts", [network.address(region) for region in REGIONS])
    over = threading.Event()
    checking = threading.Thread(target=fronts.follow, args=(over,))
    with ExitStack() as undone:
        undone.callback(testbed_network.remove, network.tag)
        testbed_network.create(network)
        for address in fronts.addresses:
            undone.enter_context(_front(network, address, directory))
        fronts.answer_with(fronts.addresses)
        checking.start()
        undone.callback(checking.join)
        undone.callback(over.set)
        yield fronts


@contextmanager
def _front(network: Network, address: str, directory: Path) -> Iterator[None]:
    config = directory / f"{address}.cfg"
    config.write_text(_FRONT.format(address=address, port=PORT))
    process = subprocess.Popen([*network.enter(address), str(HAPROXY), "-db", "-f", str(config)])
    try:
        wait_until(lambda: is_well(address), what=f"the front at {address} answers")
        yield
    finally:
        process.kill()
        process.wait()


def failover(fronts: Fronts, directory: Path, clients: str) -> tuple[dict[str, Any], str]:
    """East is lost for 6 s; the verdict and what the terminal said. `clients`: keys of the load."""
    directory.mkdir()
    (directory / "shopper.py").write_text(SCENARIO)
    (directory / "x.yaml").write_text(EXPERIMENT.format(clients=clients))
    (directory / "target.yaml").write_text(yaml.safe_dump(_target(fronts.network)))
    run = [sys.executable, "-m", "seatrial", "run", "x.yaml", "--target", "target.yaml", "--json"]
    with_hosts = ["sh", "-c", 'mount --bind "$0" /etc/hosts && exec "$@"', str(fronts.hosts)]
    done = subprocess.run(
        ["unshare", "--mount", *with_hosts, *run],
        cwd=directory,
        env={**os.environ, "SEATRIAL_HOME": str(directory / "home"), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.stdout, done.stderr
    verdict: dict[str, Any] = json.loads(done.stdout)
    return verdict, done.stderr


def _target(network: Network) -> dict[str, Any]:
    outside = ipaddress.ip_interface(f"{network.outside}/30").network
    sides = {"clients": [str(outside)], **{region: [network.subnet(region)] for region in REGIONS}}
    return {
        "target": "two-fronts",
        "base_url": f"http://{NAME}:{PORT}",
        "allow": [network.everything, NAME],
        "roles": {"router": {"driver": "network", "namespace": network.router, "sides": sides}},
    }
