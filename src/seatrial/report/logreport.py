"""The report of a request log that no run of ours made: the same page, without what only a run has.

Nothing was promised of such a log, so its verdict is unknown. What its reader must know (what the log cannot
tell, which part of it was measured) stands where others read of the load generator.
"""

from __future__ import annotations

from collections.abc import Sequence

from seatrial.model.figures import bounds, seconds
from seatrial.model.requestlog import RequestLog
from seatrial.model.result import Bounds, Measurement, RunResult, Silence
from seatrial.model.verdict import Verdict
from seatrial.report.dossier import Dossier
from seatrial.report.html import render_html

_MOST_SILENCES = 10


def log_report(
    name: str,
    format: str,  # noqa: A002  # what the option is called
    log: RequestLog,
    measured: Measurement,
    said: Sequence[str],
    *,
    zero_at: str,
    doubt: str,
) -> str:
    """One HTML file. `said`: what a reader must know; `zero_at`: when the log's second 0 was, or ""."""
    result = RunResult(
        run=name,
        experiment=f"log of {format}",
        title=f"What {name} says",
        target="",
        verdict=Verdict.UNKNOWN,
        reasons=tuple(_silences(measured.silences)),
        started_at=zero_at,
        interrupted=False,
        measurement=measured,
    )
    drawn = log if measured.exact.took else None  # without lengths every latency would be drawn as none
    return render_html(
        Dossier(result=result, log=drawn, of_a_run=False, said=tuple(said), generator_doubt=doubt)
    )


def _silences(silences: Sequence[Silence]) -> list[str]:
    """A line for each of the longest, in order of time."""
    longest = sorted(silences, key=lambda silence: -silence.upper_s)[:_MOST_SILENCES]
    return [
        f"silent from {seconds(silence.start_s)} on: an outage of "
        f"{bounds(Bounds(0.0, silence.upper_s)).bracketed}, where at least "
        f"{silence.expected:,.0f} requests would have come"
        for silence in sorted(longest, key=lambda silence: silence.start_s)
    ]
