"""What a signal does to a command: it ends in good order, however it is asked, and once.

SIGINT (Ctrl-C), SIGTERM (a supervisor) and SIGHUP (the terminal was closed, the ssh connection dropped) are
one request. It comes as KeyboardInterrupt, so that every `finally` on the way runs; where something must be
brought to its end first (a run, an undo, a testbed on its way down) it is only noted, see `shielded`. Asking
again changes nothing: what is being wound up is not to be broken off in the middle.

A signal of the terminal that was ignored when we began stays ignored: a script's background job shall not
hear the Ctrl-C that is meant for the script, and `nohup` means what it says. SIGTERM is sent on purpose,
and is always heard.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

_OF_THE_TERMINAL = (signal.SIGINT, signal.SIGHUP)

_asked = threading.Event()
_shields: list[None] = []


@contextlib.contextmanager
def listening() -> Iterator[None]:
    """Hear these signals for the length of a command. In the main thread only, as Python has it."""
    _asked.clear()
    heard = [
        signal.SIGTERM,
        *(each for each in _OF_THE_TERMINAL if signal.getsignal(each) is not signal.SIG_IGN),
    ]
    before = {number: signal.signal(number, _hear) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def shielded() -> Iterator[threading.Event]:
    """Nothing in this block is broken off; the event says whether somebody has asked for the end."""
    _shields.append(None)
    try:
        yield _asked
    finally:
        _shields.pop()


def end_if_asked() -> None:
    """After a shielded block that others follow: raise KeyboardInterrupt if the end was asked for in it."""
    if _asked.is_set():
        raise KeyboardInterrupt


def _hear(_number: int, _frame: FrameType | None) -> None:
    """The handler. It prints nothing: it may have interrupted somebody who holds the stream's lock."""
    first = not _asked.is_set()
    _asked.set()
    if first and not _shields:
        raise KeyboardInterrupt
