"""A policy check that is measured and sealed, so that the matrix can rest on it."""

from __future__ import annotations

import json
import secrets
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from seatrial import disk
from seatrial.home import private_directory
from seatrial.ledger import seal
from seatrial.matrix.policies import CHECKS, RESULT, policies_hash
from seatrial.model.problems import BadInput
from seatrial.model.verdict import Verdict
from seatrial.policy import Report, Request
from seatrial.policy.bench import measure
from seatrial.policy.renderings import document
from seatrial.run.sealing import signer

_FIGURES = ("full", "unchanged", "incremental")


def record_check(request: Request, named: str, home: Path) -> tuple[Path, Report, Verdict]:
    """Measure a check and seal what came out: its directory, the whole report, and the verdict on all checks.

    named: the policies as the readiness file names them.

    Raises BadInput, Unavailable, CannotStore.
    """
    if len(request.policies) != 1:
        raise BadInput("--evidence is of one directory of policies")
    (policies,) = request.policies
    measured = dict(zip(_FIGURES, (report for _, report in measure(request)), strict=True))
    full = measured["full"]
    different = [name for name, report in measured.items() if _differ(report, full)]
    verdict = Verdict.FAIL if different else full.verdict
    reason = _reason(full, different)
    started = datetime.fromisoformat(full.started_at)
    directory = home / CHECKS / f"{started:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
    told: dict[str, Any] = {
        "policies": named,
        "policies_sha256": policies_hash(policies),
        "verdict": verdict.value,
        "reason": reason,
        "started_at": full.started_at,
        "seconds": {name: round(report.elapsed_s, 3) for name, report in measured.items()},
        "checks": {name: document(report) for name, report in measured.items()},
    }
    with disk.storing("the evidence of a policy check", directory):
        private_directory(directory)
        disk.write_whole(directory / RESULT, (json.dumps(told, indent=2) + "\n").encode())
    seal(directory, signer(home))
    return directory, replace(full, notes=(*full.notes, *([reason] if different else []))), verdict


def _differ(one: Report, other: Report) -> bool:
    """Whether they say something else of a file that both could judge: what was stopped says nothing."""
    stopped = {path for report in (one, other) for path, told in report.told.items() if not told.lasting}
    return any(one.told.get(path) != other.told.get(path) for path in {*one.told, *other.told} - stopped)


def _reason(full: Report, different: list[str]) -> str:
    if different:
        return f"the check '{different[0]}' said something else than the full one"
    if full.verdict is Verdict.FAIL:
        return f"{sum(len(each.findings) for each in full.told.values())} messages, of which some deny"
    return f"{len(full.broken)} files could not be judged" if full.broken else ""
