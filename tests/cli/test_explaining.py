"""What is explained fits a terminal of 80 columns, and a pipe."""

from __future__ import annotations

import json

import pytest
from tests.support.command import seatrial

from seatrial.explain import lexicon


@pytest.fixture(autouse=True)
def _narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert seatrial(monkeypatch, "explain", *arguments) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def test_one_thing_is_told_whole(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    shown = told(monkeypatch, capsys, "database.lock")
    assert shown.startswith("database.lock  fault\nHold a lock on a table, as a careless migration does:")
    assert (
        "\n    {at: 5s, fault: database.lock, on: database, for: 10s, with: {table: shop.orders}}\n" in shown
    )
    assert "acts on  postgres" in shown
    assert "  table   text; required; such as shop.orders\n          The table, with its schema" in shown
    assert "  within  duration; default 10s\n          How long is waited until the lock is ours.\n" in shown


def test_examples_are_never_cut_and_texts_fit(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = told(monkeypatch, capsys, "convergence").splitlines()
    assert (
        "    ID KIND TENANT NAME VALUE [after=ID …]       KIND: setting.put, counter.add, set.add, set.remove"
        in lines
    )
    assert max(len(line) for line in lines if not line.startswith("    ")) <= 80
    assert not [line for line in lines if line != line.rstrip()]


def test_without_a_word_all_are_listed_in_a_line_each(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = told(monkeypatch, capsys)
    names = [line.split()[0] for line in shown.splitlines() if line.startswith("  ") and line[2] != " "]
    assert names == [entry.name for entry in lexicon().entries]
    assert "fault  what is done to a target, and always undone\n" in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_a_kind_is_a_list_of_its_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = told(monkeypatch, capsys, "check")
    assert shown.startswith("check  judges of the recorded history\n  acknowledged-writes  Every write")
    assert "process.kill" not in shown


def test_as_json_it_is_one_object(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    document = json.loads(told(monkeypatch, capsys, "exit", "code", "--json"))
    assert document["word"] == "exit code"
    assert [entry["name"] for entry in document["entries"]] == ["0", "1", "2", "64", "70", "130"]
    (entry,) = json.loads(told(monkeypatch, capsys, "served-by", "--json"))["entries"]
    assert [each["name"] for each in entry["parameters"]] == ["release", "region", "last"]
    assert entry["parameters"][2]["default"] == "5s"


def test_what_is_not_known_is_bad_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert seatrial(monkeypatch, "explain", "proces.kill") == 64
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "nothing is called 'proces.kill'; did you mean 'process.kill'?" in captured.err


def test_a_schema_is_one_object(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert seatrial(monkeypatch, "schema", "target") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert document["properties"]["base_url"]["description"].startswith("Where load goes")
    assert seatrial(monkeypatch, "schema", "matrix") == 64
    assert "there is no kind of file called 'matrix'; known: experiment, " in capsys.readouterr().err
