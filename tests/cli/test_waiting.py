"""What a person is told while a command works."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from tests.support.waiting import wait_until

from seatrial.cli import waiting
from seatrial.cli.waiting import Outlook, Waiting
from seatrial.measure.importers.compressed import compression_of, followed, opened


@given(st.floats(0.1, 1e5), st.floats(0.1, 1e5))
def test_a_steady_work_is_told_the_time_that_it_still_takes(elapsed_s: float, whole_s: float) -> None:
    share = min(elapsed_s / whole_s, 1.0)
    left_s = Outlook(elapsed_s, share).left_s
    if share < 0.02:
        assert left_s is None
    else:
        assert left_s == pytest.approx(max(whole_s - elapsed_s, 0.0), rel=1e-6, abs=1e-6 * elapsed_s)


@pytest.mark.parametrize(
    ("elapsed_s", "share", "text"),
    [
        (3.0, None, "3 s so far"),
        (3.0, 0.01, "1%"),
        (3.0, 0.25, "25%, about 9 s left"),
        (600.0, 0.05, "5%, about 3 h 10 min left"),
        (7.0, 1.5, "100%"),
    ],
)
def test_an_outlook_in_words(elapsed_s: float, share: float | None, text: str) -> None:
    assert str(Outlook(elapsed_s, share)) == text


def test_what_is_usual_stands_in_for_what_nobody_counts_until_it_is_over() -> None:
    now = [0.0]
    work = Waiting("it", usual_s=8.0, clock=lambda: now[0])
    now[0] = 2.0
    assert str(work.outlook) == "25%, about 6 s left"
    now[0] = 9.0
    assert str(work.outlook) == "9 s so far"


def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "_SILENT_S", 0.0)
    monkeypatch.setattr(waiting, "_FIRST_LINE_S", 0.0)


def test_beyond_a_terminal_it_is_a_line_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    at_once(monkeypatch)
    heard = ""
    work = Waiting("reading k6.json")
    work.at(1, 2)
    with work:

        def told() -> bool:
            nonlocal heard
            heard += capsys.readouterr().err
            return bool(heard)

        wait_until(told)
    assert heard.startswith("reading k6.json: 50%, about ")


def test_on_a_terminal_it_is_drawn_and_gone_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    at_once(monkeypatch)
    screen = io.StringIO()
    monkeypatch.setattr(waiting, "err", Console(file=screen, force_terminal=True, width=100))
    with Waiting("reading k6.json") as work:
        work.at(1, 2)
        wait_until(lambda: "50%" in screen.getvalue())
    assert screen.getvalue().endswith("\x1b[2K"), "the line is erased"


def test_what_is_over_soon_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with Waiting("reading"):
        pass
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("packed", [False, True])
def test_how_far_a_log_is_read_is_told_in_bytes_of_its_file(tmp_path: Path, packed: bool) -> None:
    lines = b"".join(json.dumps({"n": n}).encode() + b"\n" for n in range(60_000))
    path = tmp_path / "log"
    path.write_bytes(gzip.compress(lines, 1) if packed else lines)
    told: list[tuple[int, int]] = []
    with (
        followed(lambda done, of: told.append((done, of))),
        opened(path, compression_of(path.read_bytes())) as log,
    ):
        assert b"".join(log) == lines
    size = path.stat().st_size
    assert {of for _, of in told} == {size}
    assert len(told) > 1
    assert told[-1][0] == size
    assert [done for done, _ in told] == sorted(done for done, _ in told)
