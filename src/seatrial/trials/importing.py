"""Runs that are on disk and not on record: of a database that was lost, of another machine, of an archive."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from seatrial.ledger import verify_sealed
from seatrial.ledger.seal import SEAL
from seatrial.model.problems import BadInput
from seatrial.model.result import RunResult, plain
from seatrial.model.verdict import Verdict
from seatrial.run.origin import origin_of
from seatrial.store import Store
from seatrial.trials.results import recorded_result


@dataclass(frozen=True, slots=True)
class Imported:
    """A run that is on record now. `added`: it was not before."""

    run: str
    directory: Path
    added: bool


def import_runs(store: Store, directories: Sequence[Path]) -> Iterator[Imported]:
    """Record the run in each directory, or in each one in it. Nobody is told of them: they are long over.

    Raises BadInput for a directory without a run, and for evidence that was altered after it was sealed, or
    that tells another verdict than the record.
    """
    for directory in directories:
        for place in _runs_in(directory):
            yield _imported(store, place)


def _runs_in(directory: Path) -> list[Path]:
    if (directory / "verdict.json").is_file():
        return [directory]
    found = sorted(path.parent for path in directory.glob("*/verdict.json") if not path.parent.is_symlink())
    if not found:
        raise BadInput(f"{directory}: neither this directory nor one in it holds a run (no verdict.json)")
    return found


def _imported(store: Store, place: Path) -> Imported:
    result = recorded_result(place)
    if (place / SEAL).is_dir():
        report = verify_sealed(place, [])
        if report.verdict is Verdict.FAIL:
            raise BadInput(f"{place}: not imported: {str(report).splitlines()[0]}")
    _require_same(store, result, place)
    added = store.record(result, [], datetime.now(UTC), origin_of(place))
    return Imported(result.run, place, added)


def _require_same(store: Store, result: RunResult, place: Path) -> None:
    known = store.history.find(result.run)
    if known is None or known.target != result.target:
        return
    told = plain(result)
    differs = [key for key in ("verdict", "started_at", "objectives") if known.result[key] != told[key]]
    if differs:
        raise BadInput(f"{place}: not imported: its {differs[0]} is not what is on record of {result.run}")
