"""The evidence of a run in its directory: what it tells, and whether that is still what was sealed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from seatrial.ledger import VerifierKey
from seatrial.matrix.fromruns import RunFound
from seatrial.matrix.policies import PolicyCheck, latest_check
from seatrial.matrix.sealed import altered
from seatrial.model.document import parse
from seatrial.model.problems import BadInput
from seatrial.model.result import RunResult
from seatrial.report.verdictfile import read_verdict

_VERDICT, _EXPERIMENT = "verdict.json", "experiment.yaml"


def _verdict_in(directory: Path) -> tuple[RunResult, str] | None:
    """The result that a directory tells, sealed or not, and the hash of the file; None when it tells none."""
    path = directory / _VERDICT
    try:
        data = path.read_bytes()
        return read_verdict(data.decode(), str(path)), sha256(data).hexdigest()
    except (OSError, UnicodeDecodeError, BadInput):
        return None


def found_in(directory: Path, recorded: RunResult, keys: Sequence[VerifierKey], experiment: Path) -> RunFound:
    """What a run that was recorded as `recorded` rests on. `experiment`: its file as it is now.

    What is judged is what the sealed evidence tells. Without the evidence only the record is left, and nobody
    can look at what it says; the finding is then stale.
    """
    if not directory.is_dir():
        return RunFound(recorded, gone="its evidence was deleted")
    verdict = _verdict_in(directory)
    if verdict is None:
        return RunFound(recorded, altered="holds no verdict that can be read")
    told, digest = verdict
    wrong = altered(directory, keys)
    if not wrong and told.verdict is not recorded.verdict:
        wrong = "tells another verdict than the run database"
    return RunFound(told, digest, altered=wrong, changed=_changed(directory / _EXPERIMENT, experiment))


@dataclass(frozen=True, slots=True)
class EvidenceDirectories:
    """A history made of evidence alone, where there is no run database. `keys`: who may have sealed it."""

    directories: Sequence[Path]
    keys: Sequence[VerifierKey]

    def latest(self, experiment: str, target: str, file: Path) -> RunFound | None:
        """As `History.latest`."""
        told = ((each, verdict[0]) for each in self.directories if (verdict := _verdict_in(each)))
        runs = [
            (each, result)
            for each, result in told
            if not result.interrupted and result.experiment == experiment and target in ("", result.target)
        ]
        newest = max(runs, key=lambda run: datetime.fromisoformat(run[1].started_at), default=None)
        return found_in(*newest, self.keys, file) if newest else None

    def latest_check(self, policies: str) -> PolicyCheck | None:
        """As `History.latest_check`."""
        return latest_check(self.directories, policies, self.keys)


def _changed(then: Path, now: Path) -> str:
    """Whether the experiment says something else than when it was run; comments and layout do not count."""
    try:
        before, after = (parse(path.read_text(encoding="utf-8-sig"), path.name).data for path in (then, now))
    except (OSError, UnicodeDecodeError, BadInput):
        return "its experiment can no longer be read"
    return "" if before == after else "its experiment was changed since"
