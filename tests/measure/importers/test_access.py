"""Access logs of nginx and Apache: what an instant in them is, and what follows for the bounds."""

from __future__ import annotations

from pathlib import Path

import pytest

from seatrial.measure import measure
from seatrial.measure.importers import Imported, Told, read
from seatrial.measure.importers.lined import name_of
from seatrial.model.problems import BadInput

COMMON = '10.0.0.1 - bob [10/Oct/2026:13:55:{s:02} +0200] "GET /a?b=1 HTTP/1.1" {status} 12'
BEHIND = ' "-" "curl \\"8\\""'


def imported(tmp_path: Path, text: str, log_format: str = "") -> Imported:
    path = tmp_path / "access.log"
    path.write_text(text)
    return read(path, told=Told(log_format=log_format))


def of(*statuses: int, behind: str = BEHIND) -> str:
    return "".join(COMMON.format(s=s, status=status) + behind + "\n" for s, status in enumerate(statuses))


@pytest.mark.parametrize("behind", ["", BEHIND, BEHIND + ' "10.1.1.1"'])
def test_a_common_line_may_tell_of_its_begin_or_of_its_end(tmp_path: Path, behind: str) -> None:
    found = imported(tmp_path, of(200, 503, 404, behind=behind))
    assert found.format == "access"
    assert found.log.sent.tolist() == found.log.ended.tolist() == [0.0, 1.0, 2.0]
    assert found.log.ok.tolist() == [True, False, True]
    assert (found.log.name.values, found.zero_unix_s) == (("GET /a",), 1791633300.0)
    assert (found.exact.begins, found.exact.ends, found.exact.sent_s) == (False, False, 1.0)
    assert sum("--log-format nginx or apache" in warning for warning in found.warnings) == 1


@pytest.mark.parametrize(("name", "begins", "ends"), [("nginx", False, True), ("apache", True, False)])
def test_whoever_wrote_it_may_be_told(tmp_path: Path, name: str, begins: bool, ends: bool) -> None:
    exact = imported(tmp_path, of(200, 200), name).exact
    assert (exact.begins, exact.ends) == (begins, ends)


def test_three_decimals_behind_a_line_are_how_long_nginx_says_it_took(tmp_path: Path) -> None:
    found = imported(tmp_path, of(200, 200, behind=BEHIND + " 0.250 0.100 ."))
    assert found.log.ended.tolist() == [0.25, 1.25]
    assert found.log.sent.tolist() == [0.0, 1.0]
    assert found.exact.took
    assert (found.exact.sent_early_s, found.exact.sent_late_s, found.exact.ended_late_s) == (
        0.001,
        1.001,
        1.0,
    )


def test_ten_digits_and_three_decimals_are_when_it_ended(tmp_path: Path) -> None:
    text = of(200, behind=BEHIND + " 1791633300.700 rt=0.250") + of(
        200, behind=BEHIND + " 1791633301.900 rt=0.100"
    )
    found = imported(tmp_path, text)
    assert found.log.ended.round(3).tolist() == [0.25, 1.45]
    assert found.exact.ended_late_s == 0.001


def test_a_bare_integer_behind_a_line_is_not_guessed_at(tmp_path: Path) -> None:
    assert not imported(tmp_path, of(200, behind=" 2500")).exact.took


@pytest.mark.parametrize(
    ("log_format", "text", "sent", "ended"),
    [
        ('%h %l %u %t "%r" %>s %b %D', COMMON.format(s=7, status=200) + " 2500", 0.0, 0.0025),
        ('%h %l %u %t "%r" %>s %b %{ms}T', COMMON.format(s=7, status=200) + " 25", 0.0, 0.025),
        ("%{msec}t %>s %m %U %D", "1791633300700 200 GET /a 1500", 0.0, 0.0015),
        ("%{end:usec}t %s %D %r", "1791633300700000 200 1500 GET /a HTTP/1.1", 0.0, 0.0015),
        ('[%{%d/%b/%Y:%T}t.%{msec_frac}t] "%r" %>s %D', '[10/Oct/2026:13:55:07.250] "GET /a H" 200 1000', 0.0, 0.001),
        ("$msec|$status|$request_time|$request", "1791633300.700|200|0.100|GET /a HTTP/1.1", 0.0, 0.1),
        (
            '{"at":"$time_iso8601","s":$status,"rt":$request_time,"r":"$request"}',
            '{"at":"2026-10-10T13:55:00+02:00","s":200,"rt":0.100,"r":"GET /a HTTP/1.1"}',
            0.0,
            0.1,
        ),
    ],
)  # fmt: skip
def test_a_format_string_says_where_things_stand(
    tmp_path: Path, log_format: str, text: str, sent: float, ended: float
) -> None:
    found = imported(tmp_path, text + "\n", log_format)
    assert found.log.sent.tolist() == [sent]
    assert found.log.ended.round(6).tolist() == [ended]
    assert (found.log.ok.tolist(), found.log.name.values) == ([True], ("GET /a",))
    assert found.exact.took


@pytest.mark.parametrize(
    ("log_format", "said"),
    [
        ("combined?", "has no variable of nginx .* or Apache .* and is none of nginx, apache"),
        ("$status $request", "has no instant"),
        ("%t %r", "has no \\$status or %>s"),
    ],
)
def test_a_format_string_that_does_not_tell_enough_is_refused(
    tmp_path: Path, log_format: str, said: str
) -> None:
    with pytest.raises(BadInput, match=said):
        imported(tmp_path, of(200), log_format)


def test_a_client_that_went_away_is_no_proof(tmp_path: Path) -> None:
    log = imported(tmp_path, of(200, 499, 502)).log
    assert log.ok.tolist() == [True, False, False]
    assert log.proven_bad(2.0).tolist() == [False, False, True]


@pytest.mark.parametrize(
    "wrong", ["Dear diary,", COMMON.format(s=1, status=200)[:50], COMMON.format(s=61, status=200)]
)
def test_a_wrong_line_is_named_by_its_number(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(BadInput, match=r"access\.log:3: "):
        imported(tmp_path, of(200, 200) + wrong + "\n" + of(200))


def test_an_outage_in_whole_seconds_is_bounded_by_what_they_hide(tmp_path: Path) -> None:
    """Good until 10.0 s and from 20.0 s on, ten requests a second, each 0.1 s long by nginx's clock."""
    lines = [
        COMMON.format(s=tenth // 10, status=503 if 100 <= tenth < 200 else 200) + f"{BEHIND} 0.000"
        for tenth in range(400)
    ]
    found = imported(tmp_path, "\n".join(lines) + "\n")
    (outage,) = measure(found.log, 2.0, 1.0, tells=found.tells, exact=found.exact).outages
    assert outage.perceived.lower_s == pytest.approx(7, abs=1.1)
    assert outage.perceived.lower_s <= 9.9
    assert 10.0 <= outage.perceived.upper_s <= 12.1


@pytest.mark.parametrize(
    ("request_", "name"),
    [
        ("GET /orders/17?x=1 HTTP/1.1", "GET /orders/*"),
        ("GET /o/9f8e7d6c-0000-4000-8000-1234567890ab/items HTTP/2.0", "GET /o/*/items"),
        ("GET /v2/orders HTTP/1.1", "GET /v2/orders"),
        ("-", "-"),
        ("", ""),
    ],
)
def test_a_name_is_the_kind_of_request(request_: str, name: str) -> None:
    assert name_of(request_) == name
