"""Nothing that happens to the terminal ends a run, or changes what its exit code means."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.signals import dispositions, heeded
from tests.support.small_run import SmallRun, small_run
from tests.support.waiting import wait_until

from seatrial.model.verdict import Verdict

pytestmark = pytest.mark.e2e
_ENDS_WITHIN_S = 30.0
_ENDLESS = "60s"


def until_under_way(run: SmallRun) -> None:
    wait_until(lambda: "load.zero" in run.events(), 30.0, "the load is under way")


def fill(terminal: int) -> None:
    """Write as much as there is room for, so that the next write would wait for a reader."""
    os.set_blocking(terminal, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(terminal, bytes(1024))
    os.set_blocking(terminal, True)


def whole_verdict(run: SmallRun) -> Verdict:
    """What a run found, whose verdict, report, seal and record are all there and agree."""
    verdict = Verdict(run.verdict()["verdict"])
    assert (run.evidence() / "report.html").stat().st_size > 0
    seal = subprocess.run(
        [sys.executable, "-m", "seatrial", "verify", str(run.evidence())], env=run.environment, check=False
    )
    assert seal.returncode == 0
    with sqlite3.connect(run.directory / "home" / "seatrial.sqlite") as connection:
        assert connection.execute("SELECT verdict FROM runs").fetchall() == [(verdict,)]
    return verdict


def test_a_terminal_that_is_closed_ends_a_run_in_good_order(tmp_path: Path) -> None:
    with small_run(tmp_path, _ENDLESS) as run:
        master, slave = os.openpty()
        with heeded(signal.SIGHUP, signal.SIGINT):
            process = subprocess.Popen(
                ["setsid", "--ctty", "--wait", *run.command], cwd=tmp_path, env=run.environment,
                stdin=slave, stdout=slave, stderr=slave,
            )  # fmt: skip
        os.close(slave)
        until_under_way(run)
        os.close(master)  # SIGHUP to the run, and EIO to whatever it says from now on
        process.wait(_ENDS_WITHIN_S)
        verdict = run.verdict()
        assert (verdict["interrupted"], verdict["reasons"][0]) == (True, "interrupted")
        assert whole_verdict(run) is Verdict.UNKNOWN
        assert process.returncode == 130


@pytest.mark.parametrize(
    "streams",
    [
        pytest.param(">/dev/full 2>/dev/full", marks=pytest.mark.long),
        pytest.param("2>&1 | head -1", marks=pytest.mark.long),
        pytest.param("<&- >&- 2>&-", marks=pytest.mark.long),
    ],
)
def test_a_reader_who_leaves_ends_nothing(tmp_path: Path, streams: str) -> None:
    with small_run(tmp_path, "1s") as run:
        script = f'set -o pipefail; "$@" {streams}'
        done = subprocess.run(
            ["bash", "-c", script, "bash", *run.command], cwd=tmp_path, env=run.environment,
            stdout=subprocess.PIPE, text=True, timeout=_ENDS_WITHIN_S, check=False,
        )  # fmt: skip
        assert done.returncode == whole_verdict(run).exit_code
        assert not run.verdict()["interrupted"]
        assert re.fullmatch(r"(x: starting load, \d+ s left\n)?", done.stdout)


@pytest.mark.long
def test_a_terminal_that_nobody_reads_holds_nothing_up(tmp_path: Path) -> None:
    """Stopped with Ctrl-S, or at the other end of a dead network: every write would block."""
    with small_run(tmp_path, "2s") as run:
        master, slave = os.openpty()
        fill(slave)
        process = subprocess.Popen(
            run.command, cwd=tmp_path, env=run.environment, stdout=subprocess.PIPE, stderr=slave
        )
        os.close(slave)
        out, _ = process.communicate(timeout=_ENDS_WITHIN_S)
        os.close(master)
        assert process.returncode == whole_verdict(run).exit_code
        assert not json.loads(out)["interrupted"]


def test_a_background_job_ignores_ctrl_c_and_heeds_a_supervisor_once(tmp_path: Path) -> None:
    with small_run(tmp_path, _ENDLESS) as run:
        with dispositions(signal.SIG_IGN, signal.SIGINT, signal.SIGHUP):
            process = subprocess.Popen(
                run.command, cwd=tmp_path, env=run.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
        until_under_way(run)
        ignored = int(_status(process.pid, "SigIgn"), 16)
        assert ignored & 1 << (signal.SIGINT - 1)
        assert ignored & 1 << (signal.SIGHUP - 1)
        for _ in range(3):
            process.send_signal(signal.SIGTERM)
        out, said = process.communicate(timeout=_ENDS_WITHIN_S)
        assert process.returncode == 130, said
        assert b"stopping" in said
        assert json.loads(out)["interrupted"]
        assert whole_verdict(run) is Verdict.UNKNOWN


def _status(pid: int, field: str) -> str:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(line.split()[1] for line in lines if line.startswith(f"{field}:"))
