"""Old evidence of policy checks leaves this machine as that of runs does; that there was a check stays known.

policy-checks/<instant>-<id>/               a measured check, with its seal
             /<instant>-<id>.deleted        what it said, where its evidence was deleted: nothing vouches for
                                            that any more, so it can make a row stale or worse, and never pass
             /<instant>-<id>.being-deleted/ on its way; whoever is killed in between leaves what the next
                                            one finishes
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from seatrial import disk
from seatrial.ledger import VerifierKey, verify_sealed
from seatrial.matrix.policies import CHECKS, DELETED, RESULT, told_in
from seatrial.model.problems import BadInput, SeatrialError
from seatrial.model.verdict import Verdict

_ASIDE = ".being-deleted"


@dataclass(frozen=True, slots=True)
class KeptCheck:
    """A measured check. `why`: what keeps it from being deleted; "" when nothing does."""

    directory: Path
    bytes: int
    why: str = ""


def outdated_checks(home: Path, before: datetime, keys: Sequence[VerifierKey]) -> Iterator[KeptCheck]:
    """Those that were measured before an instant, the latest first."""
    for place in sorted((home / CHECKS).glob("*/"), reverse=True):
        if place.suffix == _ASIDE:
            continue
        told = told_in(place)
        if told is None or told.at < before:
            size = sum(each.lstat().st_size for each in place.rglob("*") if not each.is_dir())
            yield KeptCheck(place, size, _against(place, keys) if told else f"there is no {RESULT} in it")


def delete_check(kept: KeptCheck) -> None:
    """Delete a check, but for what it said. Raises CannotStore, BadInput for one that must stay."""
    if kept.why:
        raise BadInput(f"{kept.directory}: {kept.why}")
    place = kept.directory
    with disk.storing("the evidence of a policy check", place):
        disk.write_whole(place.with_name(place.name + DELETED), (place / RESULT).read_bytes())
        aside = place.with_name(place.name + _ASIDE)
        place.rename(aside)
        shutil.rmtree(aside)


def clear_checks(home: Path) -> None:
    """Delete what was set aside by somebody who was killed amid it. Raises CannotStore."""
    for aside in (home / CHECKS).glob(f"*{_ASIDE}/"):
        if not aside.is_symlink():
            with disk.storing("the evidence of a policy check", aside):
                shutil.rmtree(aside)


def _against(place: Path, keys: Sequence[VerifierKey]) -> str:
    """Why this directory is left alone; "" when it may go."""
    if place.is_symlink():
        return "a link leads to it; what it points at is left alone"
    try:
        report = verify_sealed(place, keys)
    except SeatrialError as error:
        return str(error).splitlines()[0]
    return str(report).splitlines()[0] if report.verdict is Verdict.FAIL else ""
