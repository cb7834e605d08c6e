"""A sentence that people are told, with gaps: declared once, so that it can be explained wherever it is read.

    class Mistake:
        UNSET_VARIABLE = Message("the environment variable {name} is referenced and not set")
        \"\"\"What it means, and the way out.\"\"\"

    raise BadInput(Mistake.UNSET_VARIABLE(name="TOKEN"))        # … (seatrial explain unset-variable)

The text below it is what `seatrial explain` says of it.
"""

from __future__ import annotations

import re
from functools import cached_property
from string import Formatter


class Told(str):
    """A sentence whose gaps are filled, and the `word` by which it is explained."""

    __slots__ = ("word",)

    def __new__(cls, text: str, word: str = "") -> Told:
        told = super().__new__(cls, text)
        told.word = word
        return told

    word: str


class Message:
    """`text` has gaps like those of `str.format`; `word` is its name, with hyphens."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.word = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.word = name.lower().replace("_", "-")

    def __call__(self, **gaps: object) -> Told:
        return Told(self.text.format(**gaps), self.word)

    def is_in(self, said: str) -> bool:
        """Whether `said` holds this sentence, whatever fills its gaps and stands around it."""
        return self._form.search(said) is not None

    @property
    def shown(self) -> str:
        """The sentence with an ellipsis in each gap."""
        return "".join(
            fixed + ("" if gap is None else "…") for fixed, gap, _, _ in Formatter().parse(self.text)
        )

    @cached_property
    def _form(self) -> re.Pattern[str]:
        parts = Formatter().parse(self.text)
        return re.compile(
            "".join(re.escape(fixed) + ("" if gap is None else ".*") for fixed, gap, _, _ in parts)
        )


def messages_of(family: type) -> dict[str, Message]:
    """The messages that a class declares, by the name of each."""
    return {name: value for name, value in vars(family).items() if isinstance(value, Message)}
