"""What a program imports is found without running it."""

from __future__ import annotations

from pathlib import Path

from seatrial.imports import imported


def test_modules_from_beside_it_and_from_here_and_what_they_import_in_their_turn(tmp_path: Path) -> None:
    beside, here = tmp_path / "load", tmp_path / "here"
    for place in (beside, here):
        place.mkdir()
    program = beside / "shop.py"
    program.write_text("import json, locust, steps\nraise SystemExit('it was run')\n")
    (beside / "steps.py").write_text("def later():\n    import names\n")
    (here / "names.py").write_text("")
    (here / "unasked.py").write_text("")
    assert sorted(imported(program, here)) == [here / "names.py", beside / "steps.py"]


def test_what_is_no_python_imports_nothing(tmp_path: Path) -> None:
    program = tmp_path / "shop.py"
    program.write_text("import steps\nthis is no program\n")
    (tmp_path / "steps.py").write_text("")
    assert list(imported(program, tmp_path)) == []
