"""How much a service carries, as one HTML file: the answer, the knee, every trial, and the law as a hint.

It draws what `capacity.json` tells, and nothing else: no script, no address. The charts are drawn here, as
SVG, because they are a handful of points that never change.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seatrial.model.figures import UNKNOWN, exactly, latency, number, rate, share
from seatrial.report.html import page_environment, page_text

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_PERCENTILES = ("p50", "p95", "p99")
_OF_THE_SERVICE = ("held", "broken")  # outcomes of trials that say something of it
_TICKS = 5
_WIDTH, _HEIGHT = 640.0, 260.0  # of what is drawn in, without its margins
_MARGIN = 64.0

Trial = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Tick:
    """A place on an axis, and what is written there."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """One figure over the offered rate: a polyline through the means of each rate, and each trial's point.

    Trials that say nothing of the service, since the generator was late or something else is not known, have
    points and no part in the means.
    """

    name: str
    tone: int
    path: str
    points: tuple[tuple[float, float, str, str], ...]  # x, y, outcome, what a pointer is told


@dataclass(frozen=True, slots=True)
class Band:
    """The interval that holds the capacity, from the left end to the right; 0 wide where it has one end."""

    left: float
    width: float


@dataclass(frozen=True, slots=True)
class Chart:
    """Several figures of one unit over the offered rate."""

    title: str
    unit: str
    lines: tuple[Line, ...]
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    band: Band | None
    width: float = _WIDTH
    height: float = _HEIGHT
    margin: float = _MARGIN


def render_capacity(document: Mapping[str, Any]) -> str:
    """The page of a search, as `seatrial.capacity.found.capacity_document` tells it."""
    style = page_text("report.css") + page_text("capacity.css")
    trials = sorted(document["trials"], key=lambda trial: (trial["rate_per_s"], trial["number"]))
    return (
        page_environment()
        .get_template("capacity.html")
        .render(
            found=document,
            rows=[_row(trial) for trial in trials],
            charts=list(_charts(document, trials)),
            law=_law(document["law"]),
            style=style,
            policy=_POLICY,
        )
    )


def _row(trial: Trial) -> dict[str, Any]:
    """A trial as text."""
    told = {name: latency(trial[f"{name}_ms"], None, trial["at_least_from_ms"]) for name in _PERCENTILES}
    bad = trial["bad_share"]
    return {
        **told,
        "number": trial["number"],
        "directory": trial["directory"],
        "rate": trial["rate"],
        "outcome": trial["outcome"],
        "why": trial["why"],
        "good": rate(trial["good_per_s"]),
        "bad": UNKNOWN if bad is None else share(bad),
    }


def _law(law: Mapping[str, Any]) -> str:
    """The hint in a sentence."""
    if law["none"]:
        return f"No hint beside it: {law['none']}."
    ends = (exactly(float(f"{law[end]:.3g}"), "per_s") for end in ("lower_per_s", "upper_per_s"))
    lower, upper = ends
    return (
        f"A hint, and no verdict: the Universal Scalability Law, fitted to these trials, has its greatest "
        f"throughput at {number(law['peak_per_s'], 'per_s')} of good answers "
        f"(95 % of its draws: {lower} … {upper}); "
        f"contention {law['contention']:.3g}, coherency {law['coherency']:.3g}."
    )


def _charts(document: Mapping[str, Any], trials: Sequence[Trial]) -> Iterator[Chart]:
    if not trials:
        return
    most = max(trial["rate_per_s"] for trial in trials)
    yield from filter(
        None,
        (
            _chart("Latency over the rate that was offered", "ms", document, trials, most,
                   {name: f"{name}_ms" for name in _PERCENTILES}),
            _chart("Good answers over the rate that was offered", "per_s", document, trials, most,
                   {"good answers": "good_per_s"}),
        ),
    )  # fmt: skip


def _chart(
    title: str,
    unit: str,
    document: Mapping[str, Any],
    trials: Sequence[Trial],
    most_per_s: float,
    figures: Mapping[str, str],
) -> Chart | None:
    values = [trial[key] for trial in trials for key in figures.values() if trial[key] is not None]
    if not values:
        return None
    across, up = _ticks(most_per_s), _ticks(max(values))
    widest, highest = across[-1], up[-1]
    lines = tuple(
        _line(name, tone, key, unit, trials, (widest, highest))
        for tone, (name, key) in enumerate(figures.items())
        if any(trial[key] is not None for trial in trials)
    )
    return Chart(
        title=title,
        unit={"ms": "ms", "per_s": "per second"}[unit],
        lines=lines,
        across=tuple(Tick(_x(value, widest), f"{value:,.6g}") for value in across),
        up=tuple(Tick(_y(value, highest), f"{value:,.6g}") for value in up),
        band=_band(document, widest),
    )


def _line(
    name: str, tone: int, key: str, unit: str, trials: Sequence[Trial], ends: tuple[float, float]
) -> Line:
    known = [trial for trial in trials if trial[key] is not None]
    told = [trial for trial in known if trial["outcome"] in _OF_THE_SERVICE]
    middles = []
    for each in sorted({trial["rate_per_s"] for trial in told}):
        here = [trial[key] for trial in told if trial["rate_per_s"] == each]
        middles.append((_x(each, ends[0]), _y(sum(here) / len(here), ends[1])))
    points = tuple(
        (
            _x(trial["rate_per_s"], ends[0]),
            _y(trial[key], ends[1]),
            trial["outcome"],
            f"{trial['rate']}: {name} {number(trial[key], unit)}, {trial['outcome']}",
        )
        for trial in known
    )
    return Line(name, tone, " ".join(f"{x:.1f},{y:.1f}" for x, y in middles), points)


def _band(document: Mapping[str, Any], widest: float) -> Band | None:
    lower, upper = document["lower_per_s"], document["upper_per_s"]
    if lower is None and upper is None:
        return None
    left = _x(lower or 0.0, widest)
    return Band(left, (_x(upper, widest) - left) if upper is not None else 0.0)


def _x(value: float, widest: float) -> float:
    return round(_WIDTH * value / widest, 1)


def _y(value: float, highest: float) -> float:
    return round(_HEIGHT * (1 - value / highest), 1)


def _ticks(most: float) -> list[float]:
    """Round values from 0 to the first that is not below `most`."""
    rough = max(most, 1e-9) / _TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough)
    return [step * number for number in range(math.ceil(most / step - 1e-9) + 1)]
