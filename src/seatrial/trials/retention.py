"""Old evidence leaves this machine: a copy of it first, where that is wanted; its record stays for ever.

A directory is deleted only if the run database knows it as this machine's, no link leads to it, its verdict
is the recorded one, and all of it is as it was sealed, with nothing put beside it. Whatever is not so is left
alone and told. It is set aside under another name, then the record says so, then it is deleted: whoever is
killed in between leaves what the next one finishes, and no half evidence that looks altered.
"""

from __future__ import annotations

import shlex
import shutil
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from seatrial import disk
from seatrial.disk import file_digest
from seatrial.drivers.launch import answer_of
from seatrial.home import make_private, private_directory
from seatrial.ledger import VerifierKey, verify_sealed
from seatrial.model.problems import BadInput, SeatrialError
from seatrial.model.verdict import Verdict
from seatrial.store import RunQuery, RunSummary, Store

ASIDE = ".being-deleted"
"""The ending of a directory that is set aside to be deleted."""
LINKED = "a link leads to it; what it points at is left alone"
_VERDICT = "verdict.json"
_MOST = 100_000
_COMMAND_WITHIN_S = 3600.0


@dataclass(frozen=True, slots=True)
class Kept:
    """Evidence of a run. `why`: what keeps it from being deleted; "" when nothing does."""

    run: RunSummary
    directory: Path
    bytes: int
    why: str = ""


def outdated(store: Store, before: datetime, keys: Sequence[VerifierKey]) -> Iterator[Kept]:
    """The evidence on this machine of each run that started before an instant, the earliest last."""
    for run in store.history.runs(RunQuery(until=before, with_evidence=True), _MOST):
        place = run.origin.place
        if place is None or run.origin.host != socket.gethostname():
            continue
        if aside_of(place).exists() and not place.exists():  # somebody was killed before the record said so
            yield Kept(run, place, size_of(aside_of(place)), _against(run, aside_of(place), keys))
        elif place.exists() or place.is_symlink():
            yield Kept(run, place, size_of(place), _against(run, place, keys))


def delete(store: Store, kept: Kept, now: datetime) -> None:
    """Delete the evidence of a run, and have its record say so. Raises CannotStore.

    Raises BadInput for evidence that is not to be deleted.
    """
    if kept.why:
        raise BadInput(f"{kept.directory}: {kept.why}")
    aside = aside_of(kept.directory)
    with disk.storing("the evidence", kept.directory):
        if kept.directory.exists():
            kept.directory.rename(aside)
        store.history.evidence_deleted(kept.run.run, kept.run.target, now)
        shutil.rmtree(aside)


def clear_leftovers(store: Store, before: datetime) -> int:
    """Delete what was set aside by somebody who was killed after the record had said so. How many."""
    done = 0
    for run in store.history.runs(RunQuery(until=before), _MOST):
        place = run.origin.place
        if run.evidence_deleted_at is None or place is None or run.origin.host != socket.gethostname():
            continue
        if aside_of(place).is_dir() and not aside_of(place).is_symlink():
            with disk.storing("the evidence", place):
                shutil.rmtree(aside_of(place))
            done += 1
    return done


def export(store: Store, run: RunSummary, to: str, command: str, keys: Sequence[VerifierKey]) -> str:
    """Copy the evidence of a run below `to`, or have `command` do it; where it is then.

    `command`: words in which {from}, {to} and {run} are filled in; no shell is asked. Raises BadInput when
    the evidence cannot be vouched for, Unavailable when the command fails, CannotStore.
    """
    place = run.origin.place
    if place is None or not place.is_dir():
        raise BadInput(f"{run.run}: its evidence is not on this machine")
    if why := _against(run, place, keys):
        raise BadInput(f"{place}: not exported: {why}")
    there = destination(run, to, command)
    if command:
        filled = {"{from}": str(place), "{to}": there, "{run}": run.run}
        program = [_filled(word, filled) for word in shlex.split(command)]
        answer_of(program, directory=Path.cwd(), within_s=_COMMAND_WITHIN_S)
    else:
        _copied(run, place, Path(there), keys)
    store.history.exported(run.run, run.target, there)
    return there


def destination(run: RunSummary, to: str, command: str) -> str:
    """Where the evidence of a run goes: below `to`, which is a directory unless a command copies it."""
    there = f"{to.rstrip('/')}/{run.run}"
    return there if command else str(Path(there).absolute())


def _copied(run: RunSummary, place: Path, there: Path, keys: Sequence[VerifierKey]) -> None:
    """A copy that was verified; one that was there before is as good if it is the same."""
    if not there.exists():
        with disk.storing("the copy", there):
            private_directory(there.parent)
            half = there.with_name(f"{there.name}.half")
            if half.exists():
                shutil.rmtree(half)
            shutil.copytree(place, half, symlinks=True)
            make_private(half)
            half.rename(there)
    if why := _against(run, there, keys):
        raise BadInput(f"{there}: the copy is not what was recorded: {why}")


def _filled(word: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        word = word.replace(name, value)
    return word


def _against(run: RunSummary, place: Path, keys: Sequence[VerifierKey]) -> str:
    """Why this directory may not be taken for the evidence of that run; "" when it is."""
    if place.is_symlink() or place.resolve() != place:
        return LINKED
    if not place.is_dir():
        return "it is no directory"
    verdict = place / _VERDICT
    if verdict.is_symlink() or not verdict.is_file():
        return f"there is no {_VERDICT} in it"
    if not run.origin.verdict_sha256 or file_digest(verdict) != run.origin.verdict_sha256:
        return "its verdict is not the one that was recorded"
    return altered(place, keys)


def altered(place: Path, keys: Sequence[VerifierKey]) -> str:
    """What of a sealed directory is not as it was sealed; "" when all is."""
    try:
        report = verify_sealed(place, keys)
    except SeatrialError as error:
        return str(error).splitlines()[0]
    return str(report).splitlines()[0] if report.verdict is Verdict.FAIL else ""


def aside_of(place: Path) -> Path:
    """The name under which a directory waits to be deleted."""
    return place.with_name(place.name + ASIDE)


def size_of(place: Path) -> int:
    """Bytes of all files in it; links are not followed."""
    return sum(each.lstat().st_size for each in place.rglob("*") if not each.is_dir())
