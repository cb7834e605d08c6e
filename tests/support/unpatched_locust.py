"""Locust in the process of the tests, whose sockets and threads stay those of the standard library.

Import this before anything of `seatrial.load` that imports Locust. What needs gevent's sockets is tested in
processes of its own.
"""

from __future__ import annotations

import pytest

with pytest.MonkeyPatch.context() as environment:
    environment.setenv("LOCUST_SKIP_MONKEY_PATCH", "1")  # only now: processes that tests start are patched
    import locust  # noqa: F401
