"""`seatrial explain` and `seatrial schema`: what may be written into a file, and what everything means."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from seatrial.cli.examples import examples
from seatrial.cli.terminal import print_json, print_text, say

if TYPE_CHECKING:
    from seatrial.explain import Entry, Parameter

_INDENT = 4  # of examples, in the docstrings and on the screen


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    app.command(
        epilog=examples(
            "seatrial explain process.kill",
            "seatrial explain driver",
            "seatrial explain load.rate",
            "seatrial explain --json",
        )
    )(explain)
    app.command(
        epilog=examples(
            "seatrial schema experiment",
            "seatrial schema target > target.schema.json",
        )
    )(schema)


def explain(
    word: Annotated[
        list[str] | None,
        typer.Argument(metavar="WORD", help="A name, a kind, a key, or a line that you were told."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Say what a fault, a driver, a key, a reason … is, and how it is written; without a word, list them."""
    from seatrial.catalogue import complaints
    from seatrial.explain import lexicon

    known, asked = lexicon(), " ".join(word or ())
    found = known.find(asked) if asked else known.entries
    if as_json:
        print_json({"word": asked, "entries": found})
    elif asked and found != known.of_kind(asked):
        for entry in found:
            print_text(_explained(entry))
    else:
        print_text(_listing(found))
    for line in complaints():
        say(line)


def schema(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="experiment, target, suite or schedule.")],
) -> None:
    """Print the JSON Schema of a kind of file, for an editor or for whoever checks files.

    With yaml-language-server, a file's first line: # yaml-language-server: $schema=experiment.json
    """
    from seatrial.explain.schemas import schema as schema_of

    print_json(schema_of(kind))


def _listing(entries: Iterable[Entry]) -> RenderableType:
    """One line an entry, kind by kind; of files the keys as well."""
    from seatrial.explain.lexicon import KINDS

    parts: list[RenderableType] = []
    for kind, group in groupby(entries, key=lambda entry: entry.kind):
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True)
        table.add_column()
        for entry in group:
            table.add_row(Text(f"  {entry.name}"), Text(entry.summary, no_wrap=True, overflow="ellipsis"))
            if kind in ("experiment", "target", "suite", "schedule", "readiness"):
                table.add_row("", Text(", ".join(each.name for each in entry.parameters), "dim"))
        parts += [Text.assemble((kind, "bold"), (f"  {KINDS[kind]}", "dim")), table, Text()]
    return Group(*parts, Text("more of each: seatrial explain WORD", "dim"))


def _explained(entry: Entry) -> RenderableType:
    """One entry, whole."""
    parts: list[RenderableType] = [Text.assemble((entry.name, "bold"), (f"  {entry.kind}", "dim"))]
    parts += _blocks(entry.text) if entry.text else ()
    if entry.facts:
        facts = Table.grid(padding=(0, 2, 0, 0))
        for name, value in entry.facts:
            facts.add_row(Text(name, "dim"), Text(value))
        parts += [facts, Text()]
    if entry.parameters:
        parts += [_parameters(entry.parameters), Text()]
    for part in entry.parts:
        title = Text.assemble((", ".join(part.parameters_of), "bold"), ("  mapping", "dim"))
        parts += [title, *_blocks(part.text), _parameters(part.parameters), Text()]
    return Group(*parts)


def _parameters(parameters: Iterable[Parameter]) -> Table:
    """Name on the left; type, default and example on the right, and below what it means."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column()
    for each in parameters:
        table.add_row(
            Text(f"  {each.name}", "bold" if each.required else ""), Text("; ".join(_form(each)), "cyan")
        )
        table.add_row("", Text(each.text))
    return table


def _form(parameter: Parameter) -> Iterator[str]:
    yield parameter.kind
    if parameter.required:
        yield "required"
    if parameter.default:
        yield f"default {parameter.default}"
    if parameter.example:
        yield f"such as {parameter.example}"


def _blocks(docstring: str) -> Iterator[RenderableType]:
    """Paragraphs in the width of the terminal; items of lists as well; examples as they stand."""
    for block in re.split(r"\n[ ]*\n", docstring):
        lines = block.splitlines()
        if all(line.startswith(" " * _INDENT) for line in lines):
            yield from (Text(line, "green", no_wrap=True, overflow="ignore") for line in lines)
        else:
            for item in re.split(r"\n(?=\* )", block):
                yield Padding(Text(" ".join(item.split())), (0, 0, 0, 2 if item.startswith("* ") else 0))
        yield Text()
