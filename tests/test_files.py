"""One answer to where a file is, and one line for whatever is not one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from seatrial import files
from seatrial.model.problems import BadInput


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_path_is_tried_from_here_then_from_the_file_that_names_it_then_among_the_shipped() -> None:
    Path("there").mkdir()
    for place in ("a.yaml", "there/a.yaml", "there/b.yaml"):
        Path(place).write_text("")
    named_by = Path("there/x.yaml")
    assert files.find("a.yaml", named_by) == Path("a.yaml").resolve()
    assert files.find("b.yaml", named_by) == Path("there/b.yaml").resolve()
    assert files.find("b.yaml") is None
    shipped = files.find("chaos/suites/monthly.yaml", named_by)
    assert shipped is not None
    assert shipped.is_relative_to(files.shipped())


def test_a_home_directory_is_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    Path("mine.yaml").write_text("")
    assert files.find("~/mine.yaml") == tmp_path / "mine.yaml"
    assert files.find("~nobody-of-this-name/mine.yaml") is None


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ("nowhere.yaml", "no such file here"),
        ("", "no such file here"),
        ("a" * 300, "no such file here"),
        ("a\0b", "no such file here"),
        ("loop.yaml", "no such file here"),
        (".", "is a directory, not a file"),
        ("pipe", "is not a file that can be read twice"),
        ("latin.yaml", "not text in UTF-8"),
        ("large.yaml", "larger than 4,000,000 bytes"),
        ("empty.yaml", "the file is empty"),
        ("suite.yaml", "this is a suite, and an experiment is expected here"),
        ("siute.yaml", "no such file here"),
        ("siute.yaml", "; did you mean 'suite.yaml'?"),
        ("locustfile.py", "is a scenario, and an experiment is expected here"),
        ("locustfile.py", "seatrial init --host http://… --locustfile locustfile.py"),
    ],
)
def test_what_cannot_be_read_is_told_in_one_line(named: str, told: str) -> None:
    os.mkfifo("pipe")
    Path("loop.yaml").symlink_to("loop.yaml")
    Path("latin.yaml").write_bytes(b"experiment: \xff")
    Path("empty.yaml").write_text("")
    Path("locustfile.py").write_text("from locust import HttpUser\n")
    Path("suite.yaml").write_text("suite: monthly\n")
    with Path("large.yaml").open("wb") as large:
        large.truncate(10_000_000_000)
    with pytest.raises(BadInput) as caught:
        files.read(named, "experiment")
    (problem,) = caught.value.problems
    assert told in str(problem)
    assert named in str(problem)


def test_a_mark_of_byte_order_is_no_text() -> None:
    Path("bom.yaml").write_bytes(b"\xef\xbb\xbfexperiment: x\n")
    assert files.read("bom.yaml", "experiment").document.data == {"experiment": "x"}


DEMO = "chaos/blue-green-rollback.yaml"


def write(path: str) -> Path:
    file = Path(path).resolve()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("")
    return file


def test_all_that_a_name_may_mean_there_or_not() -> None:
    mine = [Path(DEMO).resolve(), Path("suites", DEMO).resolve()]
    places = files.candidates(DEMO, Path("suites/monthly.yaml"))
    assert [place.resolve() for place in places] == [*mine, (files.shipped() / DEMO).resolve()]
    assert not any(place.exists() for place in places[:2])


def test_a_name_leads_back_to_its_file() -> None:
    shipped = (files.shipped() / DEMO).resolve()
    assert files.as_named(write("experiments/x.yaml")) == "experiments/x.yaml"
    assert files.as_named(shipped) == DEMO
    write(DEMO)  # now that name means another file
    assert files.as_named(shipped) == str(shipped)
    assert files.as_named(Path("/etc/hostname")) == "/etc/hostname"
