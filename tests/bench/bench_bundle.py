"""Hundreds of random alterations of an exported matrix: bundle, evidence, sign-offs and keys. All must be found.

python -m tests.bench.bench_bundle [ALTERATIONS [SEED]]
"""

from __future__ import annotations

import random
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.matrix.test_bundle import alter, exported, judged
from tests.support.readiness import World

from seatrial.model.verdict import Verdict


def main(alterations: int = 400, seed: int = 1) -> int:
    """Alter and verify; what was found, by verdict. Exit code 1 when one passed."""
    rng = random.Random(seed)
    found: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        world = World.at(place / "world")
        whole = exported(world)
        files = sorted(
            each.relative_to(whole) for each in whole.rglob("*") if each.is_file() and each.stat().st_size
        )
        for _ in range(alterations):
            bundle = place / "altered"
            shutil.copytree(whole, bundle)
            told = alter(bundle / rng.choice(files), rng)
            verdict = judged(bundle, world)
            found[str(verdict or "refused")] += 1
            if verdict is Verdict.PASS:
                print(f"NOT FOUND: {told}")  # noqa: T201
            shutil.rmtree(bundle)
    print(f"{alterations} alterations, seed {seed}: {dict(found)}")  # noqa: T201
    return 1 if found["pass"] else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
