"""What a master and its workers say to each other about a test, so that each knows it is from the other.

Locust's port takes what anybody sends. So whatever a verdict rests on (round trips, rows, the order to start)
goes in one kind of message, with an HMAC-SHA256 over it by a secret that both were given. What this does not
do: nothing is encrypted, rows and options can be read on the way (tunnel the port through SSH or a VPN where
that matters); and Locust's own messages (statistics, heartbeats, stop) are believed as ever, so who reaches
the port can disturb a test, though not have rows or a pass of his own making.

A message names who it is from and which test it belongs to, so none counts when it is sent back or in another
test. Sent twice in the same test it does no harm: rows have their place in a file, answers their question.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

import msgpack  # type: ignore[import-untyped]

MESSAGE = "seatrial"  # the kind of Locust's messages that ours are
SECRET = "SEATRIAL_WORKERS_KEY"  # noqa: S105  # the variable of a master and of its workers
MASTER = "master"  # whom the master's messages are from; a worker's are from its id
LEASE_S = 5.0  # who has heard nothing for so long takes the other for lost


def take_secret() -> bytes:
    """The secret of this process, which programs that a scenario runs do not inherit; empty without one."""
    return os.environ.pop(SECRET, "").encode()


def sealed(key: bytes, sender: str, **said: Any) -> dict[str, bytes]:
    """A message, ready to be sent."""
    body = msgpack.packb({**said, "from": sender})
    return {"body": body, "seal": hmac.digest(key, body, "sha256")}


def opened(key: bytes, sender: str, data: Any) -> Mapping[str, Any] | None:
    """What `sealed` was given; None unless it is from `sender` and whole."""
    if not isinstance(data, Mapping):
        return None
    body, seal = data.get("body"), data.get("seal")
    if not isinstance(body, bytes) or not isinstance(seal, bytes):
        return None
    if not hmac.compare_digest(seal, hmac.digest(key, body, "sha256")):
        return None
    said: Mapping[str, Any] = msgpack.unpackb(body)
    return said if said.get("from") == sender else None


def wrong_with_listening(host: str, key: bytes) -> str:
    """Why a master must not listen there; "" when it may."""
    if key or is_loopback(host):
        return ""
    where = "every address" if host == "*" else host
    return (
        f"the master listens on {where}, and nothing tells its workers from anybody else; set {SECRET} to a "
        "secret for it and for them, or let it listen to this machine: --master-bind-host 127.0.0.1"
    )


def is_loopback(host: str) -> bool:
    """Whether only processes of this machine come there; SSH may bring others, encrypted on their way."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
