r"""How the lines of an access log are made up: nginx's `log_format` and Apache's `LogFormat`, as patterns.

A format string is read from left to right; a variable reaches to the text that follows it in the format, and
one in quotes may hold escaped quotes. Only what tells of instants, lengths, answers and names gets a group of
its own; everything else is skipped.

    $remote_addr [$time_local] "$request" $status $request_time
    %h [%{%d/%b/%Y:%H:%M:%S}t.%{msec_frac}t] "%r" %>s %D
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from seatrial.model.problems import BadInput

Stamp = Literal["begin", "end", "either"]
_Part = Callable[[re.Match[str]], tuple[str, str]]  # what a variable tells, and what stands around it

COMBINED = (
    r'\S+ \S+ .*?\[(?P<clf>[^\]]*)\] "(?P<request>(?:[^"\\]|\\.)*)" (?P<status>\d{3}|-)(?: (?:\d+|-))?'
    r"(?P<rest>.*)"
)
_NGINX = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_APACHE = re.compile(r"%[!0-9,]*[<>]?(?:\{([^}]*)\})?(\^?[A-Za-z]{1,2}|%)")
_NGINX_ROLES = {
    "time_local": "clf",
    "time_iso8601": "iso",
    "msec": "epoch_s",
    "request_time": "took_s",
    "status": "status",
    "request": "request",
    "request_method": "method",
    "uri": "path",
    "request_uri": "path",
    "upstream_addr": "served_by",
}
_APACHE_ROLES = {
    "r": "request",
    "s": "status",
    "m": "method",
    "U": "path",
    "D": "took_us",
    "T": "took_whole_s",
}
_LENGTHS = {"s": "took_whole_s", "ms": "took_ms", "us": "took_us"}
_CLOCKS = {"sec": "epoch_s", "msec": "epoch_ms", "usec": "epoch_us",
           "msec_frac": "frac_ms", "usec_frac": "frac_us"}  # fmt: skip
_CLF_DATES = ("%d/%b/%Y:%H:%M:%S", "%d/%b/%Y:%T", "%d/%b/%Y %H:%M:%S", "%d/%b/%Y %T")
_NGINX_COMBINED = (
    '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent '
    '"$http_referer" "$http_user_agent"'
)
_COMMON = '%h %l %u %t "%r" %>s %b'
KNOWN = {
    "nginx": _NGINX_COMBINED,
    "apache": f'{_COMMON} "%{{Referer}}i" "%{{User-Agent}}i"',
    "apache-common": _COMMON,
    "apache-vhost": f'%v:%p {_COMMON} "%{{Referer}}i" "%{{User-Agent}}i"',
}


@dataclass(frozen=True, slots=True)
class LineFormat:
    """A pattern with a group for each part that is read, and what the instant in it is."""

    pattern: re.Pattern[str]
    stamp: Stamp

    def has(self, *roles: str) -> bool:
        """Whether there is a group for one of these."""
        return any(role in self.pattern.groupindex for role in roles)


GUESSED = LineFormat(re.compile(COMBINED), "either")


def line_format(text: str) -> LineFormat:
    """A format string, or the name of one that is known. Raises BadInput for what cannot be read."""
    text = KNOWN.get(text, text)
    if _NGINX.search(text):
        found = LineFormat(re.compile(_pattern(text, _NGINX, _nginx_part)), "end")
    elif _APACHE.search(text):
        ends = "%{end:" in text
        found = LineFormat(re.compile(_pattern(text, _APACHE, _apache_part)), "end" if ends else "begin")
    else:
        known = ", ".join(KNOWN)
        raise BadInput(
            f"--log-format {text[:60]!r} has no variable of nginx ($status) or Apache (%>s), and is none "
            f"of {known}"
        )
    if not found.has("clf", "iso", "epoch_s", "epoch_ms", "epoch_us"):
        raise BadInput("--log-format has no instant: $time_local, $time_iso8601, $msec or %t")
    if not found.has("status"):
        raise BadInput("--log-format has no $status or %>s, so good and bad requests cannot be told apart")
    return found


def _pattern(text: str, variable: re.Pattern[str], part: _Part) -> str:
    """The regular expression of a whole line."""
    taken: set[str] = set()
    return "".join(_pieces(text, variable, part, taken))


def _pieces(text: str, variable: re.Pattern[str], part: _Part, taken: set[str]) -> Iterator[str]:
    position = 0
    for match in variable.finditer(text):
        yield re.escape(text[position : match.start()])
        position = match.end()
        role, around = part(match)
        if role == "%":
            yield "%"
            continue
        group = f"(?P<{role}>" if role and role not in taken else "(?:"
        taken.add(role)
        yield around.replace("*", f"{group}{_reach(around, text[position : position + 1])})")
    yield re.escape(text[position:])


def _reach(around: str, following: str) -> str:
    """What a variable may hold, by the character that follows it."""
    if around != "*":
        return r"[^\]]*"
    if following == '"':
        return r'(?:[^"\\]|\\.)*'
    if not following:
        return ".*"
    return ".*?" if following in "$%{" else rf"[^{re.escape(following)}]*"


def _nginx_part(match: re.Match[str]) -> tuple[str, str]:
    return _NGINX_ROLES.get(match[1] or match[2], ""), "*"


def _apache_part(match: re.Match[str]) -> tuple[str, str]:
    """The role of `%…` and what Apache puts around it."""
    argument, letter = match[1], match[2]
    if letter == "T":
        return _LENGTHS.get(argument or "s", ""), "*"
    if letter != "t":
        return _APACHE_ROLES.get(letter, "%" if letter == "%" else ""), "*"
    return ("clf", r"\[*\]") if argument is None else (_clock(argument), "*")


def _clock(argument: str) -> str:
    """The role of `%{…}t`."""
    clock = argument.removeprefix("begin:").removeprefix("end:")
    if clock in _CLF_DATES or clock.removesuffix(" %z").removesuffix("%z") in _CLF_DATES:
        return "clf"
    if clock.startswith(("%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%FT%T", "%F %T")):
        return "iso"
    return _CLOCKS.get(clock, "")
