"""What a scenario needs on another machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from seatrial.load import carried as module
from seatrial.load.carried import carried
from seatrial.model.problems import BadInput


def written(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_a_scenario_comes_with_what_it_imports_from_here_and_with_nothing_else(tmp_path: Path) -> None:
    here, beside = tmp_path / "project", tmp_path / "project/load"
    scenario = written(beside / "shop.py", "import json, locust\nimport steps\nfrom shared import names\n")
    written(beside / "steps.py", "def later():\n    import more\n")
    written(beside / "more.py")
    written(here / "shared/__init__.py")
    written(here / "shared/names.py")
    written(here / "shared/unasked.py")
    written(here / "tool.py")
    found = carried([scenario], here)
    assert found.scenarios == ("load/shop.py",)
    assert found.files.keys() == {
        "load/shop.py", "load/steps.py", "load/more.py", "shared/__init__.py", "shared/names.py",
    }  # fmt: skip
    assert found.files["load/shop.py"] == scenario.read_bytes()


def test_scenarios_from_elsewhere_that_are_called_alike_are_kept_apart(tmp_path: Path) -> None:
    one = written(tmp_path / "one/shop.py", "import steps\n")
    other = written(tmp_path / "other/shop.py", "import steps\n")
    written(tmp_path / "one/steps.py", "1\n")
    written(tmp_path / "other/steps.py", "2\n")
    found = carried([one, other], written(tmp_path / "here/x").parent)
    assert found.scenarios == ("elsewhere-0/shop.py", "elsewhere-1/shop.py")
    assert found.files["elsewhere-0/steps.py"] == b"1\n"
    assert found.files["elsewhere-1/steps.py"] == b"2\n"


def test_more_than_a_scenario_is_not_brought(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_BYTES", 1 << 20)
    scenario = written(tmp_path / "shop.py", "import data\n")
    written(tmp_path / "data.py", "#" * (1 << 20))
    with pytest.raises(BadInput, match=r"shop\.py imports 1 MiB of files from here; install them"):
        carried([scenario], tmp_path)
