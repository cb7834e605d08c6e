"""Programs that faults start."""

from __future__ import annotations

import signal
from pathlib import Path

from tests.support.signals import dispositions
from tests.support.waiting import wait_until

from seatrial.drivers.launch import detach_once

TERMINAL = (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE)


def test_a_service_that_is_started_ignores_no_signal(tmp_path: Path) -> None:
    """One that an undo brings back shall not differ from what it was: reloaded, say, by SIGHUP."""
    told = tmp_path / "told"
    command = ("sh", "-c", "cat /proc/self/status > told.new; mv told.new told")
    with dispositions(signal.SIG_IGN, *TERMINAL):
        signal.pthread_sigmask(signal.SIG_BLOCK, TERMINAL)
        detach_once(command, "a token", directory=tmp_path, output=2)
    wait_until(told.exists)
    status = dict(line.split(":\t") for line in told.read_text().splitlines() if line.startswith("Sig"))
    others = sum(1 << (number - 1) for number in range(1, 65) if number not in signal.valid_signals())
    assert (int(status["SigIgn"], 16) & ~others, int(status["SigBlk"], 16) & ~others) == (0, 0)
