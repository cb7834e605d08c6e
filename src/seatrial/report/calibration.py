"""What the latest calibration says of the bounds, in a sentence and a table.

`seatrial calibrate` plants outages of known length in a server that keeps its own truth. A report carries the
outcome, because it is the reason to believe its figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from seatrial.model.figures import UNKNOWN

_MOST_KINDS = 20


@dataclass(frozen=True, slots=True)
class KindRow:
    """One kind of planted outage, as shown."""

    kind: str
    covered: str
    lengths: str
    width: str
    error: str


@dataclass(frozen=True, slots=True)
class CalibrationView:
    """A calibration, as shown."""

    sentence: str
    rows: tuple[KindRow, ...]


def calibration_view(
    found: Mapping[str, Any] | None, machine: Mapping[str, str], versions: Mapping[str, str]
) -> CalibrationView | None:
    """The view of a `calibration.json`; None when there is none, or one that is not understood.

    `machine` and `versions`: those of the run. What was calibrated elsewhere, or with other parts, says so.
    """
    if not found:
        return None
    try:
        rows = tuple(_row(kind) for kind in found["kinds"][:_MOST_KINDS])
        return CalibrationView(_sentence(found) + _elsewhere(found, machine, versions), rows)
    except (KeyError, TypeError, ValueError, AttributeError):  # of another version, or damaged
        return None


def _sentence(found: Mapping[str, Any]) -> str:
    held = f"{int(found['covered']):,} of {int(found['planted']):,}"
    said = (
        f"On {str(found['measured_at'])[:10]}, at {found['rate']}, outages of known length were planted in a"
        f" server that kept its own record: the server bounds held the truth in {held}."
    )
    strangers = int(found["control_outages"])
    control = f"{float(found['control_s']):.0f} s without a fault"
    said += f" In {control}, {strangers or 'no'} outage{'' if strangers == 1 else 's'} were reported."
    if found.get("doubt"):
        said += f" The load generator of that calibration cannot be trusted: {found['doubt']}."
    return said


def _elsewhere(found: Mapping[str, Any], machine: Mapping[str, str], versions: Mapping[str, str]) -> str:
    """What was different when it was calibrated."""
    if not found.get("machine"):
        return " It does not say on which machine, nor with which versions, it was made."
    then, now = {**found["machine"], **found.get("versions", {})}, {**machine, **versions}
    others = [
        f"{part} {then[part]}, now {now[part]}" for part in then if then[part] != now.get(part, then[part])
    ]
    if not others:
        return ""
    return f" It was made under other conditions than this run: {'; '.join(others)}. Calibrate again."


def _row(kind: Mapping[str, Any]) -> KindRow:
    errors = (kind.get(f"error_{which}_ms") for which in ("least", "p50", "most"))
    return KindRow(
        str(kind["kind"]),
        f"{int(kind['covered'])} of {int(kind['planted'])}",
        f"{float(kind['shortest_s']) * 1000:.0f} ms … {float(kind['longest_s']):.2f} s",
        f"{float(kind['excess_p50_intervals']):.1f}",
        " / ".join(UNKNOWN if error is None else f"{float(error):+.1f}" for error in errors),
    )
