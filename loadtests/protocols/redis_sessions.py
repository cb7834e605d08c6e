"""Visitors whose sessions are kept in Redis or Valkey: each logs in, and is known on the next page.

    locust -f loadtests/protocols/redis_sessions.py --host http://127.0.0.1:9000 --rate 100/s

The environment, or `variables:` of the target, says where it is: REDIS_URL=redis://127.0.0.1:6379/0.

Left to itself the client tries again, and again, before it tells of a failure; here the first one counts.
Each user has a connection of its own.
"""

from __future__ import annotations

import os
import uuid

import redis
from locust import task
from redis.backoff import NoBackoff
from redis.retry import Retry

from seatrial.load import ProtocolUser

URL = os.environ["REDIS_URL"]
ONCE = Retry(NoBackoff(), retries=0)
KEPT_S = 600


class Visitor(ProtocolUser):
    """Somebody who logs in."""

    def on_start(self) -> None:
        """A client, which connects at the first command."""
        self.store = redis.Redis.from_url(URL, retry=ONCE, decode_responses=True)

    def on_stop(self) -> None:
        """Hang up."""
        self.store.close()

    @task
    def visit(self) -> None:
        """Log in, and open a page."""
        session = uuid.uuid4().hex
        with self.measure("SET session", key=session):
            self.store.set(f"session:{session}", "ada", ex=KEPT_S)
        with self.measure("GET session") as m:
            if self.store.get(f"session:{session}") != "ada":
                m.failure("an acknowledged session is gone")
