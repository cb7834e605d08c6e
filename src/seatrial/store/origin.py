"""Where a run comes from and where its evidence is: what the record of it holds beside the result."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class EvidenceFile:
    """A file of the evidence as it was when the run was recorded. `name`: relative to its directory."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a run comes from. What is not known is empty, as of a run that an older version recorded."""

    directory: str = ""  # of its evidence: absolute, at `host`
    host: str = ""
    revision: str = (
        ""  # of the repository that its experiment stands in; "+changes": with what is not committed
    )
    seatrial: str = ""  # the version that ran it
    rate: str = ""  # that was offered, as resolved; JSON where it is a shape
    experiment_sha256: str = ""  # of the experiment as written
    verdict_sha256: str = ""  # of verdict.json
    files: tuple[EvidenceFile, ...] = ()

    @property
    def place(self) -> Path | None:
        """The directory of its evidence; None when it is not known."""
        return Path(self.directory) if self.directory else None


UNKNOWN = Origin()
