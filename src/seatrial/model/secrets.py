"""What came out of `${NAME}` references in this process, and texts without it.

A secret reaches a process by its environment, and leaves it in texts that nobody thought of: the error of a
library that quotes a URL, a server that sends our own header back, a list of arguments. So nobody has to
think of it: every value is remembered where a reference is resolved (`seatrial.model.references.resolve`),
and every door by which texts leave gives them to `shown` first, which puts the reference back in the value's
place (`seatrial.model.redaction` tells what is found, and where).

* What stands in plain sight in the files that are part of the evidence, or is one of our own few words (pass,
  fail …), is no secret: `${HOST}` may be the address that `allow` names.
* A password in an address (`scheme://user:password@host`) is masked whatever it is, wherever it came from.
"""

from __future__ import annotations

import json
import logging
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

from seatrial.model.redaction import PUT_BACK, Redaction, as_a_word, cannot_be_mistaken

if TYPE_CHECKING:
    from seatrial.model.manyvalues import ManyValues

Value = TypeVar("Value")

# What our own texts are made of, and JSON of ours means something by.
_OUR_WORDS = (
    "pass fail unknown true false null none yes no fault action seatrial target experiment localhost http"
    " https GET HEAD POST PUT PATCH DELETE ratio per_s ms s even poisson local staging production"
)
_MOST_LOOKED_AT = 10_000
_LOGIN = re.compile(r"(?<=://)([^\s/@:\"'<>?#]*):([^\s/\"'<>?#]+)@")
_USERINFO = re.compile(r"(?<=://)[^\s/?#\"'<>]*@")
_NO_PASSWORD = re.compile(rf"(?:{PUT_BACK})+|\*+")


class _Known:
    """What one process knows."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: dict[str, str] = {}  # to what is shown for each
        self._plain = {_OUR_WORDS}
        self.hidden: Mapping[str, str] = {}  # those of the values that are not in plain sight
        self.redaction = Redaction.of({})
        self.rows: dict[str, ManyValues] = {}  # of files of data, by their paths
        self._looked_at: dict[str, bool] = {}

    def remember(self, values: Mapping[str, str]) -> None:
        with self._lock:
            new = {value: shown for value, shown in values.items() if self._values.get(value) != shown}
            if new:
                self._values |= new
                self._look_again()

    def show(self, texts: Iterable[str]) -> None:
        with self._lock:
            self._plain |= set(texts)
            self._looked_at = {}
            self._look_again()

    def _look_again(self) -> None:
        hidden = {value: shown for value, shown in self._values.items() if not self._in_plain_sight(value)}
        if hidden != self.hidden:
            self.hidden, self.redaction = hidden, Redaction.of(hidden)

    def is_no_secret(self, value: str) -> bool:
        """Of a value of `rows` that was found in a text."""
        looked_at = self._looked_at
        if value not in looked_at:
            if len(looked_at) >= _MOST_LOOKED_AT:
                looked_at.clear()
            looked_at[value] = self._in_plain_sight(value)
        return looked_at[value]

    def _in_plain_sight(self, value: str) -> bool:
        pattern = re.escape(value) if cannot_be_mistaken(value) else as_a_word(value)
        return any(re.search(pattern, text) for text in self._plain)


_known = _Known()


def remember(value: str, shown: str) -> None:
    """From now on `shown`, a reference such as `${TOKEN}`, stands wherever `value` would.

    Of a value of several lines, as a key in a file is, each line counts on its own as well.
    """
    lines = [line for line in value.split("\n") if cannot_be_mistaken(line) and not line.startswith("-----")]
    _known.remember(dict.fromkeys((*lines, value), shown))


def remember_rows(file: str, values: ManyValues) -> None:
    """The same for the secret values of a file of data; those that were known of it before are forgotten."""
    _known.rows = {**_known.rows, file: values}


def knows_rows() -> bool:
    """Whether there are such values."""
    return bool(_known.rows)


def in_plain_sight(*texts: str) -> None:
    """What stands in these texts as written (the files of a run) is no secret."""
    _known.show(texts)


def forget() -> None:
    """Begin anew: for tests, which share a process."""
    _known.__init__()  # type: ignore[misc]


def exported() -> str:
    """What this process knows, for the environment of one that must know it too."""
    return json.dumps(dict(_known.hidden))


def imported(text: str) -> None:
    """Learn what another process has `exported`."""
    _known.remember(json.loads(text))


def shown(text: str) -> str:
    """`text` as people may see it: references in the places of values, and no password in an address."""
    text = _known.redaction.in_words(text)
    for values in _known.rows.values():
        text = values.in_words(text, _known.is_no_secret)
    return _masked(text)


def screened(document: str) -> str:
    """A document (HTML, JSON, code) without the values that cannot be mistaken for words of its own.

    What goes into a document is `shown` beforehand; this is the net below.
    """
    document = _known.redaction.everywhere(document)
    for values in _known.rows.values():
        document = values.everywhere(document, _known.is_no_secret)
    return document


def shown_in(value: Value) -> Value:
    """`value` with all texts in it `shown`, in lists, mappings (their keys excepted) and records."""
    return _shown_in(value)  # type: ignore[no-any-return]


def _shown_in(value: Any) -> Any:
    if isinstance(value, str):
        return value if isinstance(value, Enum) else shown(value)
    if isinstance(value, dict):
        return {key: _shown_in(child) for key, child in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(map(_shown_in, value)) if type(value) in (list, tuple) else value
    if is_dataclass(value) and not isinstance(value, type):
        before = {each.name: getattr(value, each.name) for each in fields(value) if each.init}
        after = {name: _shown_in(child) for name, child in before.items()}
        changed = {name: child for name, child in after.items() if child is not before[name]}
        return replace(value, **changed) if changed else value
    return value


def secret_in(data: str) -> str:
    """What is shown for a value in `data` that cannot be mistaken; empty when there is none."""
    found = _known.redaction.secret_in(data)
    among = (values.secret_in(data, _known.is_no_secret) for values in _known.rows.values())
    return found or next(filter(None, among), "")


def without_userinfo(address: str) -> str:
    """`address` without `user:password@`."""
    return _USERINFO.sub("", address, count=1)


def _masked(text: str) -> str:
    if "@" not in text or "://" not in text:
        return text
    return _LOGIN.sub(
        lambda found: found[0] if _NO_PASSWORD.fullmatch(found[2]) else f"{found[1]}:***@", text
    )


class ShownFormatter(logging.Formatter):
    """Formats log records, tracebacks included, as people may see them."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, or lines."""
        return shown(super().format(record))


class ScreenedStream:
    """A text stream behind a screen, for what others write into it: prints, tracebacks, libraries' logs."""

    def __init__(self, stream: TextIO, screen: Callable[[str], str] = screened) -> None:
        self._stream = stream
        self._screen = screen

    def write(self, text: str) -> int:
        """Write what the screen leaves of `text`; how much of `text` is through (all of it)."""
        self._stream.write(self._screen(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write each."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
