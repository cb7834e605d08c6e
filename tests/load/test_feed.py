"""Rows reach whoever serves the arrival, and nobody else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gevent
import pytest
import tests.support.unpatched_locust  # noqa: F401  # before Locust
from locust import HttpUser, TaskSet, User, task
from locust.contrib.fasthttp import FastHttpUser
from tests.support.driven import Driven, drive

from seatrial.load.dataset import DataSet
from seatrial.load.feed import Feed, NoRow, refuse_other_rows
from seatrial.load.offer import Share
from seatrial.load.user import OpenLoopUser, ProtocolUser
from seatrial.model.ownfailure import is_ours


def data(folder: Path, rows: int) -> DataSet:
    path = folder / "users.csv"
    path.write_text("".join(["id,name\n", *(f"{number},n{number}\n" for number in range(rows))]))
    return DataSet.read(path)


class Named(ProtocolUser):
    abstract = True

    @task
    def ask(self) -> None:
        with self.measure(self.row["id"]):
            pass


def test_every_arrival_has_the_next_row_warm_up_included(tmp_path: Path) -> None:
    class One(Named):
        weight = 2

    class Other(Named):
        pass

    driven = drive([One, Other], tmp_path, warmup="50ms", rows=data(tmp_path, 7))
    assert driven.names() == [str(arrival % 7) for arrival in range(30)]
    assert driven.scenario.errors == ()


def test_a_row_stays_for_the_whole_arrival_while_others_come_and_go(tmp_path: Path) -> None:
    seen: list[tuple[str, str]] = []

    class Traveller(ProtocolUser):
        @task
        def go(self) -> None:
            before = self.row["id"]
            gevent.sleep(0.012)
            seen.append((before, self.row["id"]))
            self.row["id"] = "spoiled"

    drive(Traveller, tmp_path, rows=data(tmp_path, 4))
    assert len(seen) == 20
    assert all(before == after for before, after in seen)
    assert sorted({before for before, _ in seen}) == ["0", "1", "2", "3"], "each is made anew"


@pytest.mark.parametrize("kind", [HttpUser, FastHttpUser, User, OpenLoopUser])
def test_users_of_every_class_have_it(kind: Any, tmp_path: Path) -> None:
    seen: list[str] = []

    class Inner(TaskSet):
        @task
        def look(self) -> None:
            seen.append(self.user.row["name"])  # type: ignore[attr-defined]

    class Somebody(kind):  # type: ignore[misc]
        host = "http://127.0.0.1:9"
        tasks = (Inner,)

        def on_start(self) -> None:
            assert self.row["id"]

    drive(Somebody, tmp_path, rows=data(tmp_path, 100))
    assert seen == [f"n{number}" for number in range(20)]
    assert "row" not in vars(User), "when the load is over all is as before"


def test_when_each_was_given_once_no_more_arrivals_are_sent_and_all_are_on_record(tmp_path: Path) -> None:
    class Asking(Named):
        pass

    driven = drive(Asking, tmp_path, rows=data(tmp_path, 12), data_order="unique")
    assert driven.names() == [*map(str, range(12)), *["ask"] * 8]
    assert set(driven.errors()[12:]) == {"dropped: users.csv has no row left: each of its 12 was given once"}
    assert all(map(is_ours, driven.errors()[12:]))
    assert (driven.audit.scheduled, driven.audit.dropped) == (20, 8)


def test_random_rows_follow_the_seed(tmp_path: Path) -> None:
    class Asking(Named):
        pass

    def names(seed: str) -> list[str]:
        driven: Driven = drive(Asking, tmp_path, rows=data(tmp_path, 1_000), data_order="random", seed=seed)
        return driven.names()

    assert names("1") == names("1") != names("2")


def test_workers_share_the_rows_without_asking_each_other(tmp_path: Path) -> None:
    rows = data(tmp_path, 10)
    feeds = [Feed(rows, "unique", 0, Share(index, 3)) for index in range(3)]
    taken = [feed.next_row() for _ in range(4) for feed in feeds]
    assert taken == [*range(10), None, None]


def test_without_data_a_scenario_that_asks_is_told_what_to_write(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Asking(Named):
        pass

    driven = drive(Asking, tmp_path)
    (error,) = driven.scenario.errors
    assert error.error == (
        "NoRow: self.row: no data was given; write load: {data: users.csv} in the experiment, "
        "or give Locust --data users.csv"
    )
    assert error.count == 20
    assert set(driven.errors()) == {"dropped: the scenario failed: NoRow"}
    assert "Traceback" not in caplog.text


def test_before_its_first_arrival_a_user_has_none(tmp_path: Path) -> None:
    class Hasty(Named):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given)
            assert not hasattr(self, "row")
            with pytest.raises(NoRow, match="from its first arrival on"):
                _ = self.row

    assert drive(Hasty, tmp_path, rows=data(tmp_path, 3)).scenario.errors == ()


def test_a_row_of_its_own_would_hide_that_of_the_data(tmp_path: Path) -> None:
    class Table(User):
        row = 3

    with pytest.raises(ValueError, match=r"^--data: Table\.row would hide the row of the data"):
        refuse_other_rows([Table])
    refuse_other_rows([Named])
