"""Files that a master brings to its workers, both sides of it, with a way between that loses things."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gevent
import pytest
import tests.support.unpatched_locust  # noqa: F401  # before gevent

from seatrial.disk import file_digest
from seatrial.load import shipping, supplies
from seatrial.load.options import LoadOptions
from seatrial.load.supplies import Pantry, Supplier, Supply, supplies_of

CONTENT = bytes(range(256)) * 40


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supplies, "_AGAIN_AFTER_S", 0.01)
    monkeypatch.setattr(shipping, "CHUNK", 1000)


@pytest.fixture
def pantry() -> Iterator[Pantry]:
    has = Pantry()
    yield has
    has.clear()


def supply(folder: Path, *, secret: bool = False) -> Supply:
    path = folder / "users.csv"
    path.write_bytes(CONTENT)
    return Supply("data", str(path), file_digest(path), len(CONTENT), secret)


class Way:
    """Between the two; `loses` says of each message, by its number, whether it gets lost."""

    def __init__(
        self, pantry: Pantry, *, hidden: bool = True, in_the_open: bool = False, loses: Callable[[int], bool]
    ) -> None:
        self.pantry = pantry
        self.hidden = hidden
        self.loses = loses
        self.said: list[dict[str, Any]] = []
        self.supplier = Supplier("web-2", self.say, in_the_open)

    def say(self, **said: Any) -> None:
        self.said.append(said)
        if self.loses(2 * len(self.said)):
            return
        answer = self.pantry.take({**said, "path": "/nowhere/users.csv"} if self.hidden else said)
        if not self.loses(2 * len(self.said) + 1):
            gevent.spawn(self.supplier.hear, answer)


def place(pantry: Pantry) -> Path:
    return Path(pantry.here({"data": "as the master says"})["data"])


@pytest.mark.parametrize("every", [0, 2, 3, 5])
def test_a_file_arrives_whole_whatever_gets_lost(tmp_path: Path, pantry: Pantry, every: int) -> None:
    way = Way(pantry, loses=lambda number: every > 0 and number % every == 0 and number < 20)
    way.supplier.bring([supply(tmp_path)])
    assert place(pantry).read_bytes() == CONTENT
    assert place(pantry).name == "users.csv"
    assert place(pantry).stat().st_mode & 0o077 == 0
    assert max(len(said["data"]) for said in way.said) <= 1100
    pantry.clear()
    assert not place(pantry).exists()


def test_a_file_that_is_there_is_not_brought(tmp_path: Path, pantry: Pantry) -> None:
    way = Way(pantry, hidden=False, in_the_open=True, loses=lambda _: False)
    way.supplier.bring([supply(tmp_path, secret=True)])
    assert [said["data"] for said in way.said] == [b""]
    assert place(pantry) == tmp_path / "users.csv"


def test_another_file_at_that_path_is_left_alone(tmp_path: Path, pantry: Pantry) -> None:
    wanted = supply(tmp_path)
    other = tmp_path / "other.csv"
    other.write_bytes(CONTENT[:-1] + b"x")
    answer = pantry.take(
        {"option": "data", "path": str(other), "sha256": wanted.sha256, "bytes": wanted.size, "offset": -1}
    )
    assert (answer["size"], answer["whole"]) == (0, False)


def test_secret_rows_are_not_sent_in_the_open(tmp_path: Path, pantry: Pantry) -> None:
    way = Way(pantry, in_the_open=True, loses=lambda _: False)
    with pytest.raises(ValueError, match=r"users\.csv has secret columns, worker web-2 has not the file"):
        way.supplier.bring([supply(tmp_path, secret=True)])
    assert not any(said["data"] for said in way.said)


def test_a_file_that_changes_meanwhile_is_refused(tmp_path: Path, pantry: Pantry) -> None:
    wanted = supply(tmp_path)
    way = Way(pantry, loses=lambda _: False)
    Path(wanted.path).write_bytes(CONTENT[::-1])
    with pytest.raises(ValueError, match=r"worker web-2: .*users\.csv: what came is not what was sent"):
        way.supplier.bring([wanted])
    Path(wanted.path).write_bytes(CONTENT)
    Way(pantry, loses=lambda _: False).supplier.bring([wanted])  # in the next test
    assert place(pantry).read_bytes() == CONTENT


def test_a_worker_that_takes_nothing_is_told(
    tmp_path: Path, pantry: Pantry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supplies, "_MOVES_WITHIN_S", 0.2)
    way = Way(pantry, loses=lambda _: True)
    with pytest.raises(ValueError, match=r"worker web-2 takes nothing of .*users\.csv"):
        way.supplier.bring([supply(tmp_path)])


def test_a_full_disk_there_is_told(tmp_path: Path, pantry: Pantry, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("seatrial.load.shipping.os.pwrite", full)
    with pytest.raises(ValueError, match=r"worker web-2: .*No space left on device"):
        Way(pantry, loses=lambda _: False).supplier.bring([supply(tmp_path)])


def test_which_files_a_test_needs(tmp_path: Path) -> None:
    wanted = supply(tmp_path, secret=True)
    assert supplies_of(LoadOptions.parse({"rate": "1/s"})) == []
    assert supplies_of(LoadOptions.parse({"data": wanted.path, "data_secret": "a"})) == [wanted]


def test_options_keep_what_names_no_file(pantry: Pantry) -> None:
    assert pantry.here({"data": "", "rate": "1/s"}) == {"data": "", "rate": "1/s"}
