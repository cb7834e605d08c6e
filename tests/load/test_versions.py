"""What must be the same at a master and its workers."""

from __future__ import annotations

from pathlib import Path

import pytest

from seatrial.load.versions import scenario_hash, versions


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    for name, text in {"a.py": "x = 1\n", "b.py": "y = 2\n", "a-there.py": "x = 1\r\n"}.items():
        (tmp_path / name).write_bytes(text.encode())
    return [str(tmp_path / name) for name in ("a.py", "b.py", "a-there.py")]


def test_neither_places_nor_order_nor_ends_of_lines_make_another_scenario(files: list[str]) -> None:
    here, other, there = files
    assert scenario_hash([here, other]) == scenario_hash([other, there])
    assert scenario_hash([here]) != scenario_hash([other])
    assert scenario_hash([here]) != scenario_hash([here, here])


def test_what_cannot_be_read_has_none(tmp_path: Path) -> None:
    (tmp_path / "latin.py").write_bytes(b"\xe9")
    assert scenario_hash([str(tmp_path / "latin.py")]) == scenario_hash(["/nowhere.py"]) == ""


def test_versions_are_for_people() -> None:
    assert versions().startswith("seatrial ")
    assert ", Locust 2" in versions()
