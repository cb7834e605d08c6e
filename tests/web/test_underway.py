"""A run under way: read as it grows, by one reader for all who watch, and told as it happens."""

from __future__ import annotations

import json
import math
import os
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from tests.support.dashboards import listening
from tests.support.waiting import wait_until
from tests.web.conftest import Site

from seatrial.load.offer import Offer, Share
from seatrial.load.recorder import Recorder
from seatrial.load.spool import SpoolHeader
from seatrial.model.arrivals import RateStep
from seatrial.model.quantities import Rate
from seatrial.run import openruns
from seatrial.run.evidence import JOURNAL, RunJournal
from seatrial.run.openruns import HeldRun, OpenRun, unfinished
from seatrial.web import app
from seatrial.web.underway import Watches

OFFER = Offer((RateStep(0.0, Rate(100, 1.0)),), "even", 0, 0.0, 10.0)


@dataclass
class Conducted:
    """A run that this process conducts."""

    held: HeldRun
    recorder: Recorder
    journal: RunJournal
    zero_s: float

    def answered(self, ok: bool) -> None:
        """A request has just been answered."""
        at_s = time.monotonic() - self.zero_s - 0.01
        self.recorder.add(at_s, at_s, at_s + 0.001, ok, 200 if ok else 503, "GET /", "", "", None)
        self.recorder.flush()


@pytest.fixture
def conducted(site: Site) -> Iterator[Conducted]:
    """It has begun three seconds ago."""
    directory, zero_s = site.place / "runs/open", time.monotonic() - 3
    directory.mkdir()
    opened = OpenRun("r1", "crash", "shop", str(directory), "2026-11-29T11:59:00+00:00", "", os.getpid())
    header = SpoolHeader("0", 1, zero_s, math.nan, OFFER, Share(), 2.0, "nowhere.py", "http://127.0.0.1:1")
    journal = RunJournal(directory / JOURNAL)
    journal.write("run.started", zero_s, datetime.now(UTC), run="r1")
    with openruns.begin(site.place / "home", opened) as held:
        yield Conducted(held, Recorder(directory / "spool/worker-0.spool", header), journal, zero_s)
    journal.close()


def test_a_run_is_under_way_while_its_conductor_holds_it(tmp_path: Path) -> None:
    opened = OpenRun("r1", "crash", "shop", "/nowhere", "", "", os.getpid())
    with openruns.begin(tmp_path, opened) as held:
        (tmp_path / "open-runs/torn.json").write_text("{")
        assert unfinished(tmp_path) == [(opened, True)]
        held.run = opened
    assert unfinished(tmp_path) == [(opened, False)]
    assert unfinished(tmp_path / "none") == []


def test_the_figures_are_those_of_the_last_seconds(site: Site, conducted: Conducted) -> None:
    for ok in (True, True, True, False):
        conducted.answered(ok)
    told = site.client().get("/api/underway/r1").json()
    assert told["conducted"]
    assert (told["figures"]["good"], told["figures"]["bad"], told["figures"]["recent_bad"]) == (3, 1, 0.25)
    assert 2.5 < told["figures"]["at_s"] < 60
    assert [each["event"] for each in told["happenings"]] == ["run.started"]
    page = site.client().get("/underway/r1").text
    assert 'data-events="/underway/r1/events"' in page
    assert "Stop it" in page


def test_all_who_watch_share_a_reader_and_few_are_kept() -> None:
    watches = Watches()
    runs = [OpenRun(f"r{number}", "", "", f"/{number}", "", "", 0) for number in range(100)]
    assert watches.of(runs[0]) is watches.of(runs[0])
    for run in runs:
        watches.of(run)
    assert len(watches._watches) < len(runs)


def events(lines: Iterator[str]) -> Iterator[tuple[str, object]]:
    name = ""
    for line in lines:
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


def test_what_happens_is_told_until_the_run_is_over(site: Site, conducted: Conducted) -> None:
    with (
        listening(site.dashboard) as base,
        httpx.stream("GET", f"{base}/underway/r1/events", timeout=30) as stream,
    ):
        assert stream.headers["content-type"].startswith("text/event-stream")
        heard = events(stream.iter_lines())
        assert next(heard)[0] == "figures"
        conducted.journal.write("step.fired", time.monotonic(), datetime.now(UTC), step="<b>crash</b>")
        told = next(told for name, told in heard if "step.fired" in json.dumps(told))
        assert "<b>crash</b>" in json.dumps(told)
        conducted.held.forget()
        assert [name for name, _ in heard if name != "figures"] == ["over"]


def test_however_many_ask_at_once_few_watch_and_the_pages_are_there(
    site: Site, conducted: Conducted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "MOST_STREAMS", 20)
    request = b"GET /underway/r1/events HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with listening(site.dashboard) as base:
        place = ("127.0.0.1", int(base.rpartition(":")[2]))
        watchers = [socket.create_connection(place, timeout=30) for _ in range(150)]
        for watcher in watchers:
            watcher.sendall(request)
        answers = [watcher.recv(12) for watcher in watchers]
        assert answers.count(b"HTTP/1.1 200") == 20
        assert answers.count(b"HTTP/1.1 503") == 130
        assert httpx.get(f"{base}/runs", timeout=30).status_code == 200
        for watcher in watchers:
            watcher.close()
        wait_until(lambda: site.dashboard._streams == 0, 20.0, "those who have left do not count")
