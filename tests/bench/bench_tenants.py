"""Migrations of all tenants, killed at random instants and gone on with; and a whole one under full load.

    python -m tests.bench.bench_tenants [KILLS [SEED [TENANTS]]]      50 kills, seed 1, 20 tenants
    python -m tests.bench.bench_tenants load                          chaos/tenant-migration.yaml on the testbed

Each kill has a database of its own on a real PostgreSQL. Whether a tenant is half-way is looked at by SQL of
the bench: a schema is wholly before or wholly behind each migration, fence and grants included, when the
migration is dead and again when the next start has ended. Who was done must not be migrated again.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from tests.support.migration_kills import WAYS, Killed, instants, kill_and_resume, whole_length_s
from tests.support.postgres import PASSWORD, postgres
from tests.support.tenants import Shop

_PARALLEL = 4


def kills(count: int, seed: int, tenants: int) -> list[Killed]:
    """So many trials, one after the other."""
    os.environ["TENANTS_PASSWORD"] = PASSWORD
    found = []
    with tempfile.TemporaryDirectory(prefix="st") as room, postgres(Path(room)) as server:
        os.environ["SEATRIAL_HOME"] = str(Path(room) / "home")
        length_s = whole_length_s(Shop(server, "whole", tenants, Path(room)), _PARALLEL)
        print(f"a whole migration of {tenants} tenants, {_PARALLEL} at a time, takes {length_s:.2f} s")  # noqa: T201
        for number, (way, at_s) in enumerate(instants(count, length_s, seed), start=1):
            shop = Shop(server, f"killed_{number}", tenants, Path(room))
            one = kill_and_resume(shop, way, at_s, _PARALLEL)
            found.append(one)
            print(  # noqa: T201  # its output
                f"{number:>3} {one.way:<9} at {one.at_s:5.2f} s: {one.done:>3} done, {one.running} running,"
                f" {len(one.half_way)} half-way; resumed in {one.resumed_s:5.2f} s: {len(one.half_way_after)}"
                f" half-way, {len(one.behind)} behind, {len(one.again)} again",
                flush=True,
            )
    return found


def told(found: list[Killed], tenants: int) -> str:
    """The sum of all trials."""
    middle = sum(0 < one.done < tenants for one in found)
    wrong = {
        "half-way when it was dead": sum(len(one.half_way) for one in found),
        "half-way after the next start": sum(len(one.half_way_after) for one in found),
        "behind after the next start": sum(len(one.behind) for one in found),
        "migrated again": sum(len(one.again) for one in found),
    }
    ways = ", ".join(f"{sum(one.way == way for one in found)} {way}" for way in WAYS)
    return (
        f"{len(found)} kills ({ways}), {middle} of them with some tenants done and some not, "
        f"{sum(one.running for one in found)} tenants being migrated at the instant; tenants "
        + ", ".join(f"{what}: {count}" for what, count in wrong.items())
        + f"; the next start took {median(one.resumed_s for one in found):.2f} s (median)"
    )


def under_load() -> dict[str, Any]:
    """The verdict of the shipped experiment; it brings the testbed up and takes it down."""
    with tempfile.TemporaryDirectory(prefix="st") as room:
        command = [sys.executable, "-m", "seatrial", "run", "chaos/tenant-migration.yaml", "--json"]
        done = subprocess.run(
            [*command, "--out", f"{room}/run"],
            env={**os.environ, "SEATRIAL_HOME": f"{room}/home"},
            capture_output=True,
            text=True,
            check=False,
        )
        try:
            return dict(json.loads(done.stdout))
        except ValueError:
            sys.exit(f"no verdict: {done.stderr}")


def told_of_load(verdict: dict[str, Any]) -> str:
    """Duration, worst tenant, attempts and leaks."""
    checks = {check["name"]: check for check in verdict["checks"]}
    worst = verdict["tenants"][0]
    lines = [f"{verdict['verdict']}: {'; '.join(verdict['reasons']) or 'every promise was kept'}"]
    lines += [
        f"{each['name']}: [{each['lower']:.4g}, {each['upper']:.4g}] {each['unit']} of {each['target']:g}"
        for each in verdict["objectives"]
        if each["upper"] is not None
    ]
    lower, upper = worst["downtime"]["lower_s"], worst["downtime"]["upper_s"]
    window = worst["uptime"][-1]
    lines.append(
        f"worst of {len(verdict['tenants'])} tenants: {worst['tenant']}, {worst['bad']} of"
        f" {worst['requests']} requests bad, downtime [{lower}, {upper}] s,"
        f" up {window['worst']:.2%} of its worst {window['worst_window_s']:g} s"
    )
    lines += [f"{name}: {check['verdict']}: {check['detail']}" for name, check in checks.items()]
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """1 when a tenant was half-way, behind, or migrated again; else 0."""
    if arguments == ["load"]:
        verdict = under_load()
        print(told_of_load(verdict))  # noqa: T201
        return 0 if verdict["verdict"] == "pass" else 1
    count, seed, tenants = (int(each) for each in (*arguments, *("50", "1", "20")[len(arguments) :]))
    found = kills(count, seed, tenants)
    print(told(found, tenants))  # noqa: T201
    return int(any(one.half_way or one.half_way_after or one.behind or one.again for one in found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
