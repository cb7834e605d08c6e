"""A command loads what it needs: a help text needs no database, and a companion of a fault no arrays."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

# Each costs a start-up tens of milliseconds, and a process as many megabytes.
HEAVY = frozenset({
    "apscheduler", "cryptography", "gevent", "httpx", "jinja2", "locust", "numpy", "pagerduty", "patroni", "pkcs11",
    "prometheus_client", "psutil", "psycopg", "arro3", "redis", "seatrial.model.experiment", "sqlalchemy", "starlette",
    "uvicorn", "yaml",
})  # fmt: skip
COMMAND = """
import contextlib, sys
from seatrial.cli import main
with contextlib.suppress(SystemExit):
    main()
"""
LOADED = "import sys; sys.stderr.flush(); print('\\n', *sys.modules)"
COMMANDS = (
    "run", "suite", "demo", "measure", "calibrate", "recover", "testbed", "testbed up", "schedule", "schedule start",
    "report", "compare", "verify", "ledger", "ledger append", "incidents", "incidents list", "doctor",
)  # fmt: skip


def loaded(tmp_path: Path, program: str, *arguments: str) -> set[str]:
    """The heavy ones that a program has loaded when it is through."""
    done = subprocess.run(
        [sys.executable, "-c", program + "\n" + LOADED, *arguments], stdout=subprocess.PIPE, text=True,
        env={"SEATRIAL_HOME": str(tmp_path), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONPATH": ":".join(sys.path)},
        timeout=60, check=True,
    )  # fmt: skip
    return {*HEAVY.intersection(done.stdout.splitlines()[-1].split())}


def test_help_and_version_load_nothing_heavy(tmp_path: Path) -> None:
    every = "\n".join(
        f"sys.argv = ['seatrial', {', '.join(map(repr, each.split()))}]\n"
        "with contextlib.suppress(SystemExit):\n    main()"
        for each in ("--version", "--help", *(f"{command} --help" for command in COMMANDS))
    )
    assert loaded(tmp_path, COMMAND + every) == set()


@pytest.mark.parametrize(
    ("command", "allowed"),
    [
        # psutil, cryptography and httpx: for the faults, the HSM and the target that a plan may have
        (
            "run chaos/blue-green-rollback.yaml --dry-run",
            {"yaml", "numpy", "httpx", "psutil", "cryptography", "seatrial.model.experiment"},
        ),
        ("doctor", {"yaml"}),
        ("testbed status", {"yaml"}),
        ("verify nowhere", {"cryptography"}),
    ],
)
def test_a_command_loads_what_it_needs(tmp_path: Path, command: str, allowed: set[str]) -> None:
    assert loaded(tmp_path, COMMAND, *command.split()) <= allowed


@pytest.mark.parametrize(
    ("companion", "allowed"),
    [
        ("seatrial.undo.guardian", {"yaml", "psutil"}),
        ("seatrial.faults.companions.holding", {"yaml", "psutil", "psycopg"}),
        ("seatrial.faults.companions.throttle", {"yaml", "psutil"}),
        ("seatrial.faults.companions.detour", {"yaml", "psutil"}),
        ("seatrial.ledger.pkcs11_worker", {"cryptography"}),
        ("seatrial.testbed.supervisor", {"yaml"}),
    ],
)
def test_a_companion_is_light(tmp_path: Path, companion: str, allowed: set[str]) -> None:
    assert loaded(tmp_path, f"import {companion}") <= allowed


def test_the_conductor_never_loads_the_load_generator(tmp_path: Path) -> None:
    conducting = "import seatrial.trials.running, seatrial.trials.scheduled, seatrial.calibrate.calibration"
    assert not loaded(tmp_path, conducting) & {"locust", "gevent"}
