"""Who noticed what, and how far the database's standbys were behind, as a report shows them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from seatrial.model.figures import UNKNOWN, bounds, seconds
from seatrial.model.noticing import Detection, LagInstant, LagSeries
from seatrial.model.verdict import Verdict

_WIDTH, _HEIGHT = 1000, 160  # of the drawing, in its own units


@dataclass(frozen=True, slots=True)
class DetectionView:
    """Whether a step was noticed, as shown."""

    step: str
    alert: str
    source: str
    noticed: str
    recovered: str
    verdict: Verdict


def detection(one: Detection) -> DetectionView:
    """Text of it; what was not noticed, or not known to be, is a dash."""
    return DetectionView(
        step=one.step,
        alert=one.alert,
        source=one.source,
        noticed=UNKNOWN if one.detect is None else str(bounds(one.detect)),
        recovered=UNKNOWN if one.recover is None else str(bounds(one.recover)),
        verdict=one.verdict,
    )


def sentence(one: Detection) -> str:
    """`crash: DatabaseMemberDown fired after 356 … 906 ms; well again after 1.01 … 1.02 s`."""
    shown = detection(one)
    if one.detect:
        noticed = f"{one.alert} fired after {shown.noticed}"
    elif one.verdict is Verdict.UNKNOWN:
        noticed = f"whether {one.alert} fired is not known"
    else:
        noticed = f"not noticed by {one.alert}"
    return f"{one.step}: {noticed}; well again after {shown.recovered}"


@dataclass(frozen=True, slots=True)
class LagView:
    """The lag of the database's standbys, as shown and drawn: `bands` are polygons, and where none is, nobody
    gave a figure."""

    worst: str
    unmeasured: str
    bands: tuple[str, ...]
    top: str  # what the upper edge of the drawing stands for
    length: str
    width: int = _WIDTH
    height: int = _HEIGHT


def lag(series: LagSeries | None) -> LagView | None:
    """The drawing; None when nobody was asked."""
    if series is None:
        return None
    top_s = series.worst.upper_s if series.worst and math.isfinite(series.worst.upper_s) else 1.0
    top_s = max(top_s, 0.1)
    return LagView(
        worst=UNKNOWN if series.worst is None else str(bounds(series.worst)),
        unmeasured=seconds(series.unmeasured_s) if series.unmeasured_s else "",
        bands=tuple(_bands(series.seconds, top_s)),
        top=seconds(top_s),
        length=seconds(float(len(series.seconds))),
    )


def _bands(instants: Sequence[LagInstant], top_s: float) -> Iterator[str]:
    """A polygon between the bounds for each stretch of seconds that have a figure."""
    step = _WIDTH / max(len(instants), 1)
    upper: list[tuple[float, float]] = []
    lower: list[tuple[float, float]] = []
    for place, instant in enumerate([*instants, LagInstant(0.0, None)]):
        if instant.lag is None:
            if upper:
                yield " ".join(f"{x:.1f},{y:.1f}" for x, y in [*upper, *reversed(lower)])
            upper, lower = [], []
            continue
        for x in (place * step, (place + 1) * step):
            upper.append((x, _HEIGHT * (1 - min(instant.lag.upper_s / top_s, 1.0))))
            lower.append((x, _HEIGHT * (1 - min(instant.lag.lower_s / top_s, 1.0))))
