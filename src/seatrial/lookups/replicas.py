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
from typing import Any, ClassVar

from seatrial.drivers.httpclient import Answer, HttpClient
from seatrial.drivers.replicas import ReplicasBinding
from seatrial.lookups.recorder import Recorder, RunFacts
from seatrial.model.problems import Unavailable
from seatrial.model.role import Role
from seatrial.waiting import look_until

_PAGE = 1_000
_MOST_PAGES = 10_000
_LOOK_EVERY_S = 0.05


class Replicas(Recorder[bytes]):
    """The states and histories of all replicas, as JSON."""

    name: ClassVar[str] = "replicas"
    drivers: ClassVar[tuple[str, ...]] = (ReplicasBinding.driver,)

    def record(self, role: Role, run: RunFacts) -> bytes:  # noqa: ARG002  # it is asked for all that it holds
        self.fit(role)
        return record(role)

    def evidence(self, data: bytes) -> str:
        return data.decode()


def record(
    role: Role, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
) -> bytes:
    """The recording as JSON. Raises BadInput, or Unavailable when a replica does not answer."""
    bound = role.bound_to(ReplicasBinding)
    with HttpClient(role.allow_list, role.name, bound.timeout.seconds) as client:
        states, agreed_after_s = _await_agreement(client, bound, clock, sleep)
        replicas = [
            {
                "region": region,
                "state": states[region].text,
                "digest": states[region].headers.get("x-state-digest", ""),
                "history": _history(client, role.name, url),
            }
            for region, url in bound.replicas.items()
        ]
    return json.dumps({"agreed_after_s": agreed_after_s, "replicas": replicas}).encode()


def _await_agreement(
    client: HttpClient,
    bound: ReplicasBinding,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
) -> tuple[dict[str, Answer], float | None]:
    """The states, and after how long they agreed (None: not in time, or they still move)."""
    started_s = clock()
    before: set[bytes] = set()

    def look() -> tuple[dict[str, Answer], float | None]:
        nonlocal before
        asked_s = clock() - started_s
        states = {region: _get(client, f"{url.rstrip('/')}/state") for region, url in bound.replicas.items()}
        now = {state.content for state in states.values()}
        agree, before = len(now) == 1 and now == before, now
        return states, asked_s if agree else None

    return look_until(
        look,
        lambda found: found[1] is not None,
        bound.within.seconds,
        _LOOK_EVERY_S,
        clock=clock,
        sleep=sleep,
    )


def _history(client: HttpClient, role: str, url: str) -> list[Any]:
    """Every operation that a replica tells of, in the order in which they came to it."""
    operations: list[Any] = []
    after = 0
    for _ in range(_MOST_PAGES):
        answer = _get(client, f"{url.rstrip('/')}/history?after={after}&limit={_PAGE}")
        match answer.json():
            case {"operations": list(page), "next": None}:
                return operations + page
            case {"operations": list(page), "next": int(following)} if following > after:
                operations += page
                after = following
            case _:
                raise Unavailable(f"{answer.to}: is no page of a history: {answer.opening}")
    raise Unavailable(f"{role}: {url}/history has no end after {_MOST_PAGES * _PAGE:,} operations")


def _get(client: HttpClient, url: str) -> Answer:
    answer = client.ask("GET", url)
    if not answer.is_success:
        raise Unavailable(f"{answer.to}: HTTP {answer.status}")
    return answer
