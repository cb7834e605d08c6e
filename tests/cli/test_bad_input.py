"""Whatever a newcomer gives by mistake: exit code 64, a line for each mistake, nothing started, nothing left."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from seatrial.cli import main

EXPERIMENT = "experiment: x\nload: {scenario: s.py, rate: 100/s}\nduration: 10s\n"
TARGET = "target: t\nbase_url: http://127.0.0.1:9\n"
LOG = "intended,sent,ended,ok,status,name,served_by,error,worker\n0.0,0.0,0.1,true,200,GET /,blue,,0\n"
LONG = "a" * 300


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work = tmp_path / "work"
    (work / "full").mkdir(parents=True)
    monkeypatch.chdir(work)
    monkeypatch.setenv("SEATRIAL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "300")
    os.mkfifo("pipe")
    with Path("huge.yaml").open("wb") as huge:
        huge.truncate(10_000_000_000)
    for name, text in {
        "x.yaml": EXPERIMENT,
        "t.yaml": TARGET,
        "s.py": "",
        "s.yaml": "suite: s\nexperiments: [x.yaml, nowhere.yaml]\n",
        "syntax.yaml": EXPERIMENT.replace("s.py", "syntax.py"),
        "syntax.py": "def home(self:\n",
        "typo.yaml": EXPERIMENT.replace("duration", "duratoin"),
        "production.yaml": TARGET + "environment: production\n",
        "empty": "",
        "log.csv": LOG,
        "full/x": "",
        "deep.json": "[" * 100_000,
    }.items():
        Path(name).write_text(text)
    Path("binary").write_bytes(bytes(range(256)) * 8)
    Path("nul.yaml").write_bytes(b"\0" * 100)


def told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    """The lines that a command complains with; it must have started and left nothing."""
    before = sorted(Path().rglob("*"))
    monkeypatch.setattr(sys, "argv", ["seatrial", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    captured = capsys.readouterr()
    assert ended.value.code == 64, captured.err
    assert captured.out == ""
    assert "Traceback" not in captured.err
    assert sorted(Path().rglob("*")) == before
    return [line for line in captured.err.splitlines() if line.startswith("error ")]


RUN = ("run", "--target", "t.yaml")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        # files that are none, or not what they should be
        ((*RUN, "full"), "experiment full: is a directory, not a file"),
        ((*RUN, "pipe"), "experiment pipe: is not a file that can be read twice"),
        ((*RUN, "/dev/zero"), "experiment /dev/zero: is not a file that can be read twice"),
        ((*RUN, LONG), f"experiment {LONG}: no such file here"),
        ((*RUN, ""), "experiment : no such file here"),
        ((*RUN, "huge.yaml"), "huge.yaml: larger than 4,000,000 bytes; that is no file of ours"),
        ((*RUN, "empty"), "empty:1:1: the file is empty"),
        ((*RUN, "binary"), "binary: not text in UTF-8"),
        ((*RUN, "nul.yaml"), "nul.yaml:1:1: not valid YAML: special characters are not allowed"),
        ((*RUN, "s.yaml"), "s.yaml:1:1: suite: this is a suite, and an experiment is expected here"),
        (("run", "x.yaml", "--target", "x.yaml"), "x.yaml:1:1: experiment: this is an experiment, and a target is expected"),
        (("suite", "x.yaml", "--target", "t.yaml"), "x.yaml:1:1: experiment: this is an experiment, and a suite is expected"),
        (("suite", "s.yaml", "--target", "t.yaml"), "s.yaml:2:23: experiments[1]: no such file here"),
        ((*RUN, "syntax.yaml"), "syntax.py:1:9: not valid Python: '(' was never closed"),
        # options
        ((*RUN, "x.yaml", "--rate", "fast"), "--rate: 'fast' is not a rate"),
        ((*RUN, "x.yaml", "--rate", "0/min"), "--rate: a load of nothing measures nothing"),
        ((*RUN, "x.yaml", "--rate", "99999999999/s"), "--rate: '99999999999/s' is more than 10,000,000 a second"),
        ((*RUN, "x.yaml", "--out", "full"), "--out full: the directory is not empty"),
        ((*RUN, "x.yaml", "--out", "t.yaml"), "--out t.yaml: "),
        ((*RUN, "x.yaml", "--out", "t.yaml/below"), "--out t.yaml/below: "),
        ((*RUN, "x.yaml", "--out", LONG), f"--out {LONG}: cannot be used: File name too long"),
        ((*RUN, "x.yaml", "--metrics-textfile", "full"), "--metrics-textfile full: is a directory; name the file"),
        ((*RUN, "x.yaml", "--metrics-textfile", "no/x"), "--metrics-textfile no/x: there is no directory"),
        ((*RUN, "x.yaml", "--on-lost", "abort"), "--on-lost: says how workers share the load, and there are none"),
        (("workers", "export", "compose", "x.yaml", "--image", "a: b"), "--image: 'a: b' names no image; write it like"),
        (("workers", "export", "kubernetes", "gone.yaml"), "experiment gone.yaml: no such file here"),
        (("capacity", "x.yaml", "--from", "9/s", "--rows", "keep"), "--rows: says how workers share the load, and there are none"),
        (("run", "x.yaml", "--target", "production.yaml", "--confirm", "x"), "production.yaml:3:14: environment: a production target"),
        (("run", "x.yaml", "--no-testbed"), "no target: the testbed is not up"),
        (("suite", "s.yaml", "--target", "nowhere.yaml", "--out", "full"), "--out full: the directory is not empty"),
        # logs and evidence
        (("measure", "pipe"), "pipe: is not a file that can be read twice"),
        (("measure", "full"), "full: cannot be read: Is a directory"),
        (("measure", LONG), f"{LONG}: cannot be read: File name too long"),
        (("measure", "empty"), "empty: is empty"),
        (("measure", "binary"), "binary:1: "),
        (("measure", "huge.yaml"), "huge.yaml:1: is no request log"),
        (("measure", "log.csv", "--deadline", "0s"), "--deadline: must be longer than 0s"),
        (("measure", "log.csv", "--deadline", "1e9h"), "--deadline: '1e9h' is not a duration"),
        (("report", "pipe"), "pipe: is not a file that can be read twice"),
        (("report", "deep.json"), "deep.json: not a run's verdict"),
        (("report", "binary"), "binary: "),
        (("report", LONG), f"{LONG}: cannot be read: File name too long"),
        (("compare", "full", "full"), "full/verdict.json: "),
        (("compare", "pipe", "pipe"), "pipe: is not a file that can be read twice"),
        (("verify", LONG), f"{LONG}: cannot be read: File name too long"),
        (("verify", "x.yaml"), "x.yaml: not sealed"),
        (("ledger", "verify", LONG), f"{LONG}: cannot be read: File name too long"),
        (("ledger", "inspect", "x.yaml"), "x.yaml: no ledger here"),
        (("ledger", "verify", "full", "--key", "pipe"), "pipe: is not a file that can be read twice"),
        (("ledger", "verify", "full", "--key", "x.yaml"), "x.yaml: "),
        (("ledger", "prove", "full", "x"), "Invalid value for 'N'"),
        # calendars, messages, the rest
        (("schedule", "next", "pipe"), "pipe: is not a file that can be read twice"),
        (("schedule", "next", "full"), "full: "),
        (("schedule", "next", "empty"), "empty:1:1: the file is empty"),
        (("schedule", "start", LONG, "--once"), f"{LONG}: cannot be read: File name too long"),
        (("schedule", "start", "x.yaml", "--metrics", ":x"), "--metrics: ':x' is not HOST:PORT"),
        (("schedule", "next", "x.yaml", "--count", "0"), "Invalid value for '--count'"),
        (("incidents", "retry", "x"), "Invalid value for '[NO.]…'"),
        (("incidents", "retry", "9" * 25), "Invalid value for '[NO.]…'"),
        (("calibrate", "--rate", "0/s"), "--rate: a load of nothing measures nothing"),
        (("calibrate", "--outages", "0"), "Invalid value for '--outages'"),
        (("calibrate", "--out", "x.yaml"), "--out x.yaml: is a file; name a directory"),
        (("testbed", "logs", "../.."), "no log of '../..'"),
    ],
)  # fmt: skip
def test_one_mistake_is_one_line(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    expected: str,
) -> None:
    first, *others = told(monkeypatch, capsys, *arguments)
    assert first.startswith(f"error {expected}")
    assert not others or arguments[:2] in {("suite", "s.yaml"), ("schedule", "next")}


def test_a_message_that_does_not_wait_cannot_be_tried_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (line,) = told(monkeypatch, capsys, "incidents", "retry", "7")
    assert line.startswith("error no message 7 waits; to see those that do: seatrial incidents list")


def test_a_home_that_is_a_file_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SEATRIAL_HOME", str(Path("t.yaml").absolute()))
    for arguments in (("recover",), ("testbed", "status"), (*RUN, "x.yaml"), ("incidents", "list")):
        (line,) = told(monkeypatch, capsys, *arguments)
        assert line.startswith("error SEATRIAL_HOME: "), arguments


@pytest.mark.parametrize("dry", [(), ("--dry-run",)])
def test_all_mistakes_are_told_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], dry: tuple[str, ...]
) -> None:
    options = ("--rate", "x", "--out", "full", "--metrics-textfile", "full", "--target", "nowhere.yaml")
    lines = told(monkeypatch, capsys, "run", "typo.yaml", *options, *dry)
    for line, expected in zip(
        lines,
        (
            "--rate: 'x' is not a rate",
            "--out full: the directory is not empty",
            "--metrics-textfile full: is a directory",
            "target nowhere.yaml: no such file here",
            "typo.yaml:1:1: duration: is required and missing",
            "typo.yaml:3:1: duratoin: unknown key 'duratoin'; did you mean 'duration'?",
        ),
        strict=True,
    ):
        assert line.startswith(f"error {expected}")


def test_an_experiment_s_mistakes_are_not_hidden_by_a_testbed_that_is_not_up(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = told(monkeypatch, capsys, "run", "typo.yaml", "--no-testbed")
    assert [line.split(": ")[0] for line in lines] == [
        "error no target",
        *["error typo.yaml:1:1", "error typo.yaml:3:1"],
    ]
