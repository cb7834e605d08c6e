"""To be the parent of whatever is left without one: what nobody waits for is found as a child of ours."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil

_PR_SET_CHILD_SUBREAPER = 36
_libc = ctypes.CDLL(None, use_errno=True)


def zombies_of(pid: int) -> set[int]:
    """Children of a process that have ended and that it has not waited for."""
    children = psutil.Process(pid).children()
    return {child.pid for child in children if child.status() == psutil.STATUS_ZOMBIE}


@contextmanager
def adopting() -> Iterator[Callable[[], set[int]]]:
    """Adopt what processes that we started leave behind; the result tells which of them are zombies."""
    before = zombies_of(os.getpid())
    assert _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
    try:
        yield lambda: zombies_of(os.getpid()) - before
    finally:
        _libc.prctl(_PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
        for pid in zombies_of(os.getpid()) - before:
            os.waitpid(pid, 0)
