"""Kill a ledger's writer at random instants and see whether anything that it acknowledged is gone.

A kill leaves the kernel's page cache alone, so it proves the order of writes and acknowledgements, and the
repair, not the disk. Torn and jumbled pages are made by hand in `test_recovery`.
"""

from __future__ import annotations

import random
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tests.support.ledger_killed_writer import HEIGHT, NAME, event

from seatrial.ledger import Ledger, SoftwareSigner, read_entries, verify
from seatrial.model.verdict import Verdict

ROOT = Path(__file__).parents[2]
KILLS_A_LEDGER = 20


@dataclass
class KillOutcome:
    """Sums over all kills."""

    kills: int = 0
    acknowledged: int = 0  # entries, last acknowledgement of each life
    kept: int = 0  # entries found after the kill, acknowledged or not
    lost: int = 0  # acknowledged, and not there or not what was appended
    torn_tails: int = 0
    before_the_first_acknowledgement: int = 0
    verifications_failed: int = 0


def run_kills(scratch: Path, kills: int, seed: int) -> KillOutcome:
    """Kill `kills` writers, one after the other; a new ledger after every twenty."""
    signer = SoftwareSigner.load_or_create(scratch / "key.pem", NAME)
    outcome = KillOutcome()
    size = 0
    for number in range(kills):
        directory = scratch / f"ledger-{number // KILLS_A_LEDGER}"
        size = size if number % KILLS_A_LEDGER else 0
        chance = random.Random(f"{seed}/{number}")
        acknowledged = _kill_a_writer(directory, scratch / "key.pem", chance) or size
        outcome.before_the_first_acknowledgement += acknowledged == size
        size = _take_stock(directory, signer, size, acknowledged, outcome)
    return outcome


def _kill_a_writer(directory: Path, key: Path, chance: random.Random) -> int:
    """One life. Returns the size that was acknowledged last, 0 for none."""
    command = [
        sys.executable,
        "-m",
        "tests.support.ledger_killed_writer",
        str(directory),
        str(key),
        str(chance.randrange(10**9)),
    ]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        heard = b""
        if (
            chance.random() < 0.9
        ):  # else it is killed while it starts, or while it mends what the last kill left
            heard = process.stdout.readline()
            assert heard, "the writer ended by itself"
        time.sleep(chance.random() * 0.08)  # the instant is what is random here; nothing is waited for
        process.kill()
        heard += process.stdout.read()
    assert process.returncode == -9
    return int(heard.split(b"\n")[-2]) if b"\n" in heard else 0


def _take_stock(
    directory: Path, signer: SoftwareSigner, before: int, acknowledged: int, outcome: KillOutcome
) -> int:
    """Open the ledger as the next writer does and compare it with what was acknowledged. Returns its size."""
    with Ledger(directory, signer, segment_height=HEIGHT) as ledger:
        recovery = ledger.recovery
    found = read_entries(directory, before, segment_height=HEIGHT)
    right = sum(entry.seq == seq and entry.event == event(seq) for seq, entry in enumerate(found, before))
    report = verify(directory, [signer.verifier_key()], segment_height=HEIGHT)
    outcome.kills += 1
    outcome.acknowledged += acknowledged - before
    outcome.kept += recovery.entries - before
    outcome.lost += max(0, acknowledged - before - right)
    outcome.torn_tails += recovery.cut_bytes > 0
    empty = recovery.entries == 0 and not report.findings
    outcome.verifications_failed += report.verdict is not Verdict.PASS and not empty
    return recovery.entries
