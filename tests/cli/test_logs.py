"""What of a log is measured, and that the figures say so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from seatrial.cli.main import app

LINE = '10.0.0.1:1 [28/Nov/2026:22:00:{at:06.3f}] web app/a 0/0/1/2/3 {status} 9 - - ---- 1/1/1/1/0 0/0 "GET /{name} HTTP/1.1"\n'


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Fifty requests a second for 40 s: failures of /b from 10 s to 12 s, and silence from 25 s to 28 s."""
    path = tmp_path / "haproxy.log"
    rows = [
        LINE.format(at=n / 50, name="ab"[n % 2], status=503 if n % 2 and 500 <= n < 600 else 200)
        for n in range(2000)
        if not 1250 <= n < 1400
    ]
    path.write_text("".join(rows))
    return path


def measured(log: Path, *arguments: str) -> dict[str, Any]:
    done = CliRunner().invoke(app, ["measure", str(log), "--json", *arguments])
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_whole_log_has_its_outage_its_silence_and_when_it_began(log: Path) -> None:
    found = measured(log)
    assert (found["format"], found["zero_at"]) == ("haproxy", "2026-11-28T22:00:00.000")
    assert [outage["bad"] for outage in found["outages"]] == [50]
    assert [round(silence["upper_s"]) for silence in found["silences"]] == [3]
    assert found["exactness"]["sent_late_s"] == 0.001
    assert found["selection"] == {"since": None, "until": None, "names": [], "statuses": []}


def test_a_name_alone_shows_the_outage_that_was_partial_as_a_whole_one(log: Path) -> None:
    found = measured(log, "--name", "GET /b*")
    (outage,) = found["outages"]
    assert (outage["runs"], outage["bad"]) == (1, 50)
    assert outage["perceived"]["lower_s"] == pytest.approx(1.96, abs=0.01)
    assert found["selection"]["names"] == ["GET /b*"]
    assert any("925 of 1,850 requests are measured" in warning for warning in found["warnings"])


@pytest.mark.parametrize("since", ["20s", "2026-11-28T22:00:20"])
def test_a_window_leaves_out_what_lies_before_and_after(log: Path, since: str) -> None:
    found = measured(log, "--since", since, "--until", "24s")
    assert (found["outages"], found["silences"]) == ([], [])
    assert found["generator"]["sent"] == 200
    assert found["selection"]["since"] == since


def test_answers_can_be_left_out(log: Path) -> None:
    assert measured(log, "--status", "!503")["outages"] == []


def test_people_read_of_silences_and_what_the_log_cannot_tell(log: Path) -> None:
    done = CliRunner().invoke(app, ["measure", str(log)])
    assert "silence at" in done.stdout
    assert "a server's own log" in done.stderr


def test_a_selection_without_any_request_is_refused(log: Path) -> None:
    done = CliRunner().invoke(app, ["measure", str(log), "--name", "POST*"])
    assert "no request is left by what was asked for: --name ['POST*']" in str(done.exception)
