"""The evidence directory: `runs/<utc>-<experiment>/`, written so that a crash leaves what had happened.

| file               | what it is                                                                |
|--------------------|---------------------------------------------------------------------------|
| experiment.yaml    | the experiment as written                                                  |
| plan.json          | as resolved: target (secrets as references), overrides, versions, machine |
| journal.jsonl      | what happened when, appended and fsync'ed line by line                    |
| requests.parquet   | the request log                                                           |
| stored-*.parquet   | which of the run's writes the target held afterwards                      |
| recorded-*.json    | what replicated regions held and had done; what was told of an audit log  |
| recorded-*/        | that audit log as a ledger, for `seatrial ledger verify`                  |
| verdict.json       | the verdict and everything that was measured                              |
| report.html        | the report                                                                |
| junit.xml          | the same for CI                                                           |
| locust.log         | the load generator's own output                                           |

The directory is its owner's alone (0700, files 0600), and texts are written without secrets: references stand
in their places (`seatrial.model.secrets`).
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from seatrial.home import private, private_directory
from seatrial.model.problems import BadInput
from seatrial.model.result import plain
from seatrial.model.secrets import screened, shown_in

_SHOWN = {
    "experiment": "experiment.yaml",
    "plan": "plan.json",
    "journal": "journal.jsonl",
    "requests": "requests.parquet",
    "load_log": "locust.log",
    "failover": "failover.json",
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """One run's directory."""

    directory: Path

    @classmethod
    def create(cls, experiment: str, started: datetime, out: Path | None = None) -> Evidence:
        """A directory of its own under `runs/`, or exactly `out`, which must not hold anything yet.

        Raises BadInput when it cannot be made or is not empty: evidence is never written over.
        """
        try:
            if out is not None:
                private_directory(out)
                if any(out.iterdir()):
                    raise BadInput(f"--out {out}: the directory is not empty; evidence is never written over")
                return cls(out.resolve())
            stamp = started.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
            private_directory(Path("runs"))
            for attempt in range(1, 1000):
                suffix = f"-{attempt}" if attempt > 1 else ""
                directory = Path("runs") / f"{stamp}-{experiment}{suffix}"
                try:
                    directory.mkdir(mode=0o700)
                except FileExistsError:
                    continue  # another run began in the same second
                return cls(directory.resolve())
        except OSError as error:
            raise BadInput(
                f"cannot make the evidence directory: {error}; choose another with --out"
            ) from error
        raise BadInput("cannot find a free name for the evidence directory under runs/")

    @property
    def run(self) -> str:
        """The run's id."""
        return self.directory.name

    def path(self, name: str) -> Path:
        """A file of this run."""
        return self.directory / name

    def write_text(self, name: str, text: str) -> None:
        """Write a whole file so that readers see the old one or the new one, never half."""
        partial = self.path(f".{name}.partial")
        with open(partial, "w", encoding="utf-8", opener=private) as file:
            file.write(screened(text))
        partial.replace(self.path(name))

    def write_json(self, name: str, value: Any) -> None:
        """Write a record (or plain data) as JSON."""
        self.write_text(name, json.dumps(shown_in(plain(value)), indent=2, ensure_ascii=False) + "\n")

    def create_file(self, name: str) -> BinaryIO:
        """A new file for what is no text."""
        return open(self.path(name), "wb", opener=private)

    def manifest(self) -> dict[str, str]:
        """What is there: each evidence file, and under `sha256` the digest of the request log."""
        found = {what: name for what, name in _SHOWN.items() if self.path(name).exists()}
        answers = [*self.directory.glob("stored-*.parquet"), *self.directory.glob("recorded-*.json")]
        found |= {path.stem: path.name for path in sorted(answers)}
        if "requests" in found:
            found["sha256"] = file_digest(self.path(found["requests"]))
        return found


def file_digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class RunJournal:
    """What happened when: one JSON object a line, durable before `write` returns.

    Each line carries `mono` (CLOCK_MONOTONIC, seconds) and `wall` (RFC 3339, UTC), so that events can be put
    on the request log's clock and beside other systems' logs.
    """

    def __init__(self, path: Path) -> None:
        self._file = private(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def write(self, event: str, mono_s: float, wall: datetime, **details: Any) -> None:
        """Append one event."""
        line = {
            "event": event,
            "mono": mono_s,
            "wall": wall.astimezone(UTC).isoformat(),
            **shown_in(plain(details)),
        }
        os.write(self._file, json.dumps(line, ensure_ascii=False).encode() + b"\n")
        os.fdatasync(self._file) if hasattr(os, "fdatasync") else os.fsync(self._file)

    def close(self) -> None:
        """Close the file; further writes are errors."""
        os.close(self._file)
