"""Puts references in the places of values, however a text has escaped them. Pure.

How far a value is searched for depends on what it is:

* One that cannot be mistaken (16 characters, or 8 of two kinds: letters, capitals, digits, others) is found
  anywhere, also in the middle of a word, percent-encoded, escaped for JSON, HTML or Python, and in base64
  with whatever stands before it (`user:password`).
* A shorter one is found as a word of its own: the password "test" must not make "la${PASSWORD}" of "latest".
* One of fewer than 4 characters is not searched for. Texts would be destroyed, and nothing kept secret.
"""

from __future__ import annotations

import base64
import html.entities
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

SHORTEST = 4  # characters of a value that is searched for
_SURE, _SURE_OF_ONE_KIND = 8, 16  # characters of a value that cannot be mistaken
_KINDS = (str.islower, str.isupper, str.isdigit, lambda character: not character.isalnum())
# Never searched: what stands in a value's place.
PUT_BACK = r"\$\{[A-Za-z_][A-Za-z0-9_.]*\}|base64\([^\s)]*\)"
_NAMED = {code: name for name, code in html.entities.name2codepoint.items()} | {ord("'"): "apos"}


@dataclass(frozen=True, slots=True)
class Redaction:
    """Puts references in the places of values."""

    _everywhere: re.Pattern[str] | None  # values that cannot be mistaken
    _in_words: re.Pattern[str] | None  # these, and the others as words of their own
    _references: tuple[str, ...]  # by number of the pattern's group
    _needles: tuple[str, ...]  # one of them stands in every text in which something would be found
    _sure: tuple[tuple[str, str], ...]  # what cannot be mistaken, and what is shown for it

    @classmethod
    def of(cls, values: Mapping[str, str]) -> Redaction:
        """From each value to what is shown for it: `${TOKEN}`."""
        longest_first = sorted((each for each in values if len(each) >= SHORTEST), key=len, reverse=True)
        sure = [value for value in longest_first if cannot_be_mistaken(value)]
        others = [value for value in longest_first if not cannot_be_mistaken(value)]
        patterns = [_anywhere(value) for value in sure]
        return cls(
            _any_of(patterns),
            _any_of([*patterns, *map(as_a_word, others)]),
            tuple(values[value] for value in (*sure, *others)),
            tuple({needle for value in longest_first for needle in _needles(value)}),
            tuple((value, values[value]) for value in sure),
        )

    def everywhere(self, text: str) -> str:
        """`text` without the values that cannot be mistaken: safe for markup, code and data."""
        return self._without(self._everywhere, text)

    def in_words(self, text: str) -> str:
        """`text`, which is for people, without any of the values."""
        return self._without(self._in_words, text)

    def secret_in(self, data: str) -> str:
        """What is shown for the first value in `data` that cannot be mistaken; empty when there is none.

        Looks for the plain value only, and is quick: for data of which there is a piece in every row.
        """
        for value, shown in self._sure:
            if value in data:
                return shown
        return ""

    def _without(self, pattern: re.Pattern[str] | None, text: str) -> str:
        if pattern is None or not any(needle in text for needle in self._needles):
            return text
        return pattern.sub(self._reference, text)

    def _reference(self, found: re.Match[str]) -> str:
        return found[0] if found.lastindex is None else self._references[found.lastindex - 1]


def cannot_be_mistaken(value: str) -> bool:
    """Whether `value` is so long, or so odd, that it stands nowhere by chance."""
    kinds = sum(any(map(kind, value)) for kind in _KINDS)
    return len(value) >= _SURE_OF_ONE_KIND or (len(value) >= _SURE and kinds > 1)


def _any_of(patterns: Iterable[str]) -> re.Pattern[str] | None:
    groups = "|".join(f"({pattern})" for pattern in patterns)
    return re.compile(f"{PUT_BACK}|{groups}") if groups else None


def _anywhere(value: str) -> str:
    return "|".join([*_spellings(value), *map(re.escape, _in_base64(value.encode()))])


def as_a_word(value: str) -> str:
    """A pattern for `value` where it is no part of another word, name or number."""
    return rf"(?<![\w-])(?<!\w\.)(?:{'|'.join(_spellings(value))})(?![\w-])(?!\.\w)"


def _spellings(value: str) -> Iterator[str]:
    """Patterns for the value as it is, and as it is when it was percent-encoded for an address."""
    for text in dict.fromkeys((value, unquote(value))):
        yield "".join(map(_spelled, re.sub(r"(\s)\s*|(\\)\\*", r"\1\2", text.strip() or text)))


def _spelled(character: str) -> str:
    """A pattern for one character in all the ways in which texts escape it, also more than once.

    Backslashes are taken possessively (`*+`), so that a text of nothing else costs no time.
    """
    if character.isascii() and character.isalnum():
        return character
    code, octets = ord(character), character.encode(errors="surrogatepass")
    ways = [
        rf"\\*+{re.escape(character)}",
        "".join(rf"%(?:25)*(?i:{octet:02x})" for octet in octets),  # addresses
        rf"&(?:amp;)*#(?:0*{code}|(?i:x0*{code:x}));",  # HTML
        "".join(rf"\\*+u(?i:{unit:04x})" for unit in _utf_16(character)),  # JSON
        "".join(rf"\\*+x(?i:{octet:02x})" for octet in octets),  # Python: bytes, then texts
        rf"\\*+(?i:x{code:02x}|u{code:04x}|U{code:08x})",
    ]
    if code in _NAMED:
        ways.append(f"&(?:amp;)*{_NAMED[code]};")
    if character == "\\":  # stands for as many as there are
        ways[:2] = [r"\\++", r"(?:%(?:25)*5[Cc])++"]
    if character.isspace():  # the same; a reason is put on one line, and forms write + for a space
        ways += [r"\s", r"\\++[nrtbf]", r"\+", r"%(?:25)*(?:20|0[9A-Da-d])", r"&(?:amp;)*#(?:1[03]|9|32);"]
        return f"(?:{'|'.join(ways)})++"
    return f"(?:{'|'.join(ways)})"


def _utf_16(character: str) -> list[int]:
    units = character.encode("utf-16-be", "surrogatepass")
    return [int.from_bytes(units[at : at + 2], "big") for at in range(0, len(units), 2)]


def _in_base64(value: bytes) -> Iterator[str]:
    """What base64 makes of the value after 0, 1 or 2 other bytes, as far as those and what follows leave it.

    A digit carries 6 bits. Of `lead` bytes, ⌈8·lead/6⌉ digits depend on what stands before; the digits up to
    ⌊8·(lead+n)/6⌋ do not depend on what follows.
    """
    for lead in range(3):
        digits = base64.b64encode(bytes(lead) + value).decode()
        middle = digits[-(-8 * lead // 6) : 8 * (lead + len(value)) // 6]
        yield middle
        yield middle.translate(str.maketrans("+/", "-_"))


def _needles(value: str) -> Iterator[str]:
    """Texts of which at least one stands in whatever `_anywhere` and `as_a_word` find."""
    for text in (value, unquote(value)):
        yield max(re.findall(r"[A-Za-z0-9]+", text), key=len, default="")
    if cannot_be_mistaken(value):
        yield from _in_base64(value.encode())
