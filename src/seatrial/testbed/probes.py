"""Ask a part whether it is ready."""

from __future__ import annotations

import asyncio
from pathlib import Path

from seatrial.testbed.part import Probe

_EVERY_S = 0.03
_ANSWER_WITHIN_S = 2.0
_LONGEST_ANSWER = 65_536


async def until_true(probe: Probe) -> None:
    """Returns once the probe succeeds. Bound it with a time-out."""
    while not await succeeds(probe):
        await asyncio.sleep(_EVERY_S)


async def succeeds(probe: Probe) -> bool:
    """One attempt."""
    try:
        async with asyncio.timeout(_ANSWER_WITHIN_S):
            return await _attempt(probe)
    except (OSError, TimeoutError):
        return False


async def _attempt(probe: Probe) -> bool:
    at = probe.endpoint
    opening = asyncio.open_unix_connection(at) if isinstance(at, Path) else asyncio.open_connection(*at)
    reader, writer = await opening
    try:
        if not probe.expect:
            return True
        writer.write(probe.send)
        answer = b""
        while probe.expect not in answer and len(answer) < _LONGEST_ANSWER:
            more = await reader.read(4096)
            if not more:
                return False
            answer += more
        return probe.expect in answer
    finally:
        writer.close()
