"""Locust behind the wall: `SEATRIAL_ALLOW=127.0.0.1,shop.internal python -m seatrial.load -f scenario.py …`.

What a conductor starts. Stock `locust` raises the wall too, but only when a test starts, since it learns its
host then; here the wall stands before the scenario is imported, and nothing makes the list longer.
"""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

import seatrial.load.entry_points  # noqa: F401  # before gevent asks for them, which Locust makes it do

# isort: split
from locust.main import main  # first: it replaces the sockets of the standard library with gevent's

from seatrial.load import hooks
from seatrial.load.refusal import telling
from seatrial.load.wall import ALLOW, raise_wall
from seatrial.model.allow import AllowList


def leave_proxies(environment: dict[str, str] | os._Environ[str]) -> None:
    """Take the proxies out of the environment: whom one of them asks cannot be told from its address."""
    for name in [name for name in environment if name.lower().endswith("_proxy")]:
        del environment[name]


def take_own_place() -> None:
    """Keep what this worker is sent and writes to itself.

    Locust writes a scenario that it gets from its master to the system's directory for temporary files, under
    its own name: two workers that start at once there would read half of what the other one writes.
    """
    place = tempfile.tempdir = tempfile.mkdtemp(prefix="seatrial-worker-")
    atexit.register(_leave, Path(place))


def _leave(place: Path) -> None:
    if not any(place.rglob("*.spool")):  # which the master has not fetched
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    allow = os.environ.pop(ALLOW, None)
    if allow is not None:
        leave_proxies(os.environ)
        raise_wall(AllowList.of(allow.split(",")))
    if "-" in sys.argv and "--worker" in sys.argv:
        take_own_place()
    with telling(sys.argv[sys.argv.index("-f") + 1].split(",") if "-f" in sys.argv else []):
        hooks.register()
        main()
