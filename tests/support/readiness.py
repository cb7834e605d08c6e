"""A readiness file, sealed runs and keys, for tests of the matrix."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.support.results import result

from seatrial.ledger import SoftwareSigner, seal
from seatrial.matrix.collecting import ReadinessFile, collect, read_readiness
from seatrial.matrix.evidence import EvidenceDirectories
from seatrial.matrix.judging import Matrix, judge
from seatrial.matrix.signing import LEDGER, SignOff, Word, record, recorded, sign_offs, signed_by
from seatrial.matrix.statement import Statement, statement_of
from seatrial.model.verdict import Verdict
from seatrial.report.verdictfile import verdict_document

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
EXPERIMENT = """\
experiment: database-crash
load: {scenario: loadtests/storefront.py, rate: 100/s}
duration: 10s
objectives: {downtime: {max: 5s}}
"""
PLAN = {
    "experiment": {"load": {"scenario": "loadtests/storefront.py", "rate": [{"rate": "100/s"}]}},
    "target": {"target": "testbed", "base_url": "http://127.0.0.1:8080"},
}
"""What `plan.json` tells of a run of it, as far as the matrix asks."""
READINESS = """\
readiness: production
title: Ready
sign_off: [security]
rows:
  - id: ADR-003
    requirement: It comes back
    risk: high
    evidence:
      - {experiment: crash.yaml, objective: downtime after crash, max: 5s}
  - id: policy
    requirement: The policies hold
    evidence:
      - {file: policy.json, format: json, value: /passed, made: "2026-11-20T00:00:00Z"}
  - id: drill
    requirement: People know what to do
    evidence:
      - {attestation: The runbook was walked through.}
"""


@dataclass(frozen=True)
class World:
    """A directory with everything that a matrix rests on."""

    place: Path
    machine: SoftwareSigner
    person: SoftwareSigner

    @classmethod
    def at(cls, place: Path) -> World:
        """All three rows have their evidence, and pass."""
        place.mkdir(exist_ok=True)
        world = cls(place, SoftwareSigner.generate("machine"), SoftwareSigner.generate("amira"))
        world.write("crash.yaml", EXPERIMENT)
        world.write("readiness.yaml", READINESS)
        world.write("policy.json", '{"passed": true}')
        world.run()
        world.attest()
        return world

    def write(self, name: str, text: str) -> None:
        """Write one of the files."""
        (self.place / name).write_text(text)

    def run(self, verdict: Verdict = Verdict.PASS, number: int = 1, *, days_ago: float = 2) -> Path:
        """One more run, sealed."""
        came = replace(result(verdict, number), started_at=(NOW - timedelta(days=days_ago)).isoformat())
        directory = self.place / "runs" / came.run
        directory.mkdir(parents=True)
        (directory / "verdict.json").write_text(json.dumps(verdict_document(came)))
        (directory / "experiment.yaml").write_text(EXPERIMENT)
        (directory / "plan.json").write_text(json.dumps(PLAN))
        (directory / "requests.parquet").write_bytes(bytes(range(256)))
        seal(directory, self.machine)
        return directory

    def attest(self) -> None:
        """A person's word on the third row."""
        word = Word(
            "attestation", "production", "sre", "Amira", (NOW - timedelta(days=1)).isoformat(),
            "The runbook was walked through.", row="drill", until=(NOW + timedelta(days=30)).isoformat(),
        )  # fmt: skip
        record(signed_by(word, self.person), self.place, self.machine)

    def sign(self, *, keyed: bool = True) -> None:
        """The one role that must signs the matrix as it is."""
        statement = self.statement()
        word = Word(
            "sign-off",
            "production",
            "security",
            "Amira",
            NOW.isoformat(),
            statement.sha256,
            statement=statement,
        )
        record(signed_by(word, self.person) if keyed else word, self.place, self.machine)

    @property
    def runs(self) -> list[Path]:
        """The evidence directories."""
        return sorted((self.place / "runs").iterdir())

    def file(self) -> ReadinessFile:
        """The readiness file as it is now."""
        return read_readiness(str(self.place / "readiness.yaml"))

    def matrix(self, now: datetime = NOW) -> Matrix:
        """The matrix as everything is now."""
        file = self.file()
        history = EvidenceDirectories(self.runs, [self.machine.verifier_key()])
        found = collect(file, history, list(recorded(self.place / LEDGER)))
        return judge(file.readiness, file.sha256, found, now)

    def statement(self, now: datetime = NOW) -> Statement:
        """What is signed."""
        return statement_of(self.matrix(now))

    def signed(self, now: datetime = NOW) -> SignOff:
        """The one sign-off, held against everything as it is now."""
        readiness = self.file().readiness
        words = list(recorded(self.place / LEDGER))
        (found,) = sign_offs(readiness.sign_off, readiness.keys, words, self.statement(now), "production")
        return found
