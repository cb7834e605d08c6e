"""The whole way of a readiness matrix, by the commands that people type: measured, signed, exported, voided.

    three short experiments on the testbed ─► matrix ─► four sign-offs, two with keys ─► bundle ─► verified
                                                                   │                       with an empty home
    a byte, a threshold, a day too many, an experiment ─► each voids what was signed, and says what changed

Each alteration is made, told of, and taken back; then everything must stand again.

python -m tests.bench.bench_matrix_way
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from seatrial.store import Store
from seatrial.trials.readiness import standing

_RATE, _RUN_WITHIN_S, _READS_WITHIN_S = "3000/min", 240, 120
_SIGNERS = {"cto": "ann", "security": "amira", "sre": "", "compliance": ""}  # role → key; "": without one
EXPERIMENTS = {
    "rollback": (
        "{at: 8s, action: deploy.rollback, on: edge, name: rollback}",
        "downtime: {max: 5s, after: rollback}",
        "  - {at: 3s, action: deploy.switch, on: edge, with: {to: green}}\n",
    ),
    "cache": (
        "{at: 4s, fault: process.kill, on: cache.process, for: 4s, name: outage}",
        "downtime: {max: 2s, after: outage}",
        "",
    ),
    "database": (
        "{at: 4s, fault: database.crash, on: database.primary, name: crash}",
        "downtime: {max: 10s, after: crash}",
        "",
    ),
}
READINESS = """\
readiness: reference
title: The whole way
shelf_life: 35d
sign_off: [cto, security, sre, compliance]
rows:
  - {id: rollback, requirement: It is rolled back without a gap, risk: high, target: < 5 s,
     evidence: [{experiment: rollback.yaml, objective: downtime after rollback, max: 5s}]}
  - {id: cache, requirement: The cache may go, target: < 2 s,
     evidence: [{experiment: cache.yaml, objective: downtime after outage, max: 2s}]}
  - {id: database, requirement: The database comes back, risk: high, target: < 10 s,
     evidence: [{experiment: database.yaml, objective: downtime after crash, max: 10s},
                {experiment: database.yaml, check: acknowledged-writes}]}
"""


def main() -> int:
    """Exit 0 when every step did what it must."""
    with tempfile.TemporaryDirectory() as name:
        way = Way(Path(name))
        try:
            way.measure()
            bundle = way.sign_and_export()
            return 0 if way.alter(bundle) else 1
        finally:
            way.command("testbed", "down", within_s=_RUN_WITHIN_S)


class Way:
    """A directory of experiments, with a home of its own."""

    def __init__(self, place: Path) -> None:
        self.place = place
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SEATRIAL_")}
        self.environment = {**kept, "SEATRIAL_HOME": str(place / "home"), "COLUMNS": "120"}
        (place / "readiness.yaml").write_text(READINESS)
        for experiment, (step, objective, before) in EXPERIMENTS.items():
            (place / f"{experiment}.yaml").write_text(
                f"experiment: {experiment}\nload: {{scenario: loadtests/storefront.py, rate: {_RATE}}}\n"
                f"warmup: 3s\nduration: 14s\ntimeline:\n{before}  - {step}\n"
                f"objectives:\n  {objective}\nchecks:\n  - acknowledged-writes\n"
            )

    def command(self, *arguments: str, within_s: float = _READS_WITHIN_S) -> subprocess.CompletedProcess[str]:
        """Run the command there."""
        return subprocess.run(
            [sys.executable, "-m", "seatrial", *arguments],
            cwd=self.place, env=self.environment, timeout=within_s, capture_output=True, text=True, check=False,
        )  # fmt: skip

    def measure(self) -> None:
        """Run all three, and show where that leaves the matrix."""
        _done(self.command("testbed", "up", within_s=_RUN_WITHIN_S))
        for experiment in EXPERIMENTS:
            began = time.monotonic()
            _done(self.command("run", f"{experiment}.yaml", "--json", within_s=_RUN_WITHIN_S))
            print(f"{experiment}: pass, {time.monotonic() - began:.0f} s")  # noqa: T201
        _done(self.command("testbed", "down", within_s=_RUN_WITHIN_S))
        print(_done(self.command("matrix", "--file", "readiness.yaml", "--check")).stdout)  # noqa: T201

    def sign_and_export(self) -> Path:
        """All four sign; the bundle is verified where nothing else is. Gives the bundle."""
        keys = [self.place / "machine.pub"]
        for role, key in _SIGNERS.items():
            if key:
                made = _done(self.command("keys", "make", key))
                keys.append(self.place / f"{key}.pub")
                keys[-1].write_text(made.stdout)
            held = ["--key", key] if key else []
            _done(self.command("matrix", "sign", "--role", role, "--name", role.title(), *held, *_FILE))
        shutil.copy(next((self.place / "home/keys").glob("ledger.pub")), keys[0])
        assert all(each["stands"] for each in self.matrix()["signed"])
        _done(self.command("matrix", "export", "bundle", *_FILE))
        whole = self._verified("bundle", keys)
        print(f"bundle verified with an empty home, in {whole:.2f} s")  # noqa: T201
        return self.place / "bundle"

    def _verified(self, bundle: str, keys: list[Path]) -> float:
        trusted = [argument for key in keys for argument in ("--key", str(key))]
        with tempfile.TemporaryDirectory() as empty:
            home, self.environment["SEATRIAL_HOME"] = self.environment["SEATRIAL_HOME"], empty
            began = time.monotonic()
            try:
                _done(self.command("matrix", "verify", bundle, *trusted))
            finally:
                self.environment["SEATRIAL_HOME"] = home
            return time.monotonic() - began

    def matrix(self) -> dict[str, Any]:
        """What `seatrial matrix --json` tells."""
        told: dict[str, Any] = json.loads(_done(self.command("matrix", "--json", *_FILE)).stdout)
        return told

    def alter(self, bundle: Path) -> bool:
        """Each alteration voids all four sign-offs, of a bundle its verdict; taken back, everything stands."""
        (log,) = self.place.glob("runs/*-cache/requests.parquet")
        files: dict[str, tuple[Path, Callable[[bytes], bytes]]] = {
            "a byte of evidence": (log, lambda text: text[:200] + bytes([text[200] ^ 1]) + text[201:]),
            "a threshold": (self.place / "readiness.yaml", lambda text: text.replace(b"max: 2s", b"max: 3s")),
            "an experiment": (self.place / "database.yaml", lambda text: text.replace(b"14s", b"15s")),
        }
        kept = True
        for what, (path, change) in files.items():
            with altered(path, change(path.read_bytes())):
                kept &= _tell(what, self.matrix()["signed"])
        kept &= _tell("36 days later", self._later(timedelta(days=36)))
        inside = next(bundle.rglob("requests.parquet"))
        with altered(inside, inside.read_bytes()[:-1] + b"?"):
            found = self.command("matrix", "verify", "bundle")
            print(f"a byte of the bundle: exit {found.returncode}, {found.stdout.splitlines()[0]}")  # noqa: T201
            kept &= found.returncode == 1
        stands = all(each["stands"] for each in self.matrix()["signed"])
        print(f"all taken back: {'all four stand' if stands else 'NOT ALL STAND'}")  # noqa: T201
        return kept and stands

    def _later(self, by: timedelta) -> list[dict[str, Any]]:
        """The sign-offs as they are so much later: the clock is given, and nothing else is changed."""
        os.environ["SEATRIAL_HOME"] = self.environment["SEATRIAL_HOME"]
        with Store.default() as store:
            found = standing(str(self.place / "readiness.yaml"), store, datetime.now(UTC) + by)
        signed: list[dict[str, Any]] = list(found.document["signed"])
        return signed


_FILE = ("--file", "readiness.yaml")


@contextmanager
def altered(path: Path, text: bytes) -> Iterator[None]:
    """A file that says something else meanwhile."""
    before = path.read_bytes()
    assert text != before
    path.write_bytes(text)
    try:
        yield
    finally:
        path.write_bytes(before)


def _tell(what: str, signed: list[dict[str, Any]]) -> bool:
    void = [each for each in signed if not each["stands"] and each["voided"]]
    told = dict.fromkeys(said for each in void for said in each["voided"])
    print(f"{what}: {len(void)} of {len(signed)} void: {'; '.join(told)}")  # noqa: T201
    return len(void) == len(signed) == len(_SIGNERS)


def _done(command: subprocess.CompletedProcess[str]) -> subprocess.CompletedProcess[str]:
    assert command.returncode == 0, (
        command.args,
        command.returncode,
        command.stdout[-2000:],
        command.stderr[-2000:],
    )
    return command


if __name__ == "__main__":
    sys.exit(main())
