"""Everything that is declared is explained: no name without a text, no parameter without a meaning."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

import pytest

from seatrial import catalogue
from seatrial.checks import registry as checks
from seatrial.drivers import problems_in
from seatrial.explain import Entry, Parameter, lexicon
from seatrial.explain.formats import FILES
from seatrial.explain.lexicon import KINDS
from seatrial.explain.parameters import nested
from seatrial.model.document import parse
from seatrial.model.exitcodes import ExitCode
from seatrial.model.experiment import Check, Step
from seatrial.model.message import messages_of
from seatrial.model.mistakes import Mistake
from seatrial.model.probe import ProbeSpec
from seatrial.model.reasons import Reason
from seatrial.model.undo import UndoOutcome
from seatrial.undo import registry

WRITTEN = {
    "fault": "fault: {}",
    "action": "action: {}",
    "check": "{}",
    "probe": "{}: ",
    "driver": "driver: {}",
}  # how that looks whose docstring shows how it is written


def named(entry: Entry) -> str:
    return f"{entry.kind} {entry.name}"


def parameters(entry: Entry) -> Iterator[Parameter]:
    yield from entry.parameters
    for part in entry.parts:
        yield from part.parameters


def examples(entry: Entry) -> Iterator[str]:
    """The indented blocks of a docstring; of one that shows several one-line forms, each line."""
    for block in entry.text.split("\n\n"):
        lines = textwrap.dedent(block).splitlines()
        if all(line.startswith("    ") for line in block.splitlines()):
            is_list = all(line.startswith("{") or entry.kind == "check" for line in lines)
            yield from lines if is_list else ["\n".join(lines)]


def test_every_declared_name_has_an_entry() -> None:
    expected = {f"{kind} {name}" for kind in catalogue.KINDS for name in catalogue.names(kind)}
    expected |= {f"reason {message.word}" for message in messages_of(Reason).values()}
    expected |= {f"problem {message.word}" for message in messages_of(Mistake).values()}
    expected |= {f"undo {outcome}" for outcome in UndoOutcome} | {f"exit code {code}" for code in ExitCode}
    entries = lexicon().entries
    assert expected <= {named(entry) for entry in entries}
    assert {entry.kind for entry in entries} == KINDS.keys()


@pytest.mark.parametrize("kind", FILES)
def test_every_mapping_of_a_file_has_an_entry(kind: str) -> None:
    texts = {entry.text for entry in lexicon().entries}
    for record in nested(FILES[kind]):
        assert any(text.startswith((record.__doc__ or "?").partition("\n")[0]) for text in texts), record


def test_every_entry_and_parameter_says_what_it_is() -> None:
    assert [lack for entry in lexicon().entries for lack in lacks(entry)] == []


def lacks(entry: Entry) -> Iterator[str]:
    """What an entry, or one of its parameters, does not say."""
    name = named(entry)
    if not entry.summary.endswith((".", ":")):
        yield f"{name}: has no text, or is no sentence: {entry.summary!r}"
    for each in parameters(entry):
        if not each.type:
            yield f"{name}: {each.name} has no type"
        if not each.text.endswith("."):
            yield f"{name}: {each.name} has no text, or is no sentence: {each.text!r}"
        if each.required and not each.example:
            yield f"{name}: {each.name} is required and has no example"
        if each.type.startswith(("number", "whole number")) and not each.unit:
            yield f"{name}: {each.name} is a number of nobody knows what"


@pytest.mark.parametrize("kind", WRITTEN)
def test_what_can_be_written_is_shown_and_the_example_is_right(kind: str) -> None:
    entries = lexicon().of_kind(kind)
    assert entries
    for entry in entries:
        shown = [example for example in examples(entry) if WRITTEN[kind].format(entry.name) in example]
        assert shown, f"{named(entry)}: no indented example in its docstring"
        for example in shown:
            understand(entry, parse(example, "example").data)


def understand(entry: Entry, written: Any) -> None:
    """Read an example as it would be read in a file."""
    match entry.kind:
        case "fault" | "action":
            step = Step.model_validate(written)
            registry.build(step.does, step.with_, entry.kind)
            assert step.does == entry.name
        case "check":
            check = Check.model_validate(written)
            checks.build(check.check, check.with_)
        case "probe":
            assert ProbeSpec.model_validate(written).kind == entry.name
        case _:
            binding = written if "driver" in written else next(iter(written.values()))
            assert binding.pop("driver") == entry.name
            assert not problems_in(entry.name, binding)
