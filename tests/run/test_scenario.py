"""A scenario is looked at without being run."""

from __future__ import annotations

from pathlib import Path

import pytest

from seatrial.model.problems import BadInput
from seatrial.run.scenario import require_scenario


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def told(content: bytes, name: str = "shop.py") -> str:
    path = Path(name).absolute()
    path.write_bytes(content)
    with pytest.raises(BadInput) as caught:
        require_scenario(path)
    (problem,) = caught.value.problems
    return str(problem)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"def home(self:\n    pass\n", "shop.py:1:9: not valid Python: '(' was never closed"),
        (
            b"x = 1\nif x:\n\ty = 1\n        z = 2\n",
            "shop.py:4:1: not valid Python: inconsistent use of tabs",
        ),
        (b"x = '\xff'\n", "shop.py:1:"),
        (b"x = 1\0", "shop.py: not valid Python: source code string cannot contain null bytes"),
        (b"(" * 5_000, "shop.py:1:201: not valid Python: too many nested parentheses"),
        (b"# coding: nonsense\n", "shop.py: not valid Python: unknown encoding: nonsense"),
    ],
)
def test_a_mistake_is_told_with_its_place(content: bytes, expected: str) -> None:
    assert told(content).startswith(expected)


def test_what_is_no_program_at_all_has_no_place_in_it() -> None:
    assert told(b"x: 1\n", "shop.yaml") == "shop.yaml is no locustfile: its name does not end with .py"
    with Path("large.py").open("wb") as large:
        large.truncate(10_000_000_000)
    with pytest.raises(BadInput, match=r"large\.py is larger than 4,000,000 bytes"):
        require_scenario(Path("large.py").absolute())


def test_nothing_of_it_is_executed_and_its_style_is_its_own_business() -> None:
    path = Path("shop.py").absolute()
    path.write_text("open('made', 'w')\nif 1 is 1: pass\nraise SystemExit(3)\n")
    require_scenario(path)
    assert not Path("made").exists()


def test_a_scenario_elsewhere_is_called_by_its_whole_path(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("elsewhere") / "shop.py"
    path.write_text("def\n")
    with pytest.raises(BadInput, match=rf"^{path}:1:4: not valid Python"):
        require_scenario(path)
