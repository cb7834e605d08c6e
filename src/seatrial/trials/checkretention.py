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
from seatrial.ledger import VerifierKey
from seatrial.matrix.policies import CHECKS, DELETED, RESULT, told_in
from seatrial.model.problems import BadInput
from seatrial.trials.retention import ASIDE, LINKED, altered, aside_of, size_of


@dataclass(frozen=True, slots=True)
class KeptCheck:
    """A measured check. `why`: what keeps it from being deleted; "" when nothing does."""

    directory: Path
    bytes: int
    why: str = ""


def outdated_checks(home: Path, before: datetime, keys: Sequence[VerifierKey]) -> Iterator[KeptCheck]:
    """Those that were measured before an instant, the latest first."""
    for place in sorted((home / CHECKS).glob("*/"), reverse=True):
        if place.suffix == ASIDE:
            continue
        told = told_in(place)
        if told is None or told.at < before:
            yield KeptCheck(
                place, size_of(place), _against(place, keys) if told else f"there is no {RESULT} in it"
            )


def delete_check(kept: KeptCheck) -> None:
    """Delete a check, but for what it said. Raises CannotStore, BadInput for one that must stay."""
    if kept.why:
        raise BadInput(f"{kept.directory}: {kept.why}")
    place = kept.directory
    with disk.storing("the evidence of a policy check", place):
        disk.write_whole(place.with_name(place.name + DELETED), (place / RESULT).read_bytes())
        aside = aside_of(place)
        place.rename(aside)
        shutil.rmtree(aside)


def clear_checks(home: Path) -> None:
    """Delete what was set aside by somebody who was killed amid it. Raises CannotStore."""
    for aside in (home / CHECKS).glob(f"*{ASIDE}/"):
        if not aside.is_symlink():
            with disk.storing("the evidence of a policy check", aside):
                shutil.rmtree(aside)


def _against(place: Path, keys: Sequence[VerifierKey]) -> str:
    """Why this directory is left alone; "" when it may go."""
    return LINKED if place.is_symlink() else altered(place, keys)
