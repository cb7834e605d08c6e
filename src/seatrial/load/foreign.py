"""Failures of clients that are not ours (databases, brokers, RPC …), in few and stable words.

Their exceptions are wrapped, many lines long, and full of addresses and numbers. What they come down to is in
one of three places: in a cause that is the system's own (`ConnectionRefusedError`), in a code of the protocol
(gRPC's status, SQLSTATE), or in the text alone, for libraries that connect in C. Our own machine's failures
and the scenario's mistakes are told apart here as well: neither is evidence against the service.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gevent import Timeout
from locust.exception import LocustError

from seatrial.load import failure
from seatrial.model.ownfailure import OWN, SCENARIO, behind, in_other_words
from seatrial.model.secrets import shown

LONGEST = 200  # characters; scenarios put whole answers into error texts
_MOST_CAUSES = 20
_OURS = "seatrial."  # what our own code raises is about the scenario, but for an answer that did not come

# A slip of whoever wrote the code. Other exceptions of Python's own are raised on purpose as well.
_SLIPS = (NameError, AttributeError, TypeError, LookupError, ArithmeticError, ImportError, RecursionError)
_OF_THE_SYSTEM = (OSError, EOFError)

_ADDRESS = re.compile(
    r"(?:ipv[46]:)?(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-fA-F:%.]+\])(?::\d+)?|\bport \d+|\b0x[0-9a-f]+"
)
_PHRASES = ("connection refused", "connection reset", "connection timed out", "broken pipe")


def told(error: object) -> str:
    """The text for what somebody reports as a failure: an exception, a sentence or a number."""
    if not isinstance(error, BaseException):
        return _short(in_other_words(str(error)))
    if isinstance(error, _SLIPS) and error.__traceback__ is not None and _is_pythons(error):
        return mistaken(error)
    return described(error)


def described(error: BaseException) -> str:
    """The text for an exception that left a client."""
    if ours := behind(error):
        return OWN + ours
    if isinstance(error, Timeout):
        return "timed out"
    for cause in _causes(error):
        if isinstance(cause, OSError | failure.Unanswered) and (cause.args or cause is error):
            found = failure.describe(cause, handed_over=True)
            if found != "network: unknown":
                return found
    return _short(in_other_words(_by_code(error) or _by_text(error)))


def is_the_scenarios(error: BaseException) -> bool:
    """Whether an exception that left a measured block tells of the scenario's code and not of the service.

    Python's own are (`KeyError`, `AssertionError` …) but for the system's; libraries have classes of their
    own for what they hear from a service.
    """
    if isinstance(error, failure.Unanswered):
        return False
    by_us = type(error).__module__.startswith(_OURS) or isinstance(error, LocustError)
    return by_us or (_is_pythons(error) and not isinstance(error, _OF_THE_SYSTEM))


def mistaken(error: BaseException) -> str:
    """The text for one of those."""
    return _short(f"{SCENARIO}{type(error).__name__}: {error}")


def _is_pythons(error: BaseException) -> bool:
    return type(error).__module__ == "builtins"


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    for _ in range(_MOST_CAUSES):
        if cause is None:
            return
        yield cause
        cause = cause.__cause__ or cause.__context__


def _by_code(error: BaseException) -> str:
    """gRPC's calls have `code()` and `details()`, errors of databases a `sqlstate`."""
    code, details = getattr(error, "code", None), getattr(error, "details", None)
    if callable(code) and callable(details):
        return f"gRPC {getattr(code(), 'name', code())}: {_said(str(details()))}"
    state = getattr(error, "sqlstate", None)
    return f"SQLSTATE {state}: {type(error).__name__}" if isinstance(state, str) else ""


def _by_text(error: BaseException) -> str:
    kind, said = type(error).__name__, _said(str(error))
    return f"{kind}: {said}" if said else kind


def _said(text: str) -> str:
    lowered = text.lower()
    phrase = next((each for each in _PHRASES if each in lowered), "")
    if phrase:
        return "connection reset" if phrase == "broken pipe" else phrase
    return _ADDRESS.sub("…", next(iter(text.strip().splitlines()), ""))


def _short(text: str) -> str:
    return shown(" ".join(text.split()))[:LONGEST]  # first whole: half a secret is not recognised
