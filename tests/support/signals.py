"""Children that heed signals, whatever the parent of the tests has decided about its own.

A script's background job and `nohup` ignore SIGINT or SIGHUP, and what is ignored is inherited. A test that
interrupts a program says so, and does not count on who started the tests.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def dispositions(how: signal.Handlers, *numbers: signal.Signals) -> Iterator[None]:
    """Programs that are started in this block have these signals at SIG_DFL, or ignored, and not blocked."""
    before = {number: signal.signal(number, how) for number in numbers}
    mask = signal.pthread_sigmask(signal.SIG_UNBLOCK, numbers)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


@contextmanager
def heeded(*numbers: signal.Signals) -> Iterator[None]:
    """Programs that are started in this block heed these signals."""
    with dispositions(signal.SIG_DFL, *numbers):
        yield
