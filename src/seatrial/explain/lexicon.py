"""Every entry, and which of them a word means.

A word is a name (`process.kill`), a kind (`fault`: all of them), a key (`deadline`, `load.deadline`), or what
somebody was told and has copied from a terminal or a report.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from seatrial.explain import declared, formats, outcomes
from seatrial.explain.entry import Entry
from seatrial.explain.formats import FILES
from seatrial.model.problems import BadInput, nearest

# What each kind is, in the order in which they are listed.
KINDS: Mapping[str, str] = {
    "fault": "what is done to a target, and always undone",
    "action": "operations of the target that are part of the story",
    "objective": "numbers that a run is judged on",
    "check": "judges of the recorded history",
    "probe": "questions that a healthy system answers well",
    "driver": "how a role of a target is reached",
    "experiment": "keys of the files in chaos/",
    "target": "keys of the files in chaos/targets/",
    "suite": "keys of the files in chaos/suites/",
    "schedule": "keys of the files in schedules/",
    "readiness": "keys of chaos/readiness.yaml",
    "machines": "keys of files for seatrial run --workers-at",
    "importer": "request logs that can be measured",
    "sink": "receivers of incidents",
    "reason": "why a verdict is what it is",
    "undo": "how the undo of a step came out",
    "exploration": "the search for weaknesses, and what its failures turn out to be",
    "problem": "what keeps a run from being started",
    "exit code": "how a command ends",
    "extra": "what is installed only when it is asked for",
}


_OF_FILES = (*FILES, "objective")  # kinds whose entries are called by the keys that lead there


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Everything that can be explained, kind by kind."""

    entries: tuple[Entry, ...]

    def of_kind(self, kind: str) -> tuple[Entry, ...]:
        """The entries of a kind."""
        return tuple(entry for entry in self.entries if entry.kind == kind)

    def find(self, word: str) -> tuple[Entry, ...]:
        """What a word means; several, when several are called so. Raises BadInput, with the nearest."""
        searches = (self._named, self.of_kind, self._nearly_named, self._keyed, self._around, self._told)
        for search in searches:
            if found := tuple(search(word)):
                return found
        raise BadInput(f"nothing is called '{word}'{self._nearest(word)}")

    def _nearest(self, word: str) -> str:
        keys = (each.name for entry in self.entries for each in entry.parameters)
        close = nearest(word, {*KINDS, *(entry.name for entry in self.entries), *keys})
        return close if "did you mean" in close else "; to list everything that is: seatrial explain"

    def _named(self, word: str) -> Iterator[Entry]:
        """By its name; keys that lead to a value of several forms are told of as well."""
        yield from self._keyed(word) if "." in word else ()
        yield from (entry for entry in self.entries if word in (entry.name, f"{entry.kind} {entry.name}"))

    def _nearly_named(self, word: str) -> Iterator[Entry]:
        """By the last of the keys that lead there, and of a list by what one of it is called."""
        return (
            entry
            for entry in self.entries
            if entry.kind in _OF_FILES and entry.name.rpartition(".")[2] in (word, f"{word}s")
        )

    def _keyed(self, word: str) -> Iterator[Entry]:
        """The parameters of that name, each as if it were an entry of its own."""
        owner, _, key = word.rpartition(".")
        for entry in self.entries:
            for parameter in entry.parameters:
                if parameter.name == key and owner in ("", entry.name):
                    yield Entry(f"key of {entry.name}", key, "", parameters=(parameter,))

    def _around(self, word: str) -> Iterator[Entry]:
        """Of a key in a mapping that may stand in several places: the key that such a mapping stands at."""
        above = word.rpartition(".")[0]
        return (
            entry for entry in self._named(above) if entry.kind in _OF_FILES or entry.kind.startswith("key ")
        )

    def _told(self, word: str) -> Iterator[Entry]:
        for kind, name in outcomes.told_in(word)[:1]:
            yield from (each for each in self.of_kind(kind) if each.name == name)


@functools.cache
def lexicon() -> Lexicon:
    """All that is declared, here and in other people's packages."""
    found = [*declared.entries(), *formats.entries(), *outcomes.entries()]
    order = {kind: number for number, kind in enumerate(KINDS)}
    return Lexicon(tuple(sorted(found, key=lambda entry: order[entry.kind])))
