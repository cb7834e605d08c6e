"""What is told of one thing: a fault, a key of a file, a reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

Facts = Iterator[tuple[str, str]]  # what is known of something: ("acts on", "haproxy")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One key that may be written. Values are shown as a file has them."""

    name: str
    type: str  # "duration", "one of even, poisson"
    unit: str  # of a plain number: "connections"
    required: bool
    default: str  # "" when there is none, or nothing is the default
    example: str
    text: str

    @property
    def kind(self) -> str:
        """Its type, with the unit."""
        return f"{self.type} ({self.unit})" if self.unit else self.type


@dataclass(frozen=True, slots=True)
class Part:
    """A mapping that stands in some of an entry's parameters, and what may be written in it."""

    parameters_of: tuple[str, ...]  # the names of the parameters that it stands in
    text: str
    parameters: tuple[Parameter, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that has a name."""

    kind: str  # "fault", "load key"
    name: str
    text: str  # its docstring: a sentence, paragraphs, and examples, which are indented
    facts: tuple[tuple[str, str], ...] = ()
    parameters: tuple[Parameter, ...] = ()
    parts: tuple[Part, ...] = ()

    @property
    def summary(self) -> str:
        """The first paragraph, in one line."""
        return " ".join(self.text.partition("\n\n")[0].split())
