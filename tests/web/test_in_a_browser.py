"""Every page in a real browser: in both themes, wide and narrow, by axe-core's rules."""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path

import pytest
from tests.support.browser import CHROMIUM, Browser, browser
from tests.support.dashboards import listening, message
from tests.web.conftest import NOW, TOKEN, Site, told

from seatrial.model.verdict import Verdict
from seatrial.run import openruns
from seatrial.run.openruns import OpenRun
from seatrial.store import Occurrence, OccurrenceEnding, OccurrenceState
from seatrial.web import underway

_AXE = importlib.util.find_spec("axe_core_python")
PATHS = (
    "/", "/matrix", "/runs", "/runs/database-crash-0002", "/experiments", "/experiments/database-crash",
    "/compare?a=database-crash-0001&b=database-crash-0002", "/schedules", "/incidents", "/underway",
    "/session", "/runs/nobody",
)  # fmt: skip
RULES = """
axe.run(document, {resultTypes: ["violations"]}).then((found) => JSON.stringify(found.violations
  .filter((each) => ["serious", "critical"].includes(each.impact))
  .map((each) => [each.id, each.nodes.slice(0, 3).map((node) => node.html)])))
"""


def rules() -> str:
    assert _AXE is not None
    assert _AXE.origin is not None
    return (Path(_AXE.origin).parent / "axe.min.js").read_text(encoding="utf-8")


def findings(page: Browser, axe: str) -> list[object]:
    """What is serious or critical by axe-core's rules."""
    page.run(f"{axe}; undefined")
    return list(json.loads(page.run(RULES)))


@pytest.mark.e2e
@pytest.mark.skipif(not CHROMIUM, reason="no Chromium here: apt-get install chromium")
@pytest.mark.skipif(_AXE is None, reason="no axe-core here: pip install axe-core-python")
def test_every_page_can_be_read_by_everybody(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.store.outbox.enqueue([message(told(9, Verdict.FAIL), "9")], NOW)
    occurrence = Occurrence("monthly", NOW, NOW, "testbed")
    site.store.occurrences.close(
        occurrence, OccurrenceEnding(OccurrenceState.MISSED, detail="nobody was there"), NOW
    )
    axe = rules()
    with listening(site.dashboard) as base, browser(tmp_path / "profile") as page:
        page.open("data:text/html,<img src=x><button></button>")
        assert len(findings(page, axe)) > 2  # the rules do find what is wrong
        for path in PATHS:
            for width, theme in ((1280, "light"), (400, "dark")):
                page.appear(width, theme)
                page.open(base + path)
                assert findings(page, axe) == [], (path, width, theme)
                assert page.run("document.documentElement.scrollWidth") <= width, (path, width)
        assert [each for each in page.complaints if "404" not in each] == []
        opened = OpenRun("r1", "crash", "shop", str(tmp_path), NOW.isoformat(), "", os.getpid())
        monkeypatch.setattr(underway, "_pid", os.getppid)  # as if another process conducted it
        with openruns.begin(site.place / "home", opened):
            _can_be_used(page, base, axe)


def _can_be_used(page: Browser, base: str, axe: str) -> None:
    page.open(f"{base}/experiments/database-crash")
    assert page.run("document.querySelectorAll('.months canvas').length") == 2
    page.run("document.getElementById('theme').click()")
    assert page.run("document.documentElement.dataset.theme") == "light"
    page.open(f"{base}/session?back=/matrix")
    page.run(f"document.querySelector('[name=token]').value = {TOKEN!r}")
    page.follow("document.querySelector('main form').requestSubmit()")
    assert page.run("location.pathname") == "/matrix"
    assert "Sign out" in page.run("document.body.innerText")
    for path in ("/matrix", "/incidents", "/underway/r1"):
        page.open(base + path)
        assert findings(page, axe) == [], path
    assert page.run("document.querySelectorAll('main form').length") == 1  # to stop the run
