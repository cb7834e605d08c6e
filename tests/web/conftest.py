"""A checkout with runs on record, and a dashboard over it that is asked in this process."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.support.readiness import EXPERIMENT, READINESS
from tests.support.results import CRASH, OUTAGE, ROLLBACK, measurement, result

from seatrial.model.result import CheckResult, Latency, RunResult
from seatrial.model.verdict import Verdict
from seatrial.store import EvidenceFile, Origin, Store
from seatrial.web.app import Dashboard
from seatrial.web.entrance import Entrance
from seatrial.web.sources import Sources

TOKEN = "a-token-that-nobody-guesses-0123456789"
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
HERE = "http://localhost"


@dataclass
class Site:
    """A dashboard and what is behind it. `browse` asks as a browser with our own pages open does."""

    place: Path
    store: Store
    dashboard: Dashboard

    def client(self, **headers: str) -> TestClient:
        return TestClient(self.dashboard.app(), HERE, raise_server_exceptions=False, headers=headers)

    def browser(self) -> TestClient:
        """One that has signed in."""
        client = self.client(origin=HERE)
        assert client.post("/session", data={"token": TOKEN}).status_code == 200
        return client

    def record(self, number: int, verdict: Verdict = Verdict.PASS, **changed: object) -> RunResult:
        """The `number`-th run of an experiment, a day after the one before it."""
        came = told(number, verdict, **changed)
        place = self.place / "runs" / f"{number:04d}"
        place.mkdir(parents=True, exist_ok=True)
        files = (EvidenceFile("verdict.json", 7, "f" * 64),)
        origin = Origin(directory=str(place), revision="0123abc", seatrial="1.0", files=files)
        assert self.store.record(came, (), NOW, origin)
        return came

    @property
    def directory(self) -> Path:
        """Where the evidence of the first run is."""
        return self.place / "runs/0001"


def told(number: int, verdict: Verdict = Verdict.PASS, **changed: object) -> RunResult:
    """A run with everything in it that a page shows."""
    latency = Latency(p50_ms=10, p90_ms=20, p95_ms=42, p99_ms=90, max_ms=150, answers=5990)
    measured = replace(measurement() if verdict is Verdict.PASS else measurement(OUTAGE), latency=latency)
    whole = replace(
        result(verdict, number, steps=(CRASH, ROLLBACK)),
        title="The primary is killed",
        started_at=(NOW - timedelta(days=100 - number)).isoformat(),
        measurement=measured,
        checks=(CheckResult("acknowledged-writes", Verdict.PASS, "all 3,221 are there"),),
        covers=("ADR-003",),
    )
    return replace(whole, **changed)  # type: ignore[arg-type]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Three runs, a readiness file, and a token."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEATRIAL_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SEATRIAL_DATABASE", raising=False)
    (tmp_path / "chaos").mkdir()
    (tmp_path / "chaos/crash.yaml").write_text(EXPERIMENT)
    (tmp_path / "chaos/readiness.yaml").write_text(READINESS)
    (tmp_path / "chaos/policy.json").write_text('{"passed": true}')
    with Store.default() as store:
        sources = Sources(store, tmp_path / "home", now=lambda: NOW)
        found = Site(tmp_path, store, Dashboard(sources, Entrance(TOKEN), every_s=0.01))
        for number, verdict in enumerate((Verdict.PASS, Verdict.FAIL, Verdict.PASS), start=1):
            found.record(number, verdict)
        yield found
