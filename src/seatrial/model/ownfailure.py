"""Failures that are the load generator's own, told apart from those of the service by their text.

What a request log says of a bad request is evidence against the service only if the service had its chance:
the request went out, and a whole deadline passed, or an answer came that was wrong. Everything else happened
on our side, and the generator says so in the log's `error` column with one of the words below. A reason that
a scenario gives in its own words never begins with one of them (see `in_other_words`).

| text                       | what happened                                                                |
|----------------------------|------------------------------------------------------------------------------|
| dropped: …                 | never sent: too many in flight, no descriptor, no port, no address for a name |
| own: …                     | sent, and then our own machine or our own code failed                        |
| scenario: …                | answered, and the scenario's code raised while it looked at the answer       |
| abandoned by the scenario  | the scenario's own timer ended the wait                                      |
| unanswered at the end      | the load was ended while the request was under way                           |
| unaccounted: …             | the generator died while the request was under way                           |
"""

from __future__ import annotations

DROPPED = "dropped: "
OWN = "own: "
SCENARIO = "scenario: "
ABANDONED = "abandoned by the scenario"
STOPPED = "unanswered at the end"
KILLED = "unaccounted: the generator died"

_WORDS = (DROPPED, OWN, SCENARIO, ABANDONED, STOPPED, "unaccounted: ")


def is_ours(error: str) -> bool:
    """Whether this `error` of a request log is a failure of the generator and not of the service."""
    return error.startswith(_WORDS)


def in_other_words(reason: str) -> str:
    """A reason that somebody else gives, so that it cannot be taken for one of ours."""
    return f"said: {reason}" if is_ours(reason) else reason
