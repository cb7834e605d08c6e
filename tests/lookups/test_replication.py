"""PostgreSQL's own views are asked of a real server; one that hangs or is away is told as such."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest
from tests.support.postgres import Database, postgres

from seatrial.lookups.recorder import Looker
from seatrial.lookups.replication import Replication
from seatrial.model.looks import Look
from seatrial.model.problems import BadInput, Unavailable
from seatrial.model.replication import ServerSeen, StandbySeen
from seatrial.model.role import Role


def role(*urls: str, driver: str = "replication") -> Role:
    servers = {f"db-{number}": url for number, url in enumerate(urls, start=1)}
    return Role("replication", driver, {"servers": servers}, ("127.0.0.1",), ".")


def first(asked: Role) -> Looker[ServerSeen]:
    return Replication().lookers(asked)["db-1"]


def test_a_real_server_tells_how_far_it_has_written_and_a_stopped_one_keeps_nobody(tmp_path: Path) -> None:
    with postgres(tmp_path) as database:
        looker = first(role(database.url, database.url))
        try:
            one = looker.seen()
            assert one.primary
            assert one.lsn > 0
            assert one.standbys == ()
            _stop(database, signal.SIGSTOP)
            with pytest.raises(Unavailable, match=r"db-1: no answer within 1\.5 s"):
                looker.seen()
            _stop(database, signal.SIGCONT)
            assert looker.seen().lsn >= one.lsn  # by a new connection
        finally:
            looker.close()


def _stop(database: Database, number: signal.Signals) -> None:
    import psutil

    assert database.server is not None
    whole = psutil.Process(database.server.pid)
    for process in (whole, *whole.children(recursive=True)):
        process.send_signal(number)


def test_a_server_that_is_away_is_told_as_such() -> None:
    looker = first(role("postgresql://a:b@127.0.0.1:1/x", "postgresql://a:b@127.0.0.1:1/x"))
    try:
        with pytest.raises(Unavailable, match=r"db-1: .*refused"):
            looker.seen()
    finally:
        looker.close()


def test_what_cannot_be_asked_is_refused() -> None:
    with pytest.raises(BadInput, match="not to replication"):
        Replication().lookers(role("postgresql://a/b", driver="postgres"))
    with pytest.raises(BadInput, match="servers"):
        Replication().lookers(role("postgresql://a/b"))


def test_what_was_seen_is_kept() -> None:
    standby = StandbySeen("db-2", "sync", 0.002, 120)
    looks: dict[str, tuple[Look[ServerSeen], ...]] = {
        "db-1": (Look(1.0, 1.1, ServerSeen(True, 7, (standby,))), Look(2.0, 2.1, None, "away"))
    }
    kept = json.loads(Replication().evidence(looks))["db-1"]
    assert kept[0]["standbys"] == [
        {"name": "db-2", "sync": "sync", "replay_lag_s": 0.002, "behind_bytes": 120}
    ]
    assert kept[1]["error"] == "away"
