"""Migrations of tenants that are killed at an instant, looked at by other means than the product's, and resumed.

Three ways to be killed: the companion with the tools that it runs (`all`), the companion alone, whose tools
then go on (`companion`), or the tools alone (`tools`), whose tenants have then failed.
"""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.support.tenants import NEWEST, STOREFRONT, Shop
from tests.support.waiting import wait_until

from seatrial.actions.tenants_migrate import TenantsMigrate
from seatrial.drivers.migration_record import read_record, record_path, results
from seatrial.model.role import Role
from seatrial.processes import ProcessId, send, tagged

WAYS = ("all", "companion", "tools")


@dataclass(frozen=True, slots=True)
class Killed:
    """One trial: when it was killed, who was done by then, and what was wrong then and after the resumption."""

    way: str
    at_s: float
    done: int  # tenants at the newest version when it was dead
    running: int  # tenants that were being migrated when it was killed
    half_way: tuple[str, ...]  # when it was dead
    half_way_after: tuple[str, ...]  # when the next start had ended
    behind: tuple[str, ...]  # not at the newest version then
    again: tuple[str, ...]  # migrated by the next start although they had been done
    resumed_s: float


def migration(shop: Shop, **more: Any) -> tuple[TenantsMigrate, Role]:
    """The storefront's, which nobody waits for."""
    given = {"tool": "dbmate", "migrations": str(STOREFRONT), "within": "60s", "wait": False, **more}
    return TenantsMigrate.model_validate(given), shop.role()


def whole_length_s(shop: Shop, parallel: int) -> float:
    """How long a migration takes from its first tenant to its end, when nobody kills it."""
    action, role = migration(shop, parallel=parallel)
    action.inject(action.prepare(role))
    began_s = time.monotonic()
    _await_end(role, 60.0)
    return time.monotonic() - began_s


def kill_and_resume(shop: Shop, way: str, at_s: float, parallel: int) -> Killed:
    """Kill one after `at_s` seconds, look, and start it again."""
    action, role = migration(shop, parallel=parallel)
    undo = action.prepare(role)
    action.inject(undo)
    time.sleep(at_s)
    running = [line for line in results(read_record(record_path(role))).values() if "result" not in line]
    if way in ("all", "companion"):
        _kill(tagged(undo.token))
    if way in ("all", "tools"):
        for line in running:
            _kill(tagged(line["token"]))
    if way == "tools":
        _await_end(role, 60.0)
    wait_until(lambda: not _connections(shop), 20.0, "the server has noticed")
    before = shop.versions()
    half_way = _half_way(shop)
    began_s = time.monotonic()
    action, role = migration(shop, parallel=parallel, wait=True)
    earlier = len(read_record(record_path(role)))
    action.inject(action.prepare(role))
    resumed_s = time.monotonic() - began_s
    done = {tenant for tenant, versions in before.items() if NEWEST in versions}
    lines = read_record(record_path(role))
    begun = [index for index, line in enumerate(lines) if line["event"] == "begun"][-1]
    again = {line["tenant"] for line in lines[begun:] if line["event"] == "started"} & done
    return Killed(
        way, at_s, len(done), len(running), half_way, _half_way(shop),
        tuple(name for name, versions in shop.versions().items() if NEWEST not in versions),
        tuple(again) if earlier else (), resumed_s,
    )  # fmt: skip


def instants(count: int, length_s: float, seed: int) -> list[tuple[str, float]]:
    """So many ways and instants, spread over a little more than a whole migration."""
    chance = random.Random(seed)
    return [(chance.choice(WAYS), chance.uniform(0.0, 1.1 * length_s)) for _ in range(count)]


def _half_way(shop: Shop) -> tuple[str, ...]:
    return tuple(name for name, whole in shop.whole().items() if not whole)


def _kill(processes: Sequence[ProcessId]) -> None:
    for process in processes:
        send(process, signal.SIGKILL)


def _await_end(role: Role, within_s: float) -> None:
    wait_until(lambda: read_record(record_path(role))[-1]["event"] == "finished", within_s, "it has ended")


def _connections(shop: Shop) -> int:
    with shop.connect() as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND application_name LIKE 'seatrial%%'",
            [shop.name],
        ).fetchone()
    return int(row[0]) if row else 0
