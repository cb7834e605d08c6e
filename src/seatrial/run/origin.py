"""Where a run comes from, read out of its evidence: what its record holds beside the result.

The same for a run that has just ended and for a directory that is imported. What cannot be read is not known;
that keeps no result from being recorded.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import socket
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from seatrial.disk import file_digest
from seatrial.drivers.launch import answer_of
from seatrial.ledger.seal import SEAL
from seatrial.model.problems import SeatrialError
from seatrial.store import EvidenceFile, Origin

_log = logging.getLogger(__name__)

_ASKED_WITHIN_S = 3.0
_EXPERIMENT, _PLAN, _VERDICT = "experiment.yaml", "plan.json", "verdict.json"


def origin_of(directory: Path, *, whole: bool = True) -> Origin:
    """Where the run comes from whose evidence is in `directory`; unless `whole`, without all of its files."""
    where = Origin(directory=str(directory.resolve()), host=socket.gethostname())
    try:
        found = _files(directory) if whole else _some(directory, (_EXPERIMENT, _VERDICT))
        files, plan = tuple(found), _plan(directory / _PLAN)
    except (OSError, ValueError) as error:
        _log.warning("%s: its files cannot be recorded: %s", directory, error)
        return where
    digests = {each.name: each.sha256 for each in files}
    return Origin(
        directory=where.directory,
        host=where.host,
        revision=str(plan.get("revision", "")),
        seatrial=str(plan.get("versions", {}).get("seatrial", "")),
        rate=_rate(plan.get("experiment", {}).get("load", {}).get("rate")),
        experiment_sha256=digests.get(_EXPERIMENT, ""),
        verdict_sha256=digests.get(_VERDICT, ""),
        files=files if whole else (),
    )


def revision_of(directory: Path) -> str:
    """The git revision that is checked out there; "" where there is none, or no git.

    `+changes` behind it: files that git knows have been changed since.
    """
    command = ["git", "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty=+changes"]
    with contextlib.suppress(SeatrialError, OSError):
        return answer_of(command, directory=directory, within_s=_ASKED_WITHIN_S).strip()
    return ""


def _files(directory: Path) -> Iterator[EvidenceFile]:
    """All but the seal, in order; links are not followed."""
    for root, directories, names in os.walk(directory):
        here = Path(root)
        directories[:] = sorted(name for name in directories if here != directory or name != SEAL)
        yield from _some(directory, (str((here / name).relative_to(directory)) for name in sorted(names)))


def _some(directory: Path, names: Iterable[str]) -> Iterator[EvidenceFile]:
    for name in names:
        path = directory / name
        if path.is_file() and not path.is_symlink():
            yield EvidenceFile(name, path.stat().st_size, file_digest(path))


def _plan(path: Path) -> dict[str, Any]:
    plan = json.loads(path.read_bytes()) if path.exists() else {}
    return plan if isinstance(plan, dict) else {}


def _rate(shape: Any) -> str:
    """The rate as people write it where it is one, else the shape as JSON."""
    if isinstance(shape, list) and len(shape) == 1 and isinstance(shape[0], dict):
        rate = shape[0].get("rate")
        return rate if isinstance(rate, str) else json.dumps(rate, sort_keys=True)
    return json.dumps(shape, sort_keys=True) if shape else ""
