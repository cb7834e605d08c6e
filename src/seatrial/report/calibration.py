"""What the latest calibration says of the bounds, in a sentence and a table.

`seatrial calibrate` plants outages of known length in a server that keeps its own truth. A report carries the
outcome, because it is the reason to believe its figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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


def calibration_view(found: Mapping[str, Any] | None) -> CalibrationView | None:
    """The view of a `calibration.json`; None when there is none, or one that is not understood."""
    if not found:
        return None
    try:
        rows = tuple(_row(kind) for kind in found["kinds"][:_MOST_KINDS])
        return CalibrationView(_sentence(found), rows)
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


def _row(kind: Mapping[str, Any]) -> KindRow:
    errors = (float(kind[f"error_{which}_ms"]) for which in ("p05", "p50", "p95"))
    return KindRow(
        str(kind["kind"]),
        f"{int(kind['covered'])} of {int(kind['planted'])}",
        f"{float(kind['shortest_s']) * 1000:.0f} ms … {float(kind['longest_s']):.2f} s",
        f"{float(kind['excess_p50_intervals']):.1f}",
        " / ".join(f"{error:+.1f}" for error in errors),
    )
