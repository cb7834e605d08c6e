"""Compiles every test and runs nothing of it: workers that begin at once would each compile them all.

A plugin for `pytest -p tests.support.compiled --collect-only`, which then finds no tests. Pytest compiles what it
is about to execute; a module that has no builtins ends at its first import, and is on disk by then.
"""

from __future__ import annotations

from contextlib import suppress
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Compile a test, and have it collected by nobody."""
    if not collection_path.match("test_*.py"):
        return None
    loader: Any = config.pluginmanager.rewrite_hook
    spec = spec_from_file_location(collection_path.stem, collection_path, loader=loader)
    assert spec is not None
    module = module_from_spec(spec)
    vars(module)["__builtins__"] = {}
    with suppress(ImportError):
        loader.exec_module(module)
    return True
