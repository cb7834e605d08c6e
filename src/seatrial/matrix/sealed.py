"""Whether evidence is as it was sealed: a run's as well as a measured policy check's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from seatrial.ledger import VerifierKey, verify_sealed
from seatrial.model.problems import SeatrialError
from seatrial.model.verdict import Verdict


def altered(directory: Path, keys: Sequence[VerifierKey]) -> str:
    """What speaks against it being as it was sealed; empty when that is proven."""
    try:
        report = verify_sealed(directory, keys)
    except SeatrialError as error:
        return f"cannot be verified: {str(error).splitlines()[0]}"
    if report.verdict is Verdict.PASS:
        return ""
    word = "was altered after it was sealed" if report.alterations else "cannot be verified"
    return f"{word}: {str(report).splitlines()[0]}"
