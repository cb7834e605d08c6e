"""The reader of logs, on lines that a real failover left."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.lookups.failover import _sign, signs_of_failover
from seatrial.model.failover import What
from seatrial.model.problems import BadInput
from seatrial.model.role import Role

ZERO = datetime(2026, 11, 24, 11, 25, tzinfo=UTC).timestamp()
FORMER = """\
2026-11-24 11:25:01,456 INFO: no action. I am (db-1), the leader with the lock
2026-11-24 11:25:02.271 UTC [25106] FATAL:  terminating connection due to unexpected postmaster exit
2026-11-24 11:25:02,376 ERROR: get_postgresql_status
Traceback (most recent call last):
psycopg.errors.AdminShutdown: terminating connection due to unexpected postmaster exit
2026-11-24 11:25:02,446 WARNING: Postgresql is not running.
2026-11-24 11:25:02,454 INFO: Primary crashed. Failing over.
"""
NEW = """\
2026-11-24 11:24:00.520 UTC [25277] LOG:  database system is ready to accept read-only connections
2026-11-24 11:25:02,462 INFO: no action. I am (db-2), a secondary, and following a leader (db-1)
2026-11-24 11:25:02,486 INFO: promoted self to leader by acquiring session lock
server promoting
2026-11-24 11:25:02.488 UTC [25285] LOG:  received promote request
2026-11-24 11:25:02.497 UTC [25285] LOG:  selected new timeline ID: 2
2026-11-24 11:25:02.528 UTC [25277] LOG:  database system is ready to accept connections
"""
PROXY = """\
[WARNING]  (25000) : Server primary/db-2 is UP, reason: Layer7 check passed, code: 200, check duration: 1ms.
2026-11-24T11:25:02.532350+00:00 Server primary/db-2 is UP, reason: Layer7 check passed, code: 200.
2026-11-24T11:25:02.672350+00:00 Server primary/db-1 is DOWN, reason: Layer7 wrong status, code: 503.
2026-11-24T12:25:55.433020+00:00 Server primary/db-1 is UP, reason: Layer7 check passed, code: 200.
"""


@pytest.fixture
def role(tmp_path: Path) -> Role:
    for name, text in (("db-1", FORMER), ("db-2", NEW), ("east.db-proxy", PROXY)):
        (tmp_path / f"{name}.log").write_text(text)
    members = {name: {"postmaster": "x", "log": f"{name}.log"} for name in ("db-1", "db-2", "db-3")}
    parameters = {"url": "http://127.0.0.1:1", "members": members, "proxies": ["east.db-proxy.log"]}
    return Role("database.primary", "patroni", parameters, ("127.0.0.0/8",), str(tmp_path))


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> None:
    """Patroni writes local time."""
    monkeypatch.setenv("TZ", "UTC")


def test_signs_come_in_the_order_of_their_instants_whoever_logged_them(role: Role) -> None:
    signs = signs_of_failover(role, ZERO, 0, 60)
    assert [(round(one.at_s, 6), one.what, one.about, one.source) for one in signs] == [
        (2.446, What.NOTICED, "db-1", "db-1"),
        (2.454, What.NOTICED, "db-1", "db-1"),
        (2.486, What.LEADS, "db-2", "db-2"),
        (2.528, What.WRITABLE, "db-2", "db-2"),
        (2.53235, What.ROUTED, "db-2", "east.db-proxy"),
        (2.67235, What.NOTICED, "db-1", "east.db-proxy"),
    ]
    assert signs[0].line == "2026-11-24 11:25:02,446 WARNING: Postgresql is not running."


def test_what_was_logged_before_and_after_is_left_out(role: Role) -> None:
    assert [one.what for one in signs_of_failover(role, ZERO, 2.46, 2.5)] == [What.LEADS]


def test_a_target_that_tells_of_no_logs_says_nothing(tmp_path: Path) -> None:
    role = Role(
        "db", "patroni", {"url": "http://x", "members": {"a": {"postmaster": "x"}}}, (), str(tmp_path)
    )
    assert signs_of_failover(role, ZERO, 0, 60) == ()


def test_a_wrong_binding_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="proxies"):
        signs_of_failover(Role("db", "patroni", {"proxies": 7}, (), str(tmp_path)), ZERO, 0, 60)


@given(
    stamp=st.from_regex(
        r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d[.,]\d{3,6}(Z|[+-]\d\d:\d\d)?( UTC \[)?", fullmatch=True
    ),
    rest=st.text(max_size=20),
)
def test_what_looks_like_an_instant_and_is_none_says_nothing(stamp: str, rest: str) -> None:
    sign = _sign(f"{stamp} promoted self to leader {rest}", "db-1", "db-1", ZERO)
    assert sign is None or sign.what is What.LEADS


def test_a_thirtieth_of_february_is_no_instant() -> None:
    assert _sign("2026-02-30 11:25:02,486 INFO: promoted self to leader", "db-1", "db-1", ZERO) is None
    assert _sign("2026-02-28 11:25:02,486 INFO: promoted self to leader", "db-1", "db-1", ZERO) is not None
