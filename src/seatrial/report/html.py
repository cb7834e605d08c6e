"""One HTML file that can be mailed, opened without a network, signed and kept.

The page carries its data, its charting library and its style. Its content security policy allows exactly
the two scripts that were put there (by digest) and no address at all, so that nothing in the evidence, a
request's name or an error's text, can become code or make the page call somewhere.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined

from seatrial.model import figures
from seatrial.model.requestlog import RequestLog
from seatrial.model.result import Measurement, Outage
from seatrial.report import noticing, sentences, views
from seatrial.report.calibration import calibration_view
from seatrial.report.chartdata import chart_data
from seatrial.report.closeup import MOST_CLOSEUPS
from seatrial.report.dossier import Dossier
from seatrial.report.overview import by_name, drawn
from seatrial.report.uplot import chart_library

_MOST_ROWS = 200  # of any table
_LONGEST_YAML = 100_000  # characters
_SCRIPTS = ("ink", "chart", "lane", "overview", "closeup", "page")
_SIGNATORIES = ("CTO", "Security", "SRE", "Compliance")


def render_html(dossier: Dossier) -> str:
    """The report of a run; at most 2 MB however long the run was."""
    result, measured = dossier.result, dossier.result.measurement
    log = replace(dossier.log, keys=None).sorted() if dossier.log is not None and len(dossier.log) else None
    library = chart_library()
    script = _script()
    style = page_text("report.css")
    return (
        page_environment()
        .get_template("report.html")
        .render(
            result=result,
            measured=measured,
            dossier=dossier,
            headline=sentences.headline(result),
            saw=sentences.what_clients_saw(measured) if measured else "",
            cost=sentences.error_budget(result.error_budget),
            run_cost=sentences.run_cost(result.cost),
            generator=sentences.generator(measured.generator, dossier.generator_doubt) if measured else "",
            load=sentences.load(measured.generator, result.load) if measured else "",
            clients=sentences.clients(result.load, measured.generator if measured else None),
            **_objectives(dossier),
            **_outages(measured),
            **_names(log, measured),
            steps=[views.step(number, one) for number, one in enumerate(result.steps[:_MOST_ROWS], start=1)],
            failovers=[views.failover(one) for one in result.failovers[:_MOST_ROWS]],
            detections=[noticing.detection(one) for one in result.detections[:_MOST_ROWS]],
            lag=noticing.lag(result.replication),
            checks=result.checks[:_MOST_ROWS],
            calibration=calibration_view(dossier.calibration, dossier.machine, dossier.versions),
            files=views.files(result.evidence, dossier.digests)[:_MOST_ROWS],
            versions=list(views.facts(_versions(dossier)))[:_MOST_ROWS],
            machine=list(views.facts(dossier.machine))[:_MOST_ROWS],
            events=[views.event(line) for line in dossier.events[:_MOST_ROWS]],
            experiment_yaml=dossier.experiment_yaml[:_LONGEST_YAML],
            signatories=_SIGNATORIES,
            **_charts(dossier, log),
            library=library,
            style=style,
            script=script,
            policy=_policy(library.script, script),
        )
    )


def _versions(dossier: Dossier) -> Mapping[str, str]:
    """Of every part; the target's and the experiment's own whole, which the head of the page shortens."""
    own = {"target": str(dossier.result.version or ""), "experiment": dossier.revision}
    return {part: version for part, version in own.items() if version} | dict(dossier.versions)


def _charts(dossier: Dossier, log: RequestLog | None) -> Mapping[str, object]:
    """The data of the charts, and which of them have something to show."""
    measured = dossier.result.measurement
    if log is None or measured is None:
        return {"charts": "", "draws": {}}
    charts = chart_data(log, measured, dossier.result.steps)
    return {"charts": charts, "draws": drawn(log, measured.deadline_s)}


def _objectives(dossier: Dossier) -> Mapping[str, object]:
    key = views.key_objective(dossier.result)
    return {
        "key": None if key is None else views.objective(key),
        "objectives": [views.objective(one) for one in dossier.result.objectives[:_MOST_ROWS]],
    }


def _outages(measured: Measurement | None) -> Mapping[str, object]:
    found: tuple[Outage, ...] = measured.outages if measured and measured.generator.sent else ()
    return {
        "outages": [views.outage(number, one) for number, one in enumerate(found[:_MOST_ROWS], start=1)],
        "more_outages": max(len(found) - _MOST_ROWS, 0),
        "more_closeups": max(len(found) - MOST_CLOSEUPS, 0),
    }


def _names(log: RequestLog | None, measured: Measurement | None) -> Mapping[str, object]:
    """Requests by name, if any was sent; otherwise nothing is known of them."""
    if log is None or measured is None or not measured.generator.sent:
        return {"names": [], "latency": None}
    rows = by_name(log.between(measured.start_s, measured.end_s), measured.deadline_s, measured.exact.took_s)
    latency = None if measured.latency is None else views.latency(measured.latency)
    return {"names": [views.name(row) for row in rows], "latency": latency}


def _policy(*scripts: str) -> str:
    """Only these scripts, inline style, and no connection anywhere."""
    digests = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    return "; ".join((
        "default-src 'none'",
        f"script-src {allowed}",
        "style-src 'unsafe-inline'",
        "base-uri 'none'",
        "form-action 'none'",
    ))  # fmt: skip


@cache
def _script() -> str:
    """Our own scripts as one, closed to the rest of the page."""
    body = "\n".join(page_text(f"script/{name}.js") for name in _SCRIPTS)
    return f'(() => {{\n"use strict";\n{body}}})();'


@cache
def page_text(name: str) -> str:
    """A style or a script of ours."""
    return files("seatrial.report").joinpath(name).read_text(encoding="utf-8")


@cache
def page_environment() -> Environment:
    """Where the templates of every page are, with the filters that they use."""
    environment = Environment(
        loader=PackageLoader("seatrial.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "clip": views.clip,
        "count": figures.count,
        "named": figures.named,
        "interval": lambda found: str(figures.bounds(found)),
        "latency": figures.latency,
        "moment": views.moment,
        "per_second": figures.rate,
        "revision": views.revision,
        "seconds": figures.seconds,
        "share": figures.share,
    }
    return environment
