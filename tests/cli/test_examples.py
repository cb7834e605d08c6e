"""Every command's help ends with examples, and each of them is one that the command takes."""

from __future__ import annotations

import gzip
import shlex
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
import typer
from tests.support.command import seatrial

from seatrial.cli.examples import HEAD
from seatrial.cli.main import app

HARMLESS = ("explain", "schema", "doctor", "recover", "init", "schedule next", "schedule export", "schedule history",
            "incidents", "testbed status", "testbed logs")  # fmt: skip
LOG = "intended,sent,ended,ok,name\n0.0,0.0,0.01,true,GET /\n0.1,0.1,0.11,true,GET /\n"
LOGS = {
    "haproxy.log.gz": gzip.compress(
        b"10.0.0.1:1 [28/Nov/2026:22:00:01.000] web app/a 0/0/1/2/3 200 9 - - ---- 1/1/1/1/0 0/0 "
        b'"GET /orders/7 HTTP/1.1"\n'
    ),
    "access.log": b'10.0.0.1 - - [28/Nov/2026:22:00:01 +0000] "GET / HTTP/1.1" 200 9 "-" "curl"\n',
    "hits.csv": b"start,elapsed,code\n1700000000000,12,200\n",
}


def commands(group: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*words, name))
        else:
            yield " ".join((*words, name)), command


COMMANDS = dict(commands(typer.main.get_command(app)))
EXAMPLES = [
    (name, line.strip())
    for name, command in COMMANDS.items()
    for line in (command.epilog or "").splitlines()
    if line.strip() and line != HEAD
]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_an_example_and_help_shows_it_as_it_is_typed(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    own = [line for of, line in EXAMPLES if of == name]
    assert own
    assert all(line.startswith(f"seatrial {name}") for line in own)
    monkeypatch.setenv("COLUMNS", "120")
    assert seatrial(monkeypatch, *name.split(), "--help") == 0
    shown = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert set(own) <= set(shown)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory in which what the examples name is there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEATRIAL_HOME", str(tmp_path / "home"))
    for name in ("results.jtl", "k6.json"):
        Path(name).write_text(LOG)
    for name, log in LOGS.items():
        Path(name).write_bytes(log)
    Path("openapi.json").write_text('{"openapi": "3.1.0", "paths": {}}')
    Path("locustfile.py").write_text("from locust import HttpUser\n")
    return tmp_path


@pytest.mark.parametrize(("name", "line"), EXAMPLES, ids=[line for _, line in EXAMPLES])
def test_every_example_is_taken(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, line: str
) -> None:
    words = takewhile(lambda word: not word.startswith(("<", ">")), shlex.split(line))  # where a file goes
    arguments = [*words][1 + len(name.split()) :]
    with COMMANDS[name].make_context(name, list(arguments)):  # which raises for what it does not know
        pass
    if not name.startswith((*HARMLESS, "measure")) or "https://" in line:
        return
    if name in ("incidents retry", "testbed logs") and arguments:
        return  # of a message or a part that is not there
    code = seatrial(monkeypatch, *name.split(), *arguments)
    assert code in (0, 2), capsys.readouterr().err
    assert "Traceback" not in capsys.readouterr().err
