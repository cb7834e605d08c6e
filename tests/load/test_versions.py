"""What must be the same at a master and its workers."""

from __future__ import annotations

from pathlib import Path

import pytest

from seatrial.load.versions import scenario_code, versions


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    for name, text in {"a.py": "x = 1\n", "b.py": "y = 2\n", "a-there.py": "x = 1\r\n"}.items():
        (tmp_path / name).write_bytes(text.encode())
    return [str(tmp_path / name) for name in ("a.py", "b.py", "a-there.py")]


def test_neither_places_nor_order_nor_ends_of_lines_make_another_scenario(files: list[str]) -> None:
    here, other, there = files
    assert hash_of(here, other) == hash_of(other, there)
    assert hash_of(here) != hash_of(other)
    assert hash_of(here) != hash_of(here, here)


def test_what_cannot_be_read_has_none(tmp_path: Path) -> None:
    (tmp_path / "latin.py").write_bytes(b"\xe9")
    assert hash_of(str(tmp_path / "latin.py")) == hash_of("/nowhere.py") == ""


def test_a_module_counts_by_its_name_and_its_text_wherever_it_lies(tmp_path: Path) -> None:
    text = "import json\nimport steps\nfrom shop import cart\n"
    for place, scenario in (("beside", "trials/home.py"), ("sent", "tmp/sent.py")):
        (tmp_path / place / scenario).parent.mkdir(parents=True)
        (tmp_path / place / scenario).write_text(text)
        (tmp_path / place / "shop").mkdir()
        for module in ("steps.py", "shop/__init__.py", "shop/cart.py"):
            (tmp_path / place / module).write_text("x = 1\n")
    here, there = (
        scenario_code([str(tmp_path / place / scenario)], tmp_path / place)
        for place, scenario in (("beside", "trials/home.py"), ("sent", "tmp/sent.py"))
    )
    assert here == there
    assert here.modules.keys() == {"steps", "shop", "shop.cart"}
    (tmp_path / "sent/shop/cart.py").write_text("x = 2\n")
    changed = scenario_code([str(tmp_path / "sent/tmp/sent.py")], tmp_path / "sent")
    assert here.other_modules(changed) == ["shop.cart"]


def hash_of(*files: str) -> str:
    return scenario_code(files, Path("/nowhere")).hash


def test_versions_are_for_people() -> None:
    assert versions().startswith("seatrial ")
    assert ", Locust 2" in versions()
    assert ", numpy " in versions()
