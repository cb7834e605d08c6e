"""Which worker gets which test: all that need a testbed go to one, which begins with them.

xdist's own groups would do, but marks a group in an attribute that pytest has no more from 9.1 on: then each
worker has a testbed of its own, and two cores carry three of them.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling

_END_TO_END = "tests/e2e/"


class OneTestbed(LoadScopeScheduling):  # type: ignore[misc]  # xdist ships no types
    """Every other test goes to whoever is free; the largest group is given out first."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return "testbed" if _speaks_of_testbeds(str(self.config.rootpath / file), file) else nodeid


def uses_testbeds(item: pytest.Item) -> bool:
    """Whether a test is among those that go to one worker."""
    return _speaks_of_testbeds(str(item.path), item.nodeid.partition("::")[0])


@cache
def _speaks_of_testbeds(path: str, file: str) -> bool:
    return file.startswith(_END_TO_END) and "testbed" in Path(path).read_text()
