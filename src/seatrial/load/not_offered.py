"""What our client and its answers do not have of Locust's, and what to write instead.

Locust's `self.client` is a session of requests, or of geventhttpclient, with all that these can do. Most of
it is here under the same name. What is not would change what is measured, or reaches into the library; a
scenario that asks for it is told in one line, at its place, and not by an AttributeError from inside of ours.
"""

from __future__ import annotations

import difflib
import functools
import logging
from collections.abc import Iterable

from locust.exception import LocustError

_NEAREST = {
    "client.send": "client.request(method, url, …), which prepares and sends in one",
    "client.prepare_request": "client.request(method, url, …), which prepares and sends in one",
    "client.get_adapter": "nothing: connections are the load's own",
    "client.adapters": "nothing: connections are the load's own",
    "client.hooks": "a listener of events.request, which is given the response",
    "client.clientpool": "nothing: connections are the load's own",
    "client.urlopen": "client.get(url)",
    "client.useragent": "client.headers",
    "response.raw": "response.content, which is read within the deadline",
    "response.stream": "response.iter_content()",
    "response.next": "response.headers['location']",
    "response.connection": "nothing: connections are the load's own",
    "response.locust_request_meta": "response.request_meta",
    "response.status": "response.status_code",
    "response.body": "response.content",
    "response.data": "response.content",
    "response.info": "response.headers",
    "response.getcode": "response.status_code",
    "response.read": "response.content",
    "proxies=": "the proxy's own address as the host; whom it asks for us cannot be held to an allow list",
    "hooks=": "what the hook does, on the response that is returned",
    "auth=": "(user, password), or a callable that sets headers of the request",
    "timeout=": "seconds, or a pair of them",
}

logger = logging.getLogger(__name__)


class NotOffered(LocustError, AttributeError):  # noqa: N818  # what it is; AttributeError is for hasattr
    """A scenario asked for something that is not here. Its own mistake, told in a line."""

    def __init__(self, what: str, known: Iterable[str] = ()) -> None:
        """`what`: as the scenario would write it. `known`: the names that there are, if it was mistyped."""
        owner, dot, name = what.partition(".")
        close = difflib.get_close_matches(name or owner, list(known), n=1)
        instead = _NEAREST.get(what) or (f"{owner}{dot}{close[0]}" if close and dot else close and close[0])
        super().__init__(f"{what} is not offered here; the nearest is {instead or 'client.request(…)'}")


def missing_attribute(owner: str, name: str, known: Iterable[str]) -> AttributeError:
    """For `__getattr__`: what to raise for `name`."""
    if name.startswith("__"):
        return AttributeError(name)  # Python's own questions
    return NotOffered(f"{owner}.{name}", [each for each in known if not each.startswith("_")])


@functools.cache
def say_unused(what: str, reason: str) -> None:
    """Say once that something is accepted and has no effect."""
    logger.warning("%s has no effect: %s", what, reason)
