"""Reads the entry points of what is installed once: gevent has them read for each module that it patches.

It asks some 26 times while Locust is being imported, and each time the metadata of every installed package is
read: with 200 packages a third of the CPU time in which a load process starts. Importing this module is all
there is to do; whoever adds to `sys.path` afterwards asks anew.
"""

from __future__ import annotations

import functools
import importlib.metadata
import sys
from typing import Any

_read: Any = importlib.metadata.entry_points  # its annotations still tell of what it gave back before 3.12


@functools.cache
def _all(_places: tuple[str, ...]) -> importlib.metadata.EntryPoints:
    found: importlib.metadata.EntryPoints = _read()
    return found


def entry_points(**asked: Any) -> importlib.metadata.EntryPoints:
    """Those that match, as `importlib.metadata.entry_points` finds them."""
    return _all(tuple(sys.path)).select(**asked)


importlib.metadata.entry_points = entry_points  # type: ignore[assignment]
