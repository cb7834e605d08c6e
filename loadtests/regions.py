"""Tenants who change settings, count and keep sets in every region at once, and meet on the same few things.

    locust -f loadtests/regions.py --host URL --rate 200/s --regions http://east:9101,http://west:9102

`--regions` (or the environment variable REGIONS) gives the address of each region's replica. Each write has a
key of the form that the check `convergence` reads: ID KIND TENANT NAME VALUE [after=ID].
"""

from __future__ import annotations

import itertools
import random
import uuid
from typing import Any

from locust import events, task
from locust.exception import StopTest

from seatrial.load import OpenLoopUser

TENANTS = ("acme", "globex", "initech")
MEMBERS = tuple(f"member-{number}" for number in range(12))
_RUN = uuid.uuid4().hex[:8]  # keys and names of one process of one run are like no others
_numbers = itertools.count()


def _add_options(parser: Any) -> None:
    parser.add_argument(
        "--regions",
        env_var="REGIONS",
        default="",
        help="Addresses of the regions' replicas, separated by commas",
    )


_hooks: Any = events
_hooks.init_command_line_parser.add_listener(_add_options)


class Tenant(OpenLoopUser):
    """Somebody of a tenant, wherever the nearest region happens to be."""

    regions: tuple[str, ...] = ()

    def on_start(self) -> None:
        """Learn where the regions are."""
        given = str(self.environment.parsed_options.regions)
        self.regions = tuple(url.strip().rstrip("/") for url in given.split(",") if url.strip())
        if len(self.regions) < 2:
            raise StopTest("--regions (or REGIONS): the addresses of two regions or more are needed")

    @task(4)
    def change_setting(self) -> None:
        """Overwrite a setting blindly, as two administrators do who do not know of each other."""
        self._put_setting(random.choice(self.regions), *self._setting())

    @task(2)
    def carry_setting(self) -> None:
        """Read a setting in one region and write it in another, knowing what was read."""
        tenant, name = self._setting()
        here, there = random.sample(self.regions, 2)
        answer = self.client.get(f"{here}/settings/{tenant}/{name}", name="GET setting", catch_response=True)
        with answer:
            if answer.status_code == 404:
                answer.success()  # nobody has set it yet
        read = str(answer.json()["key"]) if answer.status_code == 200 else ""
        self._put_setting(there, tenant, name, read, answer.headers.get("X-Causal-Token", ""))

    @task(4)
    def count(self) -> None:
        """Add to a counter."""
        tenant, name, amount = random.choice(TENANTS), f"visits-{_RUN}", random.randrange(-3, 10)
        self._write(
            "POST", f"/counters/{tenant}/{name}", f"counter.add {tenant} {name} {amount}", {"add": amount}
        )

    @task(2)
    def add_member(self) -> None:
        """Put somebody into a set."""
        self._change_set("PUT", "set.add")

    @task(1)
    def remove_member(self) -> None:
        """Take somebody out of a set."""
        self._change_set("DELETE", "set.remove")

    def _setting(self) -> tuple[str, str]:
        return random.choice(TENANTS), f"{random.choice(('theme', 'locale', 'plan'))}-{_RUN}"

    def _put_setting(self, region: str, tenant: str, name: str, read: str = "", token: str = "") -> None:
        value = f"value-{random.randrange(1_000_000)}"
        words = f"setting.put {tenant} {name} {value}" + (f" after={read}" if read else "")
        self._write("PUT", f"/settings/{tenant}/{name}", words, {"value": value}, region, token)

    def _change_set(self, method: str, kind: str) -> None:
        tenant, name, member = random.choice(TENANTS), f"team-{_RUN}", random.choice(MEMBERS)
        self._write(method, f"/sets/{tenant}/{name}/{member}", f"{kind} {tenant} {name} {member}")

    def _write(
        self,
        method: str,
        path: str,
        words: str,
        json: dict[str, object] | None = None,
        region: str = "",
        token: str = "",
    ) -> None:
        identity = f"{_RUN}-{next(_numbers)}"
        self.client.request(
            method,
            (region or random.choice(self.regions)) + path,
            name=words.partition(" ")[0],
            json=json,
            headers={"Idempotency-Key": identity} | ({"X-Causal-Token": token} if token else {}),
            key=f"{identity} {words}",
        )
