"""Entries of what people are told: why a verdict is what it is, what a number or a problem means."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import cleandoc

from seatrial import explore
from seatrial.explain.docstrings import texts_below
from seatrial.explain.entry import Entry
from seatrial.explore.record import Standing
from seatrial.extras import EXTRAS
from seatrial.model.exitcodes import ExitCode
from seatrial.model.message import messages_of
from seatrial.model.mistakes import Mistake
from seatrial.model.reasons import Reason
from seatrial.model.undo import UndoOutcome

_FAMILIES = {"reason": Reason, "problem": Mistake}


def entries() -> Iterator[Entry]:
    """All of them, kind by kind."""
    for kind, family in _FAMILIES.items():
        texts = texts_below(family)
        for name, message in messages_of(family).items():
            yield Entry(kind, message.word, texts.get(name, ""), facts=(("told as", message.shown),))
    texts = texts_below(UndoOutcome)
    for outcome in UndoOutcome:
        left = "left behind: the run fails, and pages" if outcome.left_behind else "not left behind"
        yield Entry("undo", outcome.value, texts.get(outcome.name, ""), facts=(("counts as", left),))
    yield Entry("exploration", "explore", cleandoc(explore.__doc__ or ""))
    texts = texts_below(Standing)
    for standing in Standing:
        yield Entry("exploration", standing.value, texts.get(standing.name, ""))
    texts = texts_below(ExitCode)
    for code in ExitCode:
        yield Entry("exit code", str(int(code)), texts.get(code.name, ""))
    for extra in EXTRAS:
        facts = (("installed by", extra.way_out), ("packages", ", ".join(extra.packages)))
        yield Entry("extra", extra.name, f"{extra.title}.", facts=facts)


def told_in(said: str) -> list[tuple[str, str]]:
    """The messages that a text holds, the one with the most words of its own first: kind and word."""
    found = [
        (kind, message)
        for kind, family in _FAMILIES.items()
        for message in messages_of(family).values()
        if message.is_in(said)
    ]
    return [(kind, message.word) for kind, message in sorted(found, key=lambda each: -len(each[1].text))]
