"""How stock `locust -f FILE --rate …` gets to know of the load, with a file that never heard of it.

Locust itself looks for no plugins. gevent does: whenever a program has patched the standard library, it calls
the entry points of the group `gevent.plugins.monkey.did_patch_all`, and that is the first thing that
importing Locust does. So where seatrial is installed, this is called in every program that gevent patches. If
the program is `locust`, the options are added as soon as its `main` is there; any other is left alone.

Without `--rate`, and without a class of seatrial's own, `locust` then does what it always did.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Sequence
from types import ModuleType

_MAIN = "locust.main"


def patched(event: object) -> None:  # noqa: ARG001  # what gevent tells
    """Called by gevent, while Locust is being imported or somebody else is."""
    if "locust" in sys.modules and _MAIN not in sys.modules:
        sys.meta_path.insert(0, _Finder())


class _Finder(importlib.abc.MetaPathFinder):
    """Waits for `locust.main` to be imported, once."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Python asks for every module that is not there yet."""
        if name != _MAIN:
            return None
        sys.meta_path.remove(self)
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader)
        return spec


class _Loader(importlib.abc.Loader):
    """Loads it as ever, and registers then."""

    def __init__(self, loader: importlib.abc.Loader) -> None:
        self._loader = loader

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        """As ever."""
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """As ever, and then ours."""
        self._loader.exec_module(module)
        from seatrial.load import hooks  # noqa: PLC0415  # not in programs that only patch

        hooks.register()
