"""Ask a Redis or Valkey server one command.

    {redis: PING, on: cache}

True, or anything that is present, is well; a number must lie between `min` and `max`.
"""

from __future__ import annotations

import shlex
from typing import ClassVar

import redis

from seatrial.drivers.redis_client import client_of
from seatrial.model.probe import ProbeSpec
from seatrial.model.problems import Unavailable
from seatrial.model.role import Role
from seatrial.probes.protocol import ProbeKind


class RedisProbe(ProbeKind):
    """One command to a Redis or Valkey server."""

    name: ClassVar[str] = "redis"

    def ask(self, probe: ProbeSpec, role: Role) -> str:
        """What is wrong; empty when the answer is good. Raises Unavailable when there is none."""
        url = str(role.resolved(role.parameters.get("url", "")))
        client = client_of(role.allow_list, role.name, url, probe.within.seconds, decode_responses=True)
        try:
            with client:
                answer = client.execute_command(*shlex.split(probe.question))  # type: ignore[no-untyped-call]
                return probe.judge(answer)
        except (redis.RedisError, ValueError) as error:
            raise Unavailable(str(error)) from error
