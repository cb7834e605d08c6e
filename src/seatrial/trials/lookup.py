"""A run by what people call it: its evidence directory, its id, `latest`, or `latest:EXPERIMENT`.

names a file or directory ──► its verdict.json, as ever
else ──► the run database ──► its evidence, where that still is, else the record alone
"""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from seatrial.model.problems import BadInput
from seatrial.model.result import RunResult
from seatrial.report.comparison import Conditions
from seatrial.report.verdictfile import read_verdict
from seatrial.trials.caller import Caller
from seatrial.trials.results import recorded_result, result_of

if TYPE_CHECKING:  # its libraries are large, and whoever names a directory does not need them
    from seatrial.store import RecordedRun, Store


@dataclass(frozen=True, slots=True)
class FoundRun:
    """A run, and where its evidence is. `note`: what is missing of it; "" when nothing is."""

    result: RunResult
    directory: Path | None
    conditions: Conditions
    note: str = ""


def run_named(name: str, path: Path, caller: Caller | None = None) -> FoundRun:
    """The run that is meant by `name`, which as a file would be `path`.

    With a `caller`, a run that was killed is finished first. Raises BadInput when there is none.
    """
    if path.exists():
        directory = path if path.is_dir() else path.parent
        result = result_of(path, caller) if caller else recorded_result(path)
        return FoundRun(result, directory, _conditions(result, directory))
    from seatrial.store import Store  # noqa: PLC0415

    with Store.default() as store:
        return on_record(store, name)


def on_record(store: Store, name: str) -> FoundRun:
    """The run that the database has under this name. Raises BadInput when it has none."""
    found = store.history.find(name)
    if found is None:
        raise BadInput(
            f"{name}: there is no such directory, and no such run on record; "
            "to see those that are: seatrial report list"
        )
    return of_record(found)


def of_record(found: RecordedRun) -> FoundRun:
    """A run that is on record, from its evidence where that is still there."""
    place, gone = found.origin.place, evidence_gone(found)
    if place is not None and not gone:
        result = recorded_result(place)
        return FoundRun(result, place, _conditions(result, place))
    told = read_verdict(json.dumps(found.result), f"the record of {found.run}")
    conditions = Conditions(told.experiment, told.target, found.origin.rate, found.origin.experiment_sha256)
    return FoundRun(told, None, conditions, f"from the run database alone: {gone}")


def _conditions(result: RunResult, directory: Path) -> Conditions:
    from seatrial.run.origin import origin_of  # noqa: PLC0415  # which needs what the database needs

    told = origin_of(directory, whole=False)
    return Conditions(result.experiment, result.target, told.rate, told.experiment_sha256)


def evidence_gone(found: RecordedRun) -> str:
    """Why the evidence cannot be read; "" when it is where the record says."""
    place = found.origin.place
    if found.evidence_deleted_at is not None:
        kept = f"; a copy is at {found.exported_to}" if found.exported_to else ""
        return f"evidence deleted at {found.evidence_deleted_at:%Y-%m-%d %H:%M} UTC{kept}"
    if place is None:
        return "nobody knows where its evidence is (once found: seatrial report import DIR)"
    if (place / "verdict.json").is_file():
        return ""
    elsewhere = found.origin.host != socket.gethostname()
    return f"its evidence is at {found.origin.host}: {place}" if elsewhere else f"{place} is not there"
