"""Every name that a target, a scenario or a log can choose, as somebody hostile would choose it."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from tests.support.results import CRASH
from tests.web.conftest import NOW, Site, told

from seatrial.incidents.event import IncidentEvent, Kind
from seatrial.model import secrets
from seatrial.model.result import CheckResult, ObjectiveResult
from seatrial.model.verdict import Verdict
from seatrial.run import openruns
from seatrial.run.evidence import JOURNAL
from seatrial.run.openruns import OpenRun
from seatrial.store import EvidenceFile, Occurrence, OccurrenceEnding, OccurrenceState, Origin

EVIL = "\"'><img src=x onerror=alert(1)><script>alert(2)</script><a href='javascript:alert(3)'>{{7*7}}&lt;"
SECRET = "hunter2-hunter2-hunter2"


class Elements(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))


def harmless(page: str) -> None:
    for tag, attributes in Elements(page).elements:
        assert tag not in ("img", "iframe", "object", "embed", "base", "style")
        assert tag != "script" or (attributes["src"] or "").startswith("/assets/")
        for name, value in attributes.items():
            assert not name.startswith("on")
            assert name not in ("href", "src", "action") or not (value or "").lower().startswith("javascript")
    assert "{{7*7}}" in page or "49" not in page


@pytest.fixture
def hostile(site: Site) -> Site:
    """A site where everything that others choose is chosen by somebody hostile."""
    objective = ObjectiveResult(EVIL, 5.0, 6.0, 7.0, "s", Verdict.FAIL, EVIL)
    step = replace(CRASH, name=EVIL, role=EVIL, does=EVIL, error=EVIL, by_hand=EVIL, verified=False)
    came = told(
        7, Verdict.FAIL, run=f"7-{EVIL}".replace("/", "∕"), experiment=EVIL, target=EVIL, title=EVIL, reasons=(EVIL,),
        steps=(step,), checks=(CheckResult(EVIL, Verdict.FAIL, EVIL),), covers=(EVIL,), objectives=(objective,),
    )  # fmt: skip
    place = site.place / "runs/evil"
    place.mkdir(parents=True)
    origin = Origin(str(place), revision=EVIL, seatrial=EVIL, files=(EvidenceFile(EVIL, 1, EVIL),))
    event = IncidentEvent(Kind.TRIGGER, EVIL, NOW.isoformat(), EVIL, EVIL, EVIL, came.run)
    assert site.store.record(came, [event.to(EVIL, EVIL)], NOW, origin)
    site.store.outbox.park(1, EVIL)
    occurrence = Occurrence(EVIL, NOW, NOW, EVIL)
    site.store.occurrences.close(occurrence, OccurrenceEnding(OccurrenceState.MISSED, detail=EVIL), NOW)
    readiness = Path("chaos/readiness.yaml")
    readiness.write_text(readiness.read_text().replace("title: Ready", f"title: {json.dumps(EVIL)}")
                         .replace("requirement: It comes back", f"requirement: {json.dumps(EVIL)}"))  # fmt: skip
    line = {"event": EVIL, "wall": EVIL, "mono": 1.0, EVIL: EVIL}
    (place / JOURNAL).write_text(json.dumps(line) + "\n")
    return site


def test_no_name_becomes_markup_or_code(hostile: Site) -> None:
    (run,) = (each for each in hostile.store.history.runs() if each.experiment == EVIL)
    browser = hostile.browser()
    quoted = browser.build_request("GET", "/").url.copy_with(path=f"/runs/{run.run}").raw_path.decode()
    place = str(hostile.place / "runs/evil")
    opened = OpenRun(run.run, EVIL, EVIL, place, EVIL, EVIL, os.getpid())
    with openruns.begin(hostile.place / "home", opened):
        pages = [
            browser.get(path)
            for path in ("/", "/matrix", "/runs", "/experiments", "/schedules", "/incidents", "/underway", quoted,
                         quoted.replace("/runs/", "/underway/"))
        ] + [
            browser.get("/runs", params={"experiment": EVIL, "covers": EVIL}),
            browser.get("/compare", params={"a": run.run, "b": run.run}),
            browser.get("/schedules", params={"schedule": EVIL}),
        ]  # fmt: skip
    for page in pages:
        assert page.status_code == 200, page.url
        assert "alert(1)" in page.text, page.url
        harmless(page.text)


def test_what_is_asked_for_does_not_become_markup_either(site: Site) -> None:
    for path, parameters in (("/runs", {"page": EVIL}), ("/runs", {EVIL: "1"}), ("/compare", {"a": EVIL, "b": EVIL}),
                             ("/session", {"back": EVIL}), ("/experiments/x", {"target": EVIL})):  # fmt: skip
        harmless(site.client().get(path, params=parameters).text)
    harmless(site.client().get(f"/{EVIL}").text)


def test_no_secret_is_shown(site: Site) -> None:
    secrets.remember(SECRET, "${PASSWORD}")
    login = f"postgresql://sre:{SECRET}@db/shop"
    event = IncidentEvent(Kind.TRIGGER, "k", NOW.isoformat(), f"lost {login}", "shop", "crash")
    site.store.outbox.enqueue(
        [replace(event.to("webhook", "1"), body=event.to_json().replace("***", SECRET))], NOW
    )
    site.record(8, Verdict.FAIL, reasons=(f"{login} refused",), title=f"with {SECRET}")
    for path in (
        "/",
        "/runs",
        "/incidents",
        "/runs/latest",
        "/api",
        "/api/runs",
        "/api/incidents",
        "/api/runs/latest",
    ):
        text = site.client().get(path).text
        assert SECRET not in text, path
    assert "${PASSWORD}" in site.client().get("/api/runs/latest").text


def test_names_in_addresses_lead_to_their_pages(hostile: Site) -> None:
    page = hostile.client().get("/runs").text
    links = [
        attributes["href"] or ""
        for tag, attributes in Elements(page).elements
        if tag == "a" and "href" in attributes
    ]
    evil = [link for link in links if "alert" in link]
    assert len(evil) == 2
    for link in evil:
        assert hostile.client().get(link).status_code == 200
