"""The load side: open-model arrivals driven by Locust, every request on record.

What scenarios use is loaded on first use, because importing it imports Locust, and Locust replaces the
standard library's sockets and threads with gevent's. The conductor, which only starts a load generator and
tails its log (`seatrial.load.launch`), must stay an ordinary process.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seatrial.load.measured import measure
    from seatrial.load.user import OpenLoopUser, ProtocolUser

__all__ = ["OpenLoopUser", "ProtocolUser", "measure"]

_HOME = {
    "OpenLoopUser": "seatrial.load.user",
    "ProtocolUser": "seatrial.load.user",
    "measure": "seatrial.load.measured",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from seatrial.load import hooks  # noqa: PLC0415  # lazily, for the reason above

    hooks.register()
    globals()[name] = found = getattr(import_module(_HOME[name]), name)
    return found
