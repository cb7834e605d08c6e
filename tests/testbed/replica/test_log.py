"""The log keeps all or nothing of a batch, belongs to one region, and has one owner at a time."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from tests.support.regions import EPOCH_US, Region

from seatrial.model.problems import BadInput, Unavailable
from seatrial.testbed.replica.log import OperationLog
from seatrial.testbed.replica.operation import Intent, Kind, Operation


def operations(count: int, region: str = "east") -> list[Operation]:
    made = Region(region)
    for number in range(count):
        made.carry_out(Intent(Kind.COUNT, "acme", "n", number, f"{region}-{number}"), EPOCH_US + number)
    return made.history


def test_what_was_appended_is_there_after_reopening(tmp_path: Path) -> None:
    log = OperationLog(tmp_path, "east")
    log.append(operations(5), 1.0)
    log.append(operations(2, "west"), 2.0)
    log.close()
    again = OperationLog(tmp_path, "east")
    assert list(again.all()) == operations(5) + operations(2, "west")
    assert [json.loads(text)["number"] for text in again.since("east", 2, 2)] == [3, 4]
    assert [position for position, _ in again.page(4, 10)] == [5, 6, 7]
    assert again.find("west", "west-1") == operations(2, "west")[1]
    assert again.find("east", "west-1") is None
    assert again.recorded_unix_s("west", 2) == 2.0
    assert again.recorded_unix_s("west", 3) is None
    again.close()


def test_a_batch_that_fails_leaves_nothing(tmp_path: Path) -> None:
    log = OperationLog(tmp_path, "east")
    log.append(operations(3), 1.0)
    with pytest.raises(sqlite3.IntegrityError):
        log.append([*operations(5)[3:], operations(1)[0]], 2.0)
    assert list(log.all()) == operations(3)
    log.append(operations(4)[3:], 3.0)
    assert list(log.all()) == operations(4)
    log.close()


def test_a_log_of_another_region_is_refused(tmp_path: Path) -> None:
    OperationLog(tmp_path, "east").close()
    with pytest.raises(BadInput, match="log of the region east, not of west"):
        OperationLog(tmp_path, "west")
    OperationLog(tmp_path, "east").close()  # the refused one let go of it


def test_two_at_once_are_refused(tmp_path: Path) -> None:
    log = OperationLog(tmp_path, "east")
    with pytest.raises(Unavailable, match="another replica is at work"):
        OperationLog(tmp_path, "east")
    log.close()
