"""The load side: open-model arrivals driven by Locust, every request on record.

`OpenLoopUser` is loaded on first use, because importing it imports Locust, and Locust replaces the standard
library's sockets and threads with gevent's. The conductor, which only starts a load generator and tails its
log (`seatrial.load.launch`), must stay an ordinary process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seatrial.load.user import OpenLoopUser

__all__ = ["OpenLoopUser"]


def __getattr__(name: str) -> type[OpenLoopUser]:
    if name != "OpenLoopUser":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from seatrial.load import hooks  # noqa: PLC0415  # lazily, for the reason above
    from seatrial.load.user import OpenLoopUser  # noqa: PLC0415

    hooks.register()
    globals()[name] = OpenLoopUser
    return OpenLoopUser
