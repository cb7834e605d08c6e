"""HAProxy's HTTP log: what is a request, which one is good, and when it was."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from seatrial.measure import measure
from seatrial.measure.importers import Imported, read
from seatrial.model.problems import BadInput

LINE = '10.0.0.1:33317 [06/Feb/2026:12:14:{at}] web~ app/{server} 10/0/30/69/{took} {status} 2750 - - {ending} 1/1/1/1/0 0/0 {{1wt.eu|x}} {{}} "{request}"\n'


def line(
    at: str = "14.655",
    took: str = "109",
    status: int = 200,
    ending: str = "----",
    request: str = "GET /orders/17?full=1 HTTP/1.1",
    server: str = "a",
) -> str:
    return LINE.format(at=at, took=took, status=status, ending=ending, request=request, server=server)


def imported(tmp_path: Path, *lines: str) -> Imported:
    path = tmp_path / "haproxy.log"
    path.write_text("".join(lines))
    return read(path)


def test_a_line_says_when_a_request_came_how_long_it_took_and_who_answered(tmp_path: Path) -> None:
    found = imported(tmp_path, line(), line("15.655", "1000", 404))
    log = found.log
    assert found.format == "haproxy"
    assert log.sent.tolist() == [0.0, 1.0]
    assert log.ended.round(6).tolist() == [0.109, 2.0]
    assert (log.ok.tolist(), log.status.tolist()) == ([True, True], [200, 404])
    assert (log.name.texts()[0], log.served_by.texts()[0]) == ("GET /orders/*", "app/a")
    assert found.exact.sent_s == 0.001
    assert found.zero_unix_s == 1770380054.655
    assert not found.zoned
    assert any("time zone" in warning for warning in found.warnings)


@pytest.mark.parametrize(
    "prefix",
    [
        "",
        "Feb  6 12:14:14 lb haproxy[14389]: ",
        "<134>Feb  6 12:14:14 haproxy[14389]: ",
        "<134>1 2026-02-06T12:14:14+01:00 lb haproxy 14389 - - ",
        "2026-02-06T12:14:14.655+01:00 lb haproxy[14389]: ",
    ],
)
def test_what_syslog_puts_before_a_line_does_not_matter(tmp_path: Path, prefix: str) -> None:
    assert len(imported(tmp_path, prefix + line(), prefix + line("15.000")).log) == 2


@pytest.mark.parametrize(
    ("status", "ending", "ok", "proof"),
    [
        (200, "----", True, False),
        (301, "LR--", True, False),
        (404, "----", True, False),
        (403, "PR--", True, False),
        (503, "SC--", False, True),
        (504, "sH--", False, True),
        (200, "SD--", False, True),
        (-1, "PC--", False, True),
        (-1, "CH--", False, False),
        (408, "cH--", False, False),
        (200, "CD--", True, False),
        (502, "CD--", False, False),
    ],
)
def test_who_ended_it_tells_whether_a_failure_is_proof(
    tmp_path: Path, status: int, ending: str, ok: bool, proof: bool
) -> None:
    log = imported(tmp_path, line(status=status, ending=ending)).log
    assert (bool(log.ok[0]), bool(log.proven_bad(2.0)[0])) == (ok, proof)


def test_zones_are_each_taken_as_they_are(tmp_path: Path) -> None:
    found = imported(tmp_path, line("14 +0100"), line("15 +0200"), line("16 +0100"))
    assert sorted(found.log.sent.tolist()) == [0.0, 3599.0, 3601.0]
    assert (found.zoned, found.exact.sent_s) == (True, 1.0)
    with pytest.raises(BadInput, match="some dates have a time zone and some have none"):
        imported(tmp_path, line("14 +0100"), line())


def test_what_is_no_request_is_left_out_and_counted(tmp_path: Path) -> None:
    found = imported(
        tmp_path,
        "Feb  6 12:14:14 lb haproxy[1]: Proxy web started.\n",
        line(),
        "Feb  6 12:14:14 lb haproxy[1]: Server app/a is DOWN, reason: Layer4 connection problem.\n",
        "Feb  6 12:14:14 lb sshd[9]: Accepted publickey for root\n",
        "10.0.0.1:1 [06/Feb/2026:12:14:14.655] web~/1: SSL handshake failure\n",
        line(status=408, ending="cR--", request="<BADREQ>"),
        "\n",
    )
    assert len(found.log) == 1
    for said in (
        "2 lines about HAProxy itself",
        "1 lines of other programs",
        "1 requests that were never whole",
        "1 connections",
    ):
        assert any(warning.startswith(said) for warning in found.warnings), said


def test_a_request_logged_before_it_was_over_is_told(tmp_path: Path) -> None:
    assert any("logasap" in warning for warning in imported(tmp_path, line(took="+109")).warnings)


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("Dear diary,\n", "haproxy.log:2: is no line of HAProxy's HTTP log .*Dear diary"),
        (line()[:60] + "\n", "haproxy.log:2: is no line of HAProxy's HTTP log"),
        (line().replace("06/Feb", "32/Feb"), "haproxy.log:2: "),
        (line().replace("06/Feb", "06/Xyz"), "haproxy.log:2: .*is no date"),
        ("10.0.0.1:1 [06/Feb/2026:12:14:14.655] web app/a 10/0/30 27 -- 1/1/1/1/0 0/0\n", "option httplog"),
    ],
)
def test_a_wrong_line_is_named_by_its_number(tmp_path: Path, broken: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        imported(tmp_path, line(), broken)


def test_a_server_that_was_down_is_a_silence(tmp_path: Path) -> None:
    lines = [line(f"{at // 10:02}.{at % 10}00", "5") for at in range(600) if not 200 <= at < 240]
    path = tmp_path / "haproxy.log.gz"
    path.write_bytes(gzip.compress("".join(lines).encode()))
    found = read(path)
    measured = measure(found.log, 2.0, 1.0, tells=found.tells, exact=found.exact)
    (silence,) = measured.silences
    assert measured.outages == ()
    assert 4.0 <= silence.upper_s <= 4.2
