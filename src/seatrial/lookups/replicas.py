"""Record what the replicas of a service say after a run, once they agree or have had time to.

    regions:
      driver: replicas
      replicas: {east: "http://127.0.0.1:9101", west: "http://127.0.0.1:9102"}
      within: 30s

Each replica is asked `GET /state` (header X-State-Digest) until all states are equal twice in a row, then
`GET /history?after=&limit=`, page by page. The form of the recording is told in `seatrial.checks.replicas`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import httpx

from seatrial.drivers.replicas import ReplicasBinding
from seatrial.faults.protocol import Role
from seatrial.model.problems import Unavailable

_PAGE = 1_000
_MOST_PAGES = 10_000
_LOOK_EVERY_S = 0.05


def record(
    role: Role, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
) -> bytes:
    """The recording as JSON. Raises BadInput, or Unavailable when a replica does not answer."""
    bound = role.bound_to(ReplicasBinding)
    for url in bound.replicas.values():
        role.require_allowed(httpx.URL(url).host)
    with httpx.Client(timeout=bound.timeout.seconds, trust_env=False) as client:
        states, agreed_after_s = _await_agreement(client, role.name, bound, clock, sleep)
        replicas = [
            {
                "region": region,
                "state": states[region].text,
                "digest": states[region].headers.get("X-State-Digest", ""),
                "history": _history(client, role.name, url),
            }
            for region, url in bound.replicas.items()
        ]
    return json.dumps({"agreed_after_s": agreed_after_s, "replicas": replicas}).encode()


def _await_agreement(
    client: httpx.Client,
    role: str,
    bound: ReplicasBinding,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
) -> tuple[dict[str, httpx.Response], float | None]:
    """The states, and after how long they agreed (None: not in time, or they still move)."""
    started_s = clock()
    before: set[bytes] = set()
    while True:
        asked_s = clock() - started_s
        states = {
            region: _get(client, role, f"{url.rstrip('/')}/state") for region, url in bound.replicas.items()
        }
        now = {state.content for state in states.values()}
        if len(now) == 1 and now == before:
            return states, asked_s
        if asked_s > bound.within.seconds:
            return states, None
        before = now
        sleep(_LOOK_EVERY_S)


def _history(client: httpx.Client, role: str, url: str) -> list[Any]:
    """Every operation that a replica tells of, in the order in which they came to it."""
    operations: list[Any] = []
    after = 0
    for _ in range(_MOST_PAGES):
        answer = _get(client, role, f"{url.rstrip('/')}/history?after={after}&limit={_PAGE}")
        try:
            page = answer.json()
            operations += page["operations"]
            following = page["next"]
        except (ValueError, KeyError, TypeError) as error:
            raise Unavailable(f"{role}: {answer.url}: not a page of a history: {error}") from error
        if following is None:
            return operations
        after = int(following)
    raise Unavailable(f"{role}: {url}/history has no end after {_MOST_PAGES * _PAGE:,} operations")


def _get(client: httpx.Client, role: str, url: str) -> httpx.Response:
    try:
        answer = client.get(url)
    except httpx.HTTPError as error:
        raise Unavailable(f"{role}: GET {url}: {error}") from error
    if not answer.is_success:
        raise Unavailable(f"{role}: GET {url}: HTTP {answer.status_code}")
    return answer
