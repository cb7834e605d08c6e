"""Every way in which a server may be hostile, all at once: each row says which, and nothing is left of any."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.hostile_server import hostile
from tests.support.misbehaviour import BEHAVIOURS, DEADLINE, Found, addresses

_SEED, _TIMES = 13, 3

CLIENT = """
    import gc, os

    def ask(name, address):
        client = new_client(deadline_s=2.0 if name in {slow} else 60.0)
        client.verify = {authority!r}
        client.get(address, name=name)

    def ask_all(order):
        gevent.joinall([gevent.spawn(ask, *each) for each in order], raise_error=True)
        pools.close()
        return len(os.listdir("/proc/self/fd"))

    ask_all({fast})  # what is loaded and made once
    gc.collect()
    gc.disable()
    before = ask_all([])
    result = [ask_all({order}) - before, gc.collect()]
"""


def test_each_way_to_be_hostile_is_told_and_leaves_nothing(
    run_client: Callable[[str], tuple[Any, list[dict[str, Any]]]], tmp_path: Path
) -> None:
    slow = [name for name, each in BEHAVIOURS.items() if each.reason == DEADLINE]
    with hostile(tmp_path) as server:
        order = addresses(server.ports) * _TIMES
        random.Random(_SEED).shuffle(order)
        fast = [each for each in addresses(server.ports) if each[0] not in slow]
        code = CLIENT.format(slow=slow, authority=str(server.authority), order=order, fast=fast)
        left, rows = run_client(code)
        counts = server.counts()
    assert left == [0, 0]  # files, and objects that only a collection of garbage would free
    said = Counter((row["name"], row["error"]) for row in rows)
    assert Found(said, counts["asked"], counts["crossed"]).wrong() == []
    assert (counts["connections"], counts["failures"]) == (0, {})
    assert len(rows) == len(order) + len(fast)
    assert all(row["ended"] == (row["error"] != DEADLINE) for row in rows)
    assert all(row["ok"] == (row["error"] == "") for row in rows)
