"""Real processes, none of them ours but for a moment."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from seatrial.processes import ProcessId, identify, is_running
from seatrial.testbed.processes import MARKER, belonging_to, end, working_in

SLEEP = (sys.executable, "-c", "import time; print(flush=True); time.sleep(60)")


@contextmanager
def running(
    command: tuple[str, ...] = SLEEP, cwd: Path | None = None, marker: Path | None = None
) -> Iterator[ProcessId]:
    """A process that has come to its first line of output."""
    environment = {**os.environ, **({MARKER: str(marker)} if marker else {})}
    with subprocess.Popen(command, cwd=cwd, env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        own = identify(process.pid)
        assert own is not None
        try:
            yield own
        finally:
            process.kill()


def test_who_is_ended_is_gone() -> None:
    with running() as process:
        assert end([process], 5) == []
        assert not is_running(process), "a zombie does not count"


def test_ours_are_those_with_our_marker_wherever_they_work(tmp_path: Path) -> None:
    root, foreign = tmp_path / "testbed", tmp_path / "other"
    part = root / "parts" / "edge"
    part.mkdir(parents=True)
    with (
        running(marker=root) as ours,
        running(marker=root, cwd=part) as at_work,
        running(marker=foreign, cwd=part) as others,
        running(cwd=part) as visitor,
    ):
        found = belonging_to(root, servers=())
        assert {ours, at_work} == set(found), (others, visitor)
        assert working_in(part, root, servers=()) == [at_work]


def test_a_server_without_marker_is_ours_by_its_program_and_place(tmp_path: Path) -> None:
    """As PostgreSQL's backends and Valkey, which overwrite their environment."""
    server = Path("/proc/self/exe").readlink()  # any program will do
    with running(cwd=tmp_path) as backend, running() as elsewhere:
        found = belonging_to(tmp_path, [server])
        assert backend in found
        assert elsewhere not in found
        assert working_in(tmp_path, tmp_path, [server]) == [backend]
