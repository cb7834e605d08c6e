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
| client: …                  | in a server's own log: the client went away before it had an answer          |
"""

from __future__ import annotations

import errno
import socket
import ssl

DROPPED = "dropped: "
OWN = "own: "
SCENARIO = "scenario: "
ABANDONED = "abandoned by the scenario"
STOPPED = "unanswered at the end"
KILLED = "unaccounted: the generator died"
CLIENT = "client: "

_OF_THE_MACHINE = {
    errno.EMFILE: "too many open files",
    errno.ENFILE: "too many open files",
    errno.EADDRNOTAVAIL: "no local port left",
    errno.ENOBUFS: "no memory for sockets",
    errno.ENOMEM: "no memory for sockets",
    errno.ENETDOWN: "our network interface is down",
    errno.ENETUNREACH: "no route to the network",
    errno.EACCES: "not permitted by this machine",
    errno.EPERM: "not permitted by this machine",
}
NO_ADDRESS = "no address for the name"  # what our resolver does not find, others may; see `load.names`
_MOST_CAUSES = 20

_WORDS = (DROPPED, OWN, SCENARIO, ABANDONED, STOPPED, "unaccounted: ", CLIENT)


def is_ours(error: str) -> bool:
    """Whether this `error` of a request log is a failure of the generator and not of the service."""
    return error.startswith(_WORDS)


def in_other_words(reason: str) -> str:
    """A reason that somebody else gives, so that it cannot be taken for one of ours."""
    return f"said: {reason}" if is_ours(reason) else reason


def of_the_machine(error: BaseException) -> str:
    """What our own machine failed at, when that is what `error` says; "" when it speaks of somebody else."""
    if isinstance(error, socket.gaierror):
        return NO_ADDRESS
    if not isinstance(error, OSError) or isinstance(
        error, ssl.SSLError
    ):  # whose numbers are not the system's
        return ""
    return _OF_THE_MACHINE.get(error.errno or 0, "")


def behind(error: BaseException) -> str:
    """The same of an error or of anything that caused it: libraries wrap what the system says."""
    cause: BaseException | None = error
    for _ in range(_MOST_CAUSES):
        if cause is None:
            break
        if found := of_the_machine(cause):
            return found
        cause = cause.__cause__ or cause.__context__
    return ""
