"""Finds which of thousands of values stand in a text, in a few microseconds: secrets from the rows of a file.

`Redaction` tries every value it knows at every place of a text, which is right for the ten of an environment
and takes milliseconds for ten thousand. Here a text is looked through once, whatever the number of values:

    text ─► its windows of 4 characters ─► does a value begin so? ─► is there one of this length and hash?
                                             (a set, in C)              (sorted hashes, 8 bytes a value)

Only then is `Redaction` made of what was found, and it decides: what it takes for the value, however the text
has escaped it, is what is replaced. So the rules are the same for both. The values themselves are not kept.

What a text says behind escapes (percent, HTML, backslashes) and in base64 of ASCII is looked through as well.
Of base64, what it holds is not known to the letter (`user:password`), so all of it is replaced.
"""

from __future__ import annotations

import base64
import functools
import html
import re
import sys
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from urllib.parse import unquote

import numpy as np

from seatrial.model.redaction import SHORTEST, Redaction, cannot_be_mistaken

_MOST_BEGINNINGS = 1 << 16  # of 4 characters; where there are more of them, they are told by 3
_BITS = 20, 24  # of a place in the table of hashes, at least and at most: 1 to 16 MiB
_PIECE = 4096  # characters that are looked through at once
_NESTED = 3  # escapes within escapes that are undone
# Of base64: three octets of ASCII, whose highest bits are 0, leave only these for the first three digits.
_ASCII = "[A-Za-f][A-HQ-Xg-nw-z0-3][ABEFIJMNQRUVYZcdghklopstwx014589][A-Za-z0-9+/_-]"
_BASE64 = re.compile(rf"(?:{_ASCII}){{2,}}[A-Za-z0-9+/_-]{{0,3}}={{0,2}}")
_BACKSLASHED = re.compile(
    r"((?:\\x[0-9a-fA-F]{2})+)|\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})|\\(.)", re.DOTALL
)
_OF_URLS = str.maketrans("-_", "+/")
_BLANKS = dict.fromkeys("nrtbf", " ")

Found = frozenset[tuple[str, str]]  # of a value and what is shown for it
IsNoSecret = Callable[[str], bool]


class Collected:
    """Values on their way to `ManyValues`."""

    def __init__(self) -> None:
        self.hashes, self.kinds = array("q"), array("B")
        self.beginnings: set[str] = set()
        self.lengths: set[int] = set()
        self.width = SHORTEST  # of a beginning

    def add(self, value: str, kind: int) -> None:
        """A value of the secrets' kind number `kind`. One of fewer than 4 characters is not searched for."""
        value = " ".join(value.split())
        if len(value) < SHORTEST:
            return
        self.hashes.append(hash(value))
        self.kinds.append(kind)
        self.lengths.add(len(value))
        self.beginnings.add(value[: self.width])
        if len(self.beginnings) > _MOST_BEGINNINGS and self.width == SHORTEST:
            self.width -= 1
            self.beginnings = {each[: self.width] for each in self.beginnings}


class ManyValues:
    """What was `collected`, ready to be found. `shown`: what stands in a value's place, by its kind."""

    def __init__(self, collected: Collected, shown: Sequence[str]) -> None:
        self._shown = tuple(shown)
        self._beginnings = frozenset(collected.beginnings)
        self._windows = [slice(at, at + collected.width) for at in range(_PIECE)]
        self._lengths = sorted(collected.lengths)
        hashes, first = np.unique(np.array(collected.hashes, dtype=np.int64), return_index=True)
        self._hashes = array("q", hashes.tobytes())
        self._kinds = np.array(collected.kinds, dtype=np.uint8)[first].tobytes()
        self._mask = (1 << min(max((16 * len(hashes)).bit_length(), _BITS[0]), _BITS[1])) - 1
        table = np.zeros(self._mask + 1, dtype=np.bool_)
        table[hashes & self._mask] = True
        self._table = table.tobytes()

    def __len__(self) -> int:
        return len(self._hashes)

    def in_words(self, text: str, is_no_secret: IsNoSecret) -> str:
        """`text`, which is for people, without any of the values."""
        return self._without(text, is_no_secret, Redaction.in_words)

    def everywhere(self, text: str, is_no_secret: IsNoSecret) -> str:
        """`text` without the values that cannot be mistaken: safe for markup, code and data."""
        return self._without(text, is_no_secret, Redaction.everywhere)

    def secret_in(self, data: str, is_no_secret: IsNoSecret) -> str:
        """What is shown for a value in `data` that cannot be mistaken; empty when there is none."""
        sure = (shown for value, shown in self._secret_in(data, is_no_secret) if cannot_be_mistaken(value))
        return next(sure, "")

    def _without(self, text: str, is_no_secret: IsNoSecret, replace: Callable[[Redaction, str], str]) -> str:
        doubtful: set[tuple[str, str]] = set()
        for value, shown in sorted(self._secret_in(text, is_no_secret), key=lambda each: -len(each[0])):
            if cannot_be_mistaken(value):
                text = text.replace(value, shown)  # the same, without a pattern to be compiled
            else:
                doubtful.add((value, shown))
        for form in _undone(text):
            doubtful |= self._secret_in(form, is_no_secret)
        if doubtful:
            text = replace(_redaction(frozenset(doubtful)), text)
        return _BASE64.sub(lambda run: self._run(run[0], is_no_secret, replace), text)

    def _run(self, run: str, is_no_secret: IsNoSecret, replace: Callable[[Redaction, str], str]) -> str:
        """What may be base64: as it is, unless there is a value in it."""
        digits = run.rstrip("=").translate(_OF_URLS)
        for lead in range(4):  # characters that stood before it
            rest = digits[lead:]
            rest = rest[: len(rest) - (len(rest) % 4 == 1)]
            said = base64.b64decode(rest + "=" * (-len(rest) % 4)).decode("latin-1")
            found = frozenset(self._secret_in(said, is_no_secret))
            if found and replace(_redaction(found), said) != said:
                return f"base64({min(found)[1]})"
        return run

    def _secret_in(self, text: str, is_no_secret: IsNoSecret) -> set[tuple[str, str]]:
        found = self._standing_in(text)
        return {each for each in found if not is_no_secret(each[0])} if found else found

    def _standing_in(self, text: str) -> set[tuple[str, str]]:
        """The values that stand in a text to the letter, each with what is shown for it."""
        if len(text) <= _PIECE:
            return self._standing_in_piece(text, text)
        more = self._lengths[-1] if self._lengths else 0
        pieces = range(0, len(text), _PIECE)
        found = (
            self._standing_in_piece(text[at : at + _PIECE + 3], text[at : at + _PIECE + more])
            for at in pieces
        )
        return set().union(*found)

    def _standing_in_piece(self, piece: str, text: str) -> set[tuple[str, str]]:
        """Those that begin in the `piece` with which the `text` begins."""
        windows = self._windows[: len(piece)]
        if self._beginnings.isdisjoint(map(piece.__getitem__, windows)):
            return set()
        begun = [at for at, window in enumerate(windows) if piece[window] in self._beginnings]
        return {each for at in begun for each in self._beginning(text, at)}

    def _beginning(self, text: str, at: int) -> Iterator[tuple[str, str]]:
        for length in self._lengths:
            if at + length > len(text):
                return
            value = text[at : at + length]
            number = hash(value)
            if not self._table[number & self._mask]:
                continue
            place = bisect_left(self._hashes, number)
            if place < len(self._hashes) and self._hashes[place] == number:
                yield value, self._shown[self._kinds[place]]


@functools.lru_cache(maxsize=1024)
def _redaction(found: Found) -> Redaction:
    return Redaction.of(dict(found))


def _undone(text: str) -> Iterator[str]:
    """What a text says when one level after the other of its escapes is undone; nothing if it has none."""
    yield from _unescaped(text, "utf-8")
    if "\\x" in text:
        yield from _unescaped(text, "latin-1")
    if "+" in text:
        spaced = text.replace("+", " ")  # as forms write a space
        yield spaced
        yield from _unescaped(spaced, "utf-8")
    if "\n" in text or "\t" in text or "  " in text:
        yield " ".join(text.split())  # as values are kept


def _unescaped(text: str, octets: str) -> Iterator[str]:
    """The same of escapes alone. `octets`: what Python's \\x are, of a text (latin-1) or of bytes (utf-8)."""

    def character(found: re.Match[str]) -> str:
        written, unit, code, other = found.groups()
        if written:
            return bytes.fromhex(written.replace("\\x", "")).decode(octets, errors="replace")
        if unit or code:
            number = int(unit or code, 16)
            return chr(number) if number <= sys.maxunicode else ""
        return _BLANKS.get(other, other)

    def unslashed(text: str) -> str:
        return _joined(_BACKSLASHED.sub(character, text))

    ways = (("%", unquote), ("&", html.unescape), ("\\", unslashed))
    seen = last = {text}
    for _ in range(_NESTED):  # in every order: what looks like an escape may be the value's own
        last = {way(form) for form in last for sign, way in ways if sign in form} - seen
        yield from last
        seen = seen | last


def _joined(text: str) -> str:
    """JSON writes a character beyond the first plane as two; here they are one again."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
