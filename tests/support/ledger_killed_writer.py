"""A writer to be killed: appends for ever, and says on standard output what was acknowledged.

python -m tests.support.ledger_killed_writer DIRECTORY KEY SEED
"""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

from seatrial.ledger import CheckpointPolicy, Event, Ledger, SoftwareSigner

NAME = "seatrial.test/killed"
HEIGHT = 10  # small segments: kills must meet rotations, too
POLICY = CheckpointPolicy(every_events=700, every_s=0.02)


def event(seq: int) -> Event:
    """What entry `seq` must hold, whoever wrote it."""
    return {"seq": seq, "text": "x" * (seq * 37 % 400)}


def main() -> None:
    """Runs until it is killed."""
    directory, key, seed = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    chance = random.Random(seed)
    ledger = Ledger(directory, SoftwareSigner.load(key, NAME), policy=POLICY, segment_height=HEIGHT)
    size = ledger.status().durable
    while True:
        count = chance.choice((1, 1, 7, 60, 500))
        size = ledger.append_all([event(seq) for seq in range(size, size + count)]) + 1
        os.write(1, b"%d\n" % size)


if __name__ == "__main__":
    main()
