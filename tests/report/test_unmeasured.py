"""What nobody measured is not shown as a figure, wherever people look."""

from __future__ import annotations

import html
import io
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest
from rich.console import Console
from tests.support import oracle
from tests.support.oracle import Row

from seatrial.measure import measure, trusted, vouched_for
from seatrial.measure.generator import ENDED_ALONE
from seatrial.model.ownfailure import OWN
from seatrial.model.requestlog import RequestLog
from seatrial.model.result import Measurement, RunResult
from seatrial.model.verdict import Verdict
from seatrial.report import Dossier, junit, render_html, sentences, summary
from seatrial.report.verdictfile import measured_document, read_verdict, verdict_document

EVERY_S, DEADLINE_S = 0.1, 2.0


def log_of(rows: Iterable[Row]) -> RequestLog:
    return oracle.log_of(list(rows))


def answered(count: int) -> Iterable[Row]:
    return (Row(i * EVERY_S, i * EVERY_S + 0.0001, i * EVERY_S + 0.004, ok=True) for i in range(count))


NOTHING = log_of([])
DROPPED = log_of(Row(i * EVERY_S, None, None, ok=False, error="dropped: no login") for i in range(250))
FEW = log_of(answered(9))
ONE = log_of(answered(1))
REFUSED = log_of(Row(i * EVERY_S, i * EVERY_S, i * EVERY_S + 0.001, ok=False) for i in range(250))
STALLED = log_of(
    [*answered(80), *(Row(8 + i / 10, 8 + i / 10, None, ok=False, error="late") for i in range(20))]
)
HALF = log_of(
    [*answered(100), *(Row(10 + i / 10, None, None, ok=False, error="no login") for i in range(25))]
)


def measured(log: RequestLog) -> Measurement:
    return measure(log, DEADLINE_S, 1.0, 0.0, max(1.0, len(log) * EVERY_S))


def result_of(log: RequestLog, make: Callable[[str], Dossier]) -> RunResult:
    empty = make("empty").result
    return replace(
        empty, measurement=measured(log) if len(log) else None, interrupted=False, reasons=("why",)
    )


def page_of(log: RequestLog, make: Callable[[str], Dossier]) -> str:
    """The text of the report, without its scripts and style."""
    result = result_of(log, make)
    doubt = "" if result.measurement is None else trusted(result.measurement.generator, EVERY_S)
    whole = render_html(Dossier(result, log if len(log) else None, generator_doubt=doubt))
    visible = re.sub(r"<(script|style)[^>]*>.*?</\1>", "", whole, flags=re.DOTALL)
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", visible)))


def screen_of(log: RequestLog, make: Callable[[str], Dossier]) -> str:
    out = io.StringIO()
    Console(file=out, width=300).print(summary(result_of(log, make)))
    return out.getvalue()


@pytest.mark.parametrize("log", [NOTHING, DROPPED], ids=["nothing recorded", "nothing sent"])
def test_a_service_that_was_never_asked_has_no_figures(
    log: RequestLog, make: Callable[[str], Dossier]
) -> None:
    page, screen = page_of(log, make), screen_of(log, make)
    said = "Nothing could be measured, so nothing is known of the service"
    assert said in page
    assert said in screen
    assert "Nothing was promised" not in page + screen
    assert "promised nothing" not in page
    for figure in (
        "Degraded in all",
        "Equivalent full outage",
        "Availability:",
        "By request:",
        "Began at",
        "0.000 ms",
    ):
        assert figure not in page
    document = verdict_document(result_of(log, make))
    assert document.get("outages", []) == []
    assert (
        document.get("degraded_s")
        is document.get("equivalent_outage_s")
        is document.get("completion_gap_s")
        is None
    )


def test_what_was_never_sent_is_no_failure_of_the_service(make: Callable[[str], Dossier]) -> None:
    said = sentences.what_clients_saw(measured(HALF))
    assert said == (
        "No request failed: all 100 that were sent were answered well and in time. "
        "25 more were due and never sent, which says nothing of the service."
    )
    ours = log_of([*answered(100), *(Row(10, 10, None, ok=False, error=f"{OWN}no memory") for _ in range(5))])
    assert sentences.what_clients_saw(measured(ours)) == (
        "No request failed: 100 of 105 that were sent were answered well and in time. "
        "5 more were bad by the load generator's own doing, which says nothing of the service."
    )
    assert "Of 250 requests that should have been sent, none was" in page_of(DROPPED, make)
    assert "late p50 –, p99 –, max –" in screen_of(DROPPED, make)
    assert "nobody did" in page_of(DROPPED, make)


def test_few_answers_carry_no_percentile_by_its_name(make: Callable[[str], Dossier]) -> None:
    page = page_of(FEW, make)
    assert (
        "p50 4.00 ms p90 too few (9) to tell p95 too few (9) to tell p99 too few (9) to tell max 4.00 ms"
        in page
    )
    assert "each within 0.100 ms of the instant it was due" in page
    assert "99 of 100" not in page
    assert "p99 too few (9) to tell, max 0.100 ms" in screen_of(FEW, make)
    latency = measured_document(measured(FEW))["latency"]
    assert (latency["p50_ms"], latency["p99_ms"]) == (pytest.approx(4.0), None)
    assert latency["answers"] == 9


def test_one_request_makes_no_rate_and_no_median(make: Callable[[str], Dossier]) -> None:
    page = page_of(ONE, make)
    assert "p50 too few (1) to tell" in page
    assert "the one that was sent was answered well" in page
    lone = measure(ONE, DEADLINE_S, 1.0)  # as a log that is measured: no window was declared
    assert (lone.generator.offered_per_s, lone.generator.achieved_per_s) == (None, None)
    assert "A request was due every" not in sentences.resolution(lone)


def test_percentiles_among_the_unanswered_are_lower_bounds(make: Callable[[str], Dossier]) -> None:
    page = page_of(STALLED, make)
    assert "p50 4.00 ms p90 ≥ 2,000 ms p95 ≥ 2,000 ms p99 ≥ 2,000 ms max ≥ 2,000 ms" in page
    latency = measured_document(measured(STALLED))["latency"]
    assert (latency["p99_ms"], latency["at_least_from_ms"]) == (2000, 2000)


def test_where_nothing_was_answered_there_is_no_latency(make: Callable[[str], Dossier]) -> None:
    page = page_of(REFUSED, make)
    assert "there is no latency to tell" in page
    assert "Latency is not drawn" in page
    assert "250 of 250 requests (100%) failed" in page
    assert measured_document(measured(REFUSED))["latency"] is None


def test_a_service_that_does_not_say_who_answers_gets_no_chart_of_it(make: Callable[[str], Dossier]) -> None:
    assert "Who answered is not drawn: no answer said it" in page_of(FEW, make)
    whole = render_html(Dossier(result_of(FEW, make), FEW))
    assert 'id="chart-served"' not in whole
    assert 'id="chart-served"' in render_html(make("pass"))


def test_nobody_vouches_for_the_generator_of_a_log_that_does_not_tell() -> None:
    found = measure(log_of(answered(4001)), DEADLINE_S, 1.0, tells=ENDED_ALONE)
    assert sentences.generator(found.generator, vouched_for(found.generator, EVERY_S, DEADLINE_S)) == (
        "Nobody can vouch for the load generator: its log does not tell when requests were due, "
        "which were never sent and which were never answered."
    )
    told = measured_document(found)["generator"]
    assert (told["sent"], told["answered"]) == (4001, 4001)
    for unknown in ("scheduled", "dropped", "unanswered", "late_p50_ms", "late_p99_ms", "late_max_ms"):
        assert told[unknown] is None


@pytest.mark.parametrize("log", [NOTHING, DROPPED, FEW, ONE, REFUSED, STALLED, HALF])
def test_it_is_written_and_read_back_as_it_was(log: RequestLog, make: Callable[[str], Dossier]) -> None:
    result = result_of(log, make)
    text = json.dumps(verdict_document(result), allow_nan=False)
    assert read_verdict(text, "verdict.json") == result


def test_an_older_file_without_the_newer_figures_is_read(make: Callable[[str], Dossier]) -> None:
    document = verdict_document(result_of(FEW, make))
    latency = document["measurement"]["latency"]
    del latency["answers"], latency["at_least_from_ms"]
    document["measurement"]["generator"]["late_p50_ms"] = None
    read = read_verdict(json.dumps(document), "verdict.json")
    assert read.measurement is not None
    assert read.measurement.latency is not None
    assert read.measurement.latency.answers is None
    assert read.measurement.generator.late_p50_ms is None


def test_a_run_without_measurement_took_no_measured_time(make: Callable[[str], Dossier]) -> None:
    assert "time=" not in junit(result_of(NOTHING, make))
    assert 'time="1.000"' in junit(result_of(FEW, make))


def test_a_run_that_ended_in_its_warmup_was_measured_for_no_time(make: Callable[[str], Dossier]) -> None:
    warmup = log_of(Row(i * EVERY_S - 5, i * EVERY_S - 5, i * EVERY_S - 4.99, ok=True) for i in range(20))
    measurement = measure(warmup, DEADLINE_S, 1.0, 0.0, -3.0)
    result = replace(result_of(NOTHING, make), measurement=measurement)
    page = render_html(Dossier(result, warmup))
    assert "<dt>Measured for</dt><dd>0 s</dd>" in page
    assert "No request was due in the measured part of the run." in page
    assert 'time="0.000"' in junit(result)


def test_nothing_promised_is_said_only_where_something_was_measured(make: Callable[[str], Dossier]) -> None:
    result = replace(result_of(FEW, make), verdict=Verdict.UNKNOWN)
    assert sentences.headline(result) == "Nothing was promised, so nothing was judged."
