"""The report of any request log, and what a reader of it must know."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from seatrial.cli.main import app

COMMON = '10.0.0.1 - - [10/Oct/2026:13:{m:02}:{s:02} +0200] "GET /<i9>/{n} HTTP/1.1" {status} 12 "-" "curl/8"'


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Twenty requests a second; 503 for ten seconds, and later nothing for five."""
    monkeypatch.chdir(tmp_path)
    lines = [
        COMMON.format(m=n // 1200, s=n // 20 % 60, n=n, status=503 if 400 <= n < 600 else 200)
        for n in range(2000)
        if not 1200 <= n < 1300
    ]
    path = tmp_path / "access.log"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize("behind", ["", " 0.004"])
def test_a_log_s_report_has_its_bounds_its_silences_and_what_it_cannot_tell(log: Path, behind: str) -> None:
    log.write_text("".join(f"{line}{behind}\n" for line in log.read_text().splitlines()))
    done = CliRunner().invoke(app, ["report", "--from", "access.log", "--status", "!404"])
    assert done.exit_code == 0, done.output
    page = Path("access.log.html").read_text()
    assert "Nothing was promised" in page
    assert "Sign-off" not in page
    assert ("does not tell how long requests took, so there is no latency" in page) == (not behind)
    assert "silent from" in page
    assert "--status" in page
    assert "whole seconds" in page
    assert "<i9>" not in page


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["log", "access.log", "--to", "no/such/place.html"], "cannot be written"),
        (["--from", "access.log", "--since", "9h"], "no request is left"),
        (["--from=nowhere.log"], "cannot be read"),
    ],
)
def test_what_cannot_be_reported_is_a_line(log: Path, arguments: list[str], said: str) -> None:
    done = CliRunner().invoke(app, ["report", *arguments])
    assert log.exists()
    assert said in str(done.exception)
