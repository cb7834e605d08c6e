"""Starts load workers on the machine where it runs, for a conductor elsewhere, and ends them with it.

    conductor ── SSH ──► python -m seatrial.load.attendant ──► workers ──► their master
        order: scenario, secret, variables, where the master is     (one line of JSON)
        ◄── {"log": …}  a line that a worker has said        ◄── {"ended": […]}  exit codes, when all are gone

Its input is its lifeline: when that ends, because the run is over, or the conductor died, or the connection,
the workers have a moment to leave and are killed then. If the connection hangs without an end, they hear
nothing of their master, stop within their lease, and leave by themselves. What is secret comes by the input
and goes on in the environment: no command line has it. Nothing here imports Locust or gevent.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import select
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seatrial.home import private, private_directory
from seatrial.load.machine import PARENT
from seatrial.load.workers import LocalWorkers
from seatrial.model.problems import SeatrialError
from seatrial.model.workers import Workers

LEAVE_WITHIN_S = 2.0  # workers, when the input has ended
_LOOK_EVERY_S = 0.5
_LONGEST_READ = 65536


def main() -> int:
    """Read the order, and attend to its workers until they or the input end."""
    order = sys.stdin.buffer.readline()
    if not order.endswith(b"\n"):
        return 0  # whoever was there has thought better of it
    try:
        place = Path(tempfile.mkdtemp(prefix="seatrial-workers-", dir=Path.cwd()))
        try:
            _attend(json.loads(order), place)
        finally:
            _clear(place)
    except (SeatrialError, OSError) as error:
        _say(wrong=str(error))
        return 1
    return 0


def _attend(order: Mapping[str, Any], place: Path) -> None:
    files = place / "files"
    for name, text in order["files"].items():
        _write(files, name, base64.b64decode(text))
    environment = {**order["environment"], PARENT: str(os.getpid()), "TMPDIR": str(place)}
    paths = os.pathsep.join(filter(None, [str(files), os.environ.get("PYTHONPATH", "")]))
    scenarios = ",".join(str(files / name) for name in order["scenarios"])
    workers = Workers(local=order["count"], listen=order["host"], port=order["port"])
    said, says = os.pipe()
    with os.fdopen(says, "wb") as log:
        started = LocalWorkers(workers, scenarios, {**environment, "PYTHONPATH": paths}, log)
    try:
        _listen(started, said)
    finally:
        started.end(LEAVE_WITHIN_S)
        os.close(said)


def _listen(workers: LocalWorkers, said: int) -> None:
    """Hand on what the workers say, until all have ended or the input has."""
    rest, sources = b"", [sys.stdin.fileno(), said]
    while True:
        ready = select.select(sources, [], [], _LOOK_EVERY_S)[0]
        if sys.stdin.fileno() in ready:
            return
        if said in ready:
            came = os.read(said, _LONGEST_READ)
            *lines, rest = (rest + came).split(b"\n")
            for line in lines:
                _say(log=line.decode(errors="replace"))
            if not came:
                sources.remove(said)
        codes = [process.poll() for process in workers.processes]
        if None not in codes and not ready:
            _say(ended=codes)
            return


def _write(folder: Path, name: str, content: bytes) -> None:
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise OSError(f"{name}: leads out of the directory for files")
    private_directory(path.parent)
    with open(path, "wb", opener=private) as file:
        file.write(content)


def _clear(place: Path) -> None:
    """Leave nothing, but for rows that the master has not fetched."""
    shutil.rmtree(place / "files", ignore_errors=True)
    if not any(place.glob("*/*.spool")):
        shutil.rmtree(place, ignore_errors=True)


def _say(**what: Any) -> None:
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.write(f"{json.dumps(what)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
