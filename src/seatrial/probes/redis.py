"""Ask a Redis or Valkey server one command."""

from __future__ import annotations

import shlex

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from seatrial.faults.protocol import Role
from seatrial.model.probe import ProbeSpec


def ask(probe: ProbeSpec, role: Role) -> str:
    """What is wrong; empty when the answer is good."""
    url = str(role.resolved(role.parameters.get("url", "")))
    patience_s = probe.within.seconds
    try:
        client = redis.Redis.from_url(
            url,
            socket_timeout=patience_s,
            socket_connect_timeout=patience_s,
            retry=Retry(NoBackoff(), 0),  # the default retries in silence, and an outage would be hidden
            decode_responses=True,
        )
        with client:
            role.require_allowed(str(client.connection_pool.connection_kwargs.get("host", "localhost")))
            answer = client.execute_command(*shlex.split(probe.question))  # type: ignore[no-untyped-call]
            return probe.judge(answer)
    except (redis.RedisError, ValueError) as error:
        return f"{probe}: {error}"
