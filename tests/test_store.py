"""The run database: what it refuses, what it keeps together, and what it survives."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.support.postgres_server import postgres
from tests.support.results import result

from seatrial.home import seatrial_home
from seatrial.model import secrets
from seatrial.model.problems import BadInput, Unavailable
from seatrial.model.verdict import Verdict
from seatrial.store import (
    Claim,
    MessageState,
    Occurrence,
    OccurrenceEnding,
    OccurrenceState,
    OutboxMessage,
    Store,
    default_url,
)
from seatrial.store.schema import SCHEMA_VERSION, metadata, schema_version

NOW = datetime(2026, 3, 1, 2, 30, tzinfo=UTC)
LEASE = timedelta(seconds=30)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real PostgreSQL."""
    with postgres(tmp_path_factory.mktemp("postgres")) as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.e2e)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Both kinds of database must behave alike."""
    if request.param == "sqlite":
        with Store(f"sqlite:///{tmp_path}/state/seatrial.sqlite") as opened:
            yield opened
        return
    with Store(request.getfixturevalue("server")) as opened:
        yield opened
        with opened.database.writing() as connection:
            metadata.drop_all(connection)


def message(number: int, key: str = "k", kind: str = "trigger", sink: str = "pagerduty") -> OutboxMessage:
    return OutboxMessage(f"m{number}", sink, kind, key, key, "{}")


def test_a_run_and_its_messages_are_recorded_together_and_once(store: Store) -> None:
    assert store.record(result(), [message(1)], NOW)
    assert not store.record(result(), [message(2)], NOW)
    assert [each.message.id for each in store.outbox.messages()] == ["m1"]
    recorded = store.runs.get("database-crash-0001")
    assert recorded is not None
    assert (recorded.verdict, recorded.result["objectives"][0]["upper"]) == (Verdict.FAIL, 7.6)


def test_when_a_message_cannot_be_written_neither_is_the_run(store: Store) -> None:
    broken = OutboxMessage("m", "pagerduty", "trigger", "k", "k", body=None)  # type: ignore[arg-type]
    with pytest.raises(sa.exc.IntegrityError):
        store.record(result(), [message(1), broken], NOW)
    assert store.runs.newest() == []
    assert store.outbox.messages() == []


def test_unknown_neither_counts_as_a_failure_nor_ends_the_row(store: Store) -> None:
    verdicts = [Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN, Verdict.FAIL]
    for number, verdict in enumerate(verdicts):
        store.record(result(verdict, number), [], NOW)
    assert store.runs.consecutive_failures("testbed", "database-crash") == 2
    assert store.runs.consecutive_failures("elsewhere", "database-crash") == 0
    store.record(result(Verdict.PASS, 9), [], NOW)
    assert store.runs.consecutive_failures("testbed", "database-crash") == 0
    first, last_pass = store.runs.first_and_last_pass()[("database-crash", "testbed")]
    assert last_pass is not None
    assert last_pass - first == timedelta(hours=9)
    assert [run.run for run in store.runs.latest_of_each()] == ["database-crash-0009"]


def test_messages_of_one_incident_wait_for_each_other_and_others_do_not(store: Store) -> None:
    store.outbox.enqueue([message(1, "a"), message(2, "a", "resolve"), message(3, "b")], NOW)
    first = store.outbox.claim(["pagerduty"], NOW, LEASE)
    second = store.outbox.claim(["pagerduty"], NOW, LEASE)
    assert first is not None
    assert second is not None
    assert [first.message.id, second.message.id] == ["m1", "m3"]
    assert store.outbox.claim(["pagerduty"], NOW, LEASE) is None
    store.outbox.sent(first.number, NOW)
    third = store.outbox.claim(["pagerduty"], NOW, LEASE)
    assert third is not None
    assert third.message.id == "m2"


def test_a_dead_workers_message_is_claimed_again_after_its_lease(store: Store) -> None:
    store.outbox.enqueue([message(1)], NOW)
    assert store.outbox.claim(["pagerduty"], NOW, LEASE)
    assert store.outbox.claim(["pagerduty"], NOW + LEASE / 2, LEASE) is None
    again = store.outbox.claim(["pagerduty"], NOW + LEASE, LEASE)
    assert again is not None
    assert again.attempts == 2


def test_a_clock_that_jumped_back_does_not_hold_messages_for_days(store: Store) -> None:
    tomorrow = NOW + timedelta(days=1)
    store.outbox.enqueue([message(1)], tomorrow)
    assert store.outbox.claim(["pagerduty"], NOW, LEASE) is not None


def test_a_worker_stopped_beyond_its_lease_cannot_undo_what_another_did(store: Store) -> None:
    store.outbox.enqueue([message(1)], NOW)
    claimed = store.outbox.claim(["pagerduty"], NOW, LEASE)
    assert claimed is not None
    store.outbox.sent(claimed.number, NOW)
    store.outbox.park(claimed.number, "too late")
    assert store.outbox.messages()[0].state is MessageState.SENT


def test_pruning_keeps_what_is_open(store: Store) -> None:
    store.outbox.enqueue([message(1, "closed"), message(2, "open"), message(3, "closed", "resolve")], NOW)
    while (claimed := store.outbox.claim(["pagerduty"], NOW, LEASE)) is not None:
        store.outbox.sent(claimed.number, NOW)
    assert store.outbox.prune(NOW + LEASE) == 2
    assert [each.message.dedup_key for each in store.outbox.messages()] == ["open"]


def occurrence(hour: int = 0, schedule: str = "monthly", target: str = "testbed") -> Occurrence:
    planned = NOW + timedelta(hours=hour)
    return Occurrence(schedule, planned, planned, target)


def test_an_occurrence_is_claimed_once_and_a_target_runs_one_at_a_time(store: Store) -> None:
    claims = store.occurrences
    assert claims.claim(occurrence(), "one", "daemon a", NOW) is Claim.WON
    assert claims.claim(occurrence(), "two", "daemon b", NOW) is Claim.TAKEN
    assert claims.claim(occurrence(1), "three", "daemon b", NOW) is Claim.BUSY
    assert claims.claim(occurrence(1, target="other"), "four", "daemon b", NOW) is Claim.WON
    assert claims.finish("one", OccurrenceEnding(OccurrenceState.RUN, "r", "pass"), NOW)
    assert claims.claim(occurrence(2), "five", "daemon b", NOW) is Claim.WON
    assert claims.claim(occurrence(), "six", "daemon b", NOW) is Claim.TAKEN


def test_asking_again_after_a_lost_answer_has_won(store: Store) -> None:
    assert store.occurrences.claim(occurrence(), "one", "a", NOW) is Claim.WON
    assert store.occurrences.claim(occurrence(), "one", "a", NOW) is Claim.WON
    store.occurrences.finish("one", OccurrenceEnding(OccurrenceState.RUN), NOW)
    assert store.occurrences.claim(occurrence(), "one", "a", NOW) is Claim.TAKEN


def test_only_a_beat_that_stands_still_is_interrupted(store: Store) -> None:
    claims = store.occurrences
    claims.claim(occurrence(), "one", "a", NOW)
    (seen,) = claims.running()
    assert claims.heartbeat(["one", "unknown"]) == {"one"}
    assert not claims.interrupt(seen, "silent", NOW, [message(1)])
    (seen,) = claims.running()
    assert claims.interrupt(seen, "silent", NOW, [message(1)])
    assert not claims.interrupt(seen, "silent", NOW, [message(2)])
    assert claims.heartbeat(["one"]) == set()
    assert [each.message.id for each in store.outbox.messages()] == ["m1"]


def test_an_owner_that_was_only_silent_may_correct_interrupted_to_run(store: Store) -> None:
    claims = store.occurrences
    claims.claim(occurrence(), "one", "a", NOW)
    claims.interrupt(claims.running()[0], "silent", NOW)
    assert not claims.finish("one", OccurrenceEnding(OccurrenceState.INTERRUPTED), NOW)
    assert claims.finish("one", OccurrenceEnding(OccurrenceState.RUN, "r", "pass"), NOW)
    assert claims.counts() == {("monthly", OccurrenceState.RUN): 1}


def test_a_missed_occurrence_and_its_page_are_recorded_once(store: Store) -> None:
    missed = OccurrenceEnding(OccurrenceState.MISSED, detail="no daemon was running")
    assert store.occurrences.close(occurrence(), missed, NOW, [message(1)])
    assert not store.occurrences.close(occurrence(), missed, NOW, [message(2)])
    assert len(store.outbox.messages()) == 1


def test_occurrences_since_the_last_pass(store: Store) -> None:
    def ended(hour: int, state: OccurrenceState, verdict: str = "", schedule: str = "monthly") -> None:
        claim = f"{schedule} {hour}"
        store.occurrences.claim(occurrence(hour, schedule=schedule), claim, "a", NOW)
        store.occurrences.finish(claim, OccurrenceEnding(state, "r", verdict), NOW)

    assert store.occurrences.since_pass() == {}
    ended(0, OccurrenceState.RUN, "unknown")
    ended(1, OccurrenceState.RUN, "pass")
    assert store.occurrences.since_pass() == {"monthly": 0}
    ended(2, OccurrenceState.RUN, "fail")
    ended(3, OccurrenceState.INTERRUPTED)
    store.occurrences.close(occurrence(4), OccurrenceEnding(OccurrenceState.MISSED), NOW)
    store.occurrences.close(occurrence(5), OccurrenceEnding(OccurrenceState.SKIPPED), NOW)
    ended(0, OccurrenceState.RUN, "unknown", "weekly")
    store.occurrences.claim(occurrence(6), "runs now", "a", NOW)
    assert store.occurrences.since_pass() == {"monthly": 3, "weekly": 1}


def test_the_cursor_never_goes_back(store: Store) -> None:
    assert store.occurrences.register("monthly", NOW) == NOW
    store.occurrences.accounted("monthly", NOW + LEASE)
    store.occurrences.accounted("monthly", NOW)
    assert store.occurrences.register("monthly", NOW + timedelta(days=9)) == NOW + LEASE


def test_many_threads_and_connections_share_one_file(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/s.sqlite"
    won: list[int] = []

    def contend(number: int) -> None:
        with Store(url) as store:  # creating the tables is a race too
            for hour in range(5):
                if store.occurrences.claim(occurrence(hour), f"{number}/{hour}", "d", NOW) is Claim.WON:
                    won.append(hour)
                    store.occurrences.finish(f"{number}/{hour}", OccurrenceEnding(OccurrenceState.RUN), NOW)

    threads = [threading.Thread(target=contend, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(won) == len(set(won))
    assert won


def test_a_newer_database_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/s.sqlite"
    with Store(url) as store, store.database.writing() as connection:
        connection.execute(sa.insert(schema_version).values(version=SCHEMA_VERSION + 1))
    with pytest.raises(BadInput, match="newer seatrial"):
        Store(url)


def test_a_database_that_is_away_is_unavailable_and_its_password_stays_secret() -> None:
    with pytest.raises(Unavailable, match="does not answer") as caught:
        Store("postgresql://sre:hush@127.0.0.1:9/seatrial")
    assert "hush" not in str(caught.value)


@pytest.mark.e2e
def test_connections_that_the_server_ends_are_replaced(server: str) -> None:
    with Store(server) as store, Store(server) as other:
        assert store.record(result(), [message(1)], NOW)
        with other.database.writing() as connection:
            others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
            connection.exec_driver_sql(f"{others} AND backend_type = 'client backend'")
        assert store.runs.get("database-crash-0001") is not None
        with pytest.raises(Unavailable, match="does not answer"), store.database.writing() as connection:
            connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")
        assert store.outbox.claim(["pagerduty"], NOW, LEASE) is not None
        with store.database.writing() as connection:
            metadata.drop_all(connection)


@pytest.mark.parametrize("url", ["nonsense", "mysql://root@127.0.0.1/x"])
def test_an_address_that_makes_no_sense_is_bad_input(url: str) -> None:
    with pytest.raises(BadInput, match="SEATRIAL_DATABASE"):
        Store(url)


def test_where_it_lives(tmp_path: Path) -> None:
    assert seatrial_home({"SEATRIAL_HOME": str(tmp_path)}) == tmp_path
    assert default_url({"SEATRIAL_HOME": str(tmp_path)}) == f"sqlite:///{tmp_path}/seatrial.sqlite"
    assert default_url({"SEATRIAL_DATABASE": "postgresql://h/d"}) == "postgresql://h/d"


def test_a_naive_instant_is_refused(store: Store) -> None:
    with pytest.raises(sa.exc.StatementError, match="without a time zone"):
        store.occurrences.register("monthly", datetime(2026, 3, 1))  # noqa: DTZ001  # that is the point


TOKEN = "s3cret-T0ken"


def test_nothing_is_recorded_with_a_secret_in_it(store: Store) -> None:
    secrets.remember(TOKEN, "${TOKEN}")
    told = replace(result(), reasons=(f"HTTP 500: {TOKEN}",))
    store.record(told, [message(1), message(2, key="other")], NOW)
    assert store.runs.newest()[0].result["reasons"] == ["HTTP 500: ${TOKEN}"]
    for settle in (store.outbox.put_off, store.outbox.park):
        claimed = store.outbox.claim(["pagerduty"], NOW, LEASE)
        assert claimed is not None
        reason = "x" * 490 + TOKEN  # it would be cut off in the middle, where nobody recognises it
        settle(
            *(
                (claimed.number, NOW + LEASE, reason)
                if settle == store.outbox.put_off
                else (claimed.number, reason)
            )
        )
    for kept in store.outbox.messages():
        assert kept.last_error == "x" * 490 + "${TOKEN}"


def test_a_database_file_is_its_owners_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with Store(f"sqlite:///{tmp_path}/state/seatrial.sqlite") as store:
            store.record(result(), [], NOW)
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "state").iterdir()}
    finally:
        os.umask(before)
    assert modes == dict.fromkeys(("seatrial.sqlite", "seatrial.sqlite-wal", "seatrial.sqlite-shm"), 0o600)
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
