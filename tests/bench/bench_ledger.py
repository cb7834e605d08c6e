"""What the ledger costs and what it keeps: throughput, 1,000 tamperings, 300 kills. Prints one JSON object.

python -m tests.bench.bench_ledger [throughput | tamperings | kills] …     (all three without a name)

Throughput is told in events a second and as a ratio to the same work without chain, tree and signatures, measured
in the same minute: the ratio is what holds on another machine.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path

from tests.support import ledger_hsm
from tests.support.ledger_kills import run_kills
from tests.support.ledger_tampering import NAME, run_campaign, write_pristine

from seatrial.ledger import Ledger, Signer, SoftwareSigner, append_stream, line_batches, prove, verify
from seatrial.ledger.checkpoints import read_notes
from seatrial.ledger.copies import CallbackCopy
from seatrial.ledger.note import read_checkpoint
from seatrial.ledger.pkcs11 import Pkcs11Signer
from seatrial.model.verdict import Verdict

EVENTS = 600_000
ROUNDS = 3
GROUP = 2_000


def main() -> int:
    """Exit 0 if nothing was lost and nothing passed unseen; speed is printed, not judged."""
    parts = sys.argv[1:] or ["throughput", "tamperings", "kills"]
    known = {"throughput": throughput, "tamperings": tamperings, "kills": kills}
    figures: dict[str, object] = {}
    good = True
    for part in parts:
        with tempfile.TemporaryDirectory(
            dir=Path.cwd(), prefix=".bench-ledger-"
        ) as scratch:  # a disk, not a tmpfs
            figures[part], kept = known[part](Path(scratch))
        good = good and kept
    print(json.dumps(figures, indent=2))  # noqa: T201  # its output
    return 0 if good else 1


class Stopwatch:
    """Wall and processor seconds of each piece of work, by name, a list entry a round."""

    def __init__(self) -> None:
        self.wall: dict[str, list[float]] = {}
        self.processor: dict[str, list[float]] = {}

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        wall, processor = time.perf_counter(), time.process_time()
        yield
        self.wall.setdefault(name, []).append(time.perf_counter() - wall)
        self.processor.setdefault(name, []).append(time.process_time() - processor)

    def figures(self, name: str) -> dict[str, object]:
        """Events a second, and a second of processor time: the latter hardly minds what else the machine does."""
        wall, processor = self.wall[name], self.processor[name]
        return {
            f"{name}_per_s": round(EVENTS / statistics.median(wall)),
            f"{name}_per_s_rounds": [round(EVENTS / each) for each in wall],
            f"{name}_per_processor_s": round(EVENTS / statistics.median(processor)),
        }


def throughput(scratch: Path) -> tuple[object, bool]:
    """Append and verify; every contender has its turn in every round."""
    source, directory = _write_events(scratch / "events.jsonl"), scratch / "ledger"
    signer = SoftwareSigner.generate(NAME)
    watch, gaps, verified = Stopwatch(), dict[str, object](), True
    for _ in range(ROUNDS):
        shutil.rmtree(directory, ignore_errors=True)
        with watch("plain_write"):
            _plain_write(source, scratch / "plain.jsonl")
        with watch("append"):
            gaps = _append(source, directory, signer)
        with watch("verify"):
            report = verify(directory, [signer.verifier_key()])
        with watch("prove_one"):
            prove(directory, EVENTS // 2, [signer.verifier_key()])
        with watch("reopen"):
            Ledger(directory, signer).close()
        verified = verified and report.verdict is Verdict.PASS and report.signed == EVENTS
    figures: dict[str, object] = {"events": EVENTS, "event_bytes": source.stat().st_size // EVENTS, **gaps}
    for name in ("plain_write", "append", "verify"):
        figures |= watch.figures(name)
    slowdowns = [
        append / plain for append, plain in zip(watch.wall["append"], watch.wall["plain_write"], strict=True)
    ]
    figures["append_takes_times_plain_write"] = round(statistics.median(slowdowns), 2)
    figures["prove_one_s"] = round(statistics.median(watch.wall["prove_one"]), 3)
    figures["reopen_s"] = round(statistics.median(watch.wall["reopen"]), 3)
    figures["hsm"] = _hsm(source, scratch)
    return figures, verified


def _write_events(path: Path) -> Path:
    """Audit events of about 180 bytes."""
    with path.open("w") as file:
        for n in range(EVENTS):
            event = {"time": f"17356896{n:011d}", "tenant": f"tenant-{n % 100:03d}", "actor": f"user-{n * 7919 % 50000}",
                     "action": "order.create", "object": f"order/{n}", "quantity": n % 9, "region": "east",
                     "request": f"{n * 2654435761 % 2**32:08x}-cb"}  # fmt: skip
            file.write(json.dumps(event) + "\n")
    return path


def _plain_write(source: Path, path: Path) -> None:
    """The same lines read, parsed, spelled in order and made durable in the same groups: nothing else."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    group: list[str] = []

    def flush() -> None:
        os.write(descriptor, "".join(group).encode())
        os.fdatasync(descriptor)
        group.clear()

    with source.open("rb") as file:
        for line in file:
            group.append(json.dumps(json.loads(line), sort_keys=True, separators=(",", ":")) + "\n")
            if len(group) == GROUP:
                flush()
    flush()
    os.close(descriptor)


def _append(source: Path, directory: Path, signer: Signer) -> dict[str, object]:
    """All events, as `seatrial ledger append` does it. Returns how far apart checkpoints were."""
    signed_at = [time.monotonic()]

    def note_the_time(note: bytes) -> None:
        signed_at.append(time.monotonic())

    copy = CallbackCopy("clock", note_the_time)
    with source.open("rb") as file, Ledger(directory, signer, copies=[copy]) as ledger:
        for _ in append_stream(ledger, line_batches(file.fileno())):
            pass
    sizes = [0, *(read_checkpoint(each.note).size for each in read_notes(directory / "checkpoints.txt")[0])]
    return {
        "checkpoints": len(sizes) - 1,
        "checkpoints_at_most_apart_events": max(b - a for a, b in pairwise(sizes)),
        "checkpoints_at_most_apart_s": round(max(b - a for a, b in pairwise(signed_at)), 3),
    }


def _hsm(source: Path, scratch: Path) -> object:
    """The same with ECDSA in SoftHSM2 behind p11-kit."""
    if ledger_hsm.missing():
        return f"not measured: {ledger_hsm.missing()} missing"
    with tempfile.TemporaryDirectory(prefix="hsm") as directory:
        hsm = ledger_hsm.Hsm(Path(directory))
        os.environ["P11_KIT_SERVER_ADDRESS"] = hsm.address
        hsm.start()
        try:
            with Pkcs11Signer(NAME, hsm.configuration) as signer:
                signer.sign(b"warm")
                start = time.perf_counter()
                gaps = _append(source, scratch / "hsm", signer)
                append_s = time.perf_counter() - start
                count = 1000
                start = time.perf_counter()
                for _ in range(count):
                    signer.sign(b"text")
                sign_s = time.perf_counter() - start
                verdict = verify(scratch / "hsm", [signer.verifier_key()]).verdict
        finally:
            hsm.stop()
    return {"append_per_s": round(EVENTS / append_s), "signatures_per_s": round(count / sign_s), "verdict": verdict,
            **gaps}  # fmt: skip


def tamperings(scratch: Path) -> tuple[object, bool]:
    """1,000 tamperings of every kind in turn."""
    signer = SoftwareSigner.generate(NAME)
    write_pristine(scratch / "pristine", signer)
    campaign = run_campaign(scratch / "pristine", scratch, signer, 1000, seed=20)
    return {
        **asdict(campaign),
        "tried": campaign.tried.total(),
        "kinds": len(campaign.tried),
    }, not campaign.missed


def kills(scratch: Path) -> tuple[object, bool]:
    """300 writers killed."""
    outcome = run_kills(scratch, 300, seed=20)
    return asdict(outcome), outcome.lost == 0 and outcome.verifications_failed == 0


if __name__ == "__main__":
    sys.exit(main())
