"""Measured policy checks as evidence: the latest sealed one, and whether its policies are still these.

    policy-checks/<instant>-<id>/policy.json      what `seatrial policy check --evidence` measured
                                /seal/            this machine's seal over it

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

_ENDINGS = (".rego", ".yaml", ".yml", ".json")


@dataclass(frozen=True, slots=True)
class PolicyCheck:
    """A measured check as its directory tells it. `altered`: what speaks against its being as sealed."""

    name: str
    policies: str  # as they were named
    policies_sha256: str
    verdict: Verdict
    reason: str
    at: datetime
    seconds: dict[str, float]  # how long each check took, by its figure: full, unchanged, incremental
    sha256: str
    altered: str = ""


def policies_hash(directory: Path) -> str:
    """The hash of a directory of policies: of the name and the bytes of each policy and data file in it."""
    digest = sha256()
    for file in sorted(directory.rglob("*")):
        if file.suffix in _ENDINGS and file.is_file():
            digest.update(f"{file.relative_to(directory).as_posix()}\0".encode())
            digest.update(sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def latest_check(
    directories: Iterable[Path], policies: str, keys: Sequence[VerifierKey]
) -> PolicyCheck | None:
    """The latest of the checks by those policies; None when there is none that can be read."""
    told = [(place, found) for place in directories if (found := _told(place)) and found.policies == policies]
    if not told:
        return None
    place, newest = max(told, key=lambda each: each[1].at)
    return replace(newest, altered=altered(place, keys))


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
        gone="" if now_sha256 == found.policies_sha256 else "its policies were changed since",
    )


def _figure(spec: Evidence, found: PolicyCheck) -> Figure | None:
    seconds = found.seconds.get(spec.figure or "full")
    if seconds is None:
        return None
    limit = spec.max.in_unit("s") if spec.max else None
    return Figure(spec.figure or "full", seconds, seconds, "s", limit)


def _told(place: Path) -> PolicyCheck | None:
    try:
        data = (place / RESULT).read_bytes()
        told: dict[str, Any] = json.loads(data)
        return PolicyCheck(
            place.name,
            str(told["policies"]),
            str(told["policies_sha256"]),
            Verdict(told["verdict"]),
            str(told["reason"]),
            datetime.fromisoformat(told["started_at"]).astimezone(UTC),
            {name: float(seconds) for name, seconds in told["seconds"].items()},
            sha256(data).hexdigest(),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
