"""The evidence of a run in its directory: what it tells, and whether that is still what was sealed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from seatrial.ledger import VerifierKey
from seatrial.matrix.conditions import Written, conditions_of
from seatrial.matrix.fromruns import RunFound
from seatrial.matrix.policies import PolicyCheck, latest_check
from seatrial.matrix.sealed import altered
from seatrial.model.problems import BadInput
from seatrial.model.result import RunResult
from seatrial.report.verdictfile import read_verdict

_VERDICT = "verdict.json"


def _verdict_in(directory: Path) -> tuple[RunResult, str] | None:
    """The result that a directory tells, sealed or not, and the hash of the file; None when it tells none."""
    path = directory / _VERDICT
    try:
        data = path.read_bytes()
        return read_verdict(data.decode(), str(path)), sha256(data).hexdigest()
    except (OSError, UnicodeDecodeError, BadInput):
        return None


def found_in(
    directory: Path,
    recorded: RunResult,
    keys: Sequence[VerifierKey],
    written: Written,
    digest: str = "",
    files: Mapping[str, str] | None = None,
) -> RunFound:
    """What a run that was recorded as `recorded` rests on; `digest`: of its verdict, if the record holds it.

    `files`: the hashes of what the run was made of, where the files themselves are not at hand.

    What is judged is what the sealed evidence tells. Without the evidence only the record is left, and nobody
    can look at what it says; the finding is then stale.
    """
    if not directory.is_dir():
        return RunFound(recorded, gone="its evidence was deleted")
    verdict = _verdict_in(directory)
    if verdict is None:
        return RunFound(recorded, altered="holds no verdict that can be read")
    told, found = verdict
    conditions = conditions_of(directory, written, files)
    return RunFound(
        told,
        found,
        altered=altered(directory, keys) or _another(told, found, recorded, digest),
        otherwise=conditions.otherwise,
        changed=conditions.changed,
        note=conditions.note,
    )


def _another(told: RunResult, found: str, recorded: RunResult, digest: str) -> str:
    """That this is sealed evidence, and not of the run that is on record; empty when it is."""
    if told.run != recorded.run:
        return f"is that of another run, {told.run}"
    if told.verdict is not recorded.verdict:
        return "tells another verdict than the run database"
    return "tells another story than when it was recorded" if digest and found != digest else ""


@dataclass(frozen=True, slots=True)
class EvidenceDirectories:
    """A history made of evidence alone, where there is no run database. `keys`: who may have sealed it.

    `files`: where the files that runs were made of are not at hand, their hashes as they were found, by the
    file name of the experiment, the directory of the run, and their own names.
    """

    directories: Sequence[Path]
    keys: Sequence[VerifierKey]
    files: Mapping[str, Mapping[str, Mapping[str, str]]] | None = None

    def latest(self, experiment: str, target: str, written: Written) -> RunFound | None:
        """As `History.latest`."""
        told = ((each, verdict[0]) for each in self.directories if (verdict := _verdict_in(each)))
        runs = [
            (each, result)
            for each, result in told
            if not result.interrupted and result.experiment == experiment and target in ("", result.target)
        ]
        newest = max(runs, key=lambda run: datetime.fromisoformat(run[1].started_at), default=None)
        if newest is None:
            return None
        directory, result = newest
        files = self.files
        found = None if files is None else files.get(written.experiment.name, {}).get(directory.name, {})
        return found_in(directory, result, self.keys, written, files=found)

    def latest_check(self, policies: str) -> PolicyCheck | None:
        """As `History.latest_check`."""
        return latest_check(self.directories, policies, self.keys)
