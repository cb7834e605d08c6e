"""Measured policy checks as evidence: the latest sealed one, and whether its policies are still these.

    policy-checks/<instant>-<id>/policy.json      what `seatrial policy check --evidence` measured
                                /seal/            this machine's seal over it
                 /<instant>-<id>.deleted          what it said, where that was deleted since

It tells of three checks of the same files: everything evaluated, nothing changed, and a few files unknown.
They must have said the same; a difference is a fail, for then incremental checks cannot be believed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from seatrial.ledger import VerifierKey
from seatrial.matrix.finding import Figure, Finding, Kind
from seatrial.matrix.sealed import altered
from seatrial.model.readiness import Evidence
from seatrial.model.verdict import Verdict

CHECKS = "policy-checks"
"""Where measured checks are, below the state directory."""

RESULT = "policy.json"
"""The file of a measured check in its directory."""

DELETED = ".deleted"
"""The ending of what is left of a check whose evidence was deleted."""

_ENDINGS = (".rego", ".yaml", ".yml", ".json")


@dataclass(frozen=True, slots=True)
class PolicyCheck:
    """A measured check as its directory tells it. `altered`: what speaks against its being as sealed.

    `gone`: why its evidence cannot be looked at.
    """

    name: str
    policies: str  # as they were named
    policies_sha256: str
    verdict: Verdict
    reason: str
    at: datetime
    seconds: dict[str, float]  # how long each check took, by its figure: full, unchanged, incremental
    sha256: str
    altered: str = ""
    gone: str = ""


def policies_hash(directory: Path) -> str:
    """The hash of a directory of policies: of the name and the bytes of each policy and data file in it."""
    digest = sha256()
    for file in sorted(directory.rglob("*")):
        if file.suffix in _ENDINGS and file.is_file():
            digest.update(f"{file.relative_to(directory).as_posix()}\0".encode())
            digest.update(sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def checks_in(place: Path) -> list[Path]:
    """The checks in a directory of them, and what is left of those whose evidence was deleted."""
    return sorted(each for each in place.glob("*") if each.suffix in ("", DELETED))


def latest_check(
    directories: Iterable[Path], policies: str, keys: Sequence[VerifierKey]
) -> PolicyCheck | None:
    """The latest of the checks by those policies; None when there is none that can be read."""
    told = [
        (place, found) for place in directories if (found := told_in(place)) and found.policies == policies
    ]
    if not told:
        return None
    place, newest = max(told, key=lambda each: each[1].at)
    return newest if newest.gone else replace(newest, altered=altered(place, keys))


def from_check(spec: Evidence, found: PolicyCheck, now_sha256: str) -> Finding:
    """The finding, without its expiry. `now_sha256`: of the policies as they are now."""
    figure = _figure(spec, found)
    verdict, reason = found.verdict, found.reason
    if verdict is Verdict.PASS and spec.figure and figure is None:
        verdict, reason = (
            Verdict.UNKNOWN,
            f"it tells no figure '{spec.figure}'; it has: {', '.join(found.seconds)}",
        )
    elif (
        verdict is Verdict.PASS and figure and figure.limit is not None and figure.verdict is not Verdict.PASS
    ):
        verdict, reason = figure.verdict, f"{figure.name} took {figure}"
    if found.altered:
        verdict, reason = Verdict.UNKNOWN, f"the evidence of {found.name} {found.altered}"
    return Finding(
        what=f"{found.policies}, {spec.figure}" if spec.figure else found.policies,
        kind=Kind.MEASURED,
        verdict=verdict,
        reason=reason,
        figure=figure,
        run=found.name,
        sha256=found.sha256,
        at=found.at,
        gone=found.gone or ("" if now_sha256 == found.policies_sha256 else "its policies were changed since"),
    )


def _figure(spec: Evidence, found: PolicyCheck) -> Figure | None:
    seconds = found.seconds.get(spec.figure or "full")
    if seconds is None:
        return None
    limit = spec.max.in_unit("s") if spec.max else None
    return Figure(spec.figure or "full", seconds, seconds, "s", limit)


def told_in(place: Path) -> PolicyCheck | None:
    """What the evidence of a check says, or what is left of it; None where nothing does."""
    gone = place.suffix == DELETED
    try:
        data = (place if gone else place / RESULT).read_bytes()
        told: dict[str, Any] = json.loads(data)
        return PolicyCheck(
            place.name.removesuffix(DELETED),
            str(told["policies"]),
            str(told["policies_sha256"]),
            Verdict(told["verdict"]),
            str(told["reason"]),
            datetime.fromisoformat(told["started_at"]).astimezone(UTC),
            {name: float(seconds) for name, seconds in told["seconds"].items()},
            sha256(data).hexdigest(),
            gone="its evidence was deleted" if gone else "",
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
