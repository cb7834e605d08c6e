"""One rule for where files are looked for, and the name that leads back to one."""

from __future__ import annotations

from pathlib import Path

import pytest

from seatrial.files import as_named, candidates, find, shipped

DEMO = "chaos/blue-green-rollback.yaml"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(path: str) -> Path:
    file = Path(path).resolve()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("")
    return file


def test_here_first_then_beside_who_names_it_then_among_the_shipped() -> None:
    named_by = Path("suites/monthly.yaml")
    assert find("chaos/nowhere.yaml", named_by) is None
    assert find(DEMO, named_by) == (shipped() / DEMO).resolve()
    beside = write(f"suites/{DEMO}")
    assert find(DEMO, named_by) == beside
    here = write(DEMO)
    assert find(DEMO, named_by) == here
    assert [path.resolve() for path in candidates(DEMO, named_by)] == [
        here,
        beside,
        (shipped() / DEMO).resolve(),
    ]


def test_home_is_understood(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    file = write("x.yaml")
    assert find("~/x.yaml") == file


def test_a_name_leads_back_to_its_file() -> None:
    mine = write("experiments/x.yaml")
    assert as_named(mine) == "experiments/x.yaml"
    assert as_named((shipped() / DEMO).resolve()) == DEMO
    write(DEMO)  # now that name means another file
    assert as_named((shipped() / DEMO).resolve()) == str((shipped() / DEMO).resolve())
    assert as_named(Path("/etc/hostname")) == "/etc/hostname"
