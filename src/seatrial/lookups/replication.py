"""How far each server of a PostgreSQL cluster has written or replayed: asked ten times a second during a run.

PostgreSQL's own views answer: `pg_current_wal_lsn()` and `pg_stat_replication` of who leads,
`pg_last_wal_replay_lsn()` of who follows. Each server is looked at by itself, so that one which hangs keeps
nobody from looking at the others, and every look has an end.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any, ClassVar

from seatrial.drivers.replication import ReplicationBinding
from seatrial.lookups.recorder import Looker, Series, Watcher
from seatrial.model.looks import Look
from seatrial.model.problems import Unavailable
from seatrial.model.replication import ServerSeen, StandbySeen
from seatrial.model.role import Role

SERVERS = ReplicationBinding.driver
_ANSWER_WITHIN_S = 1.5
_QUESTION = """
SELECT pg_is_in_recovery(),
    (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END
        - '0/0'::pg_lsn)::bigint,
    (SELECT coalesce(json_agg(json_build_array(application_name, sync_state,
        extract(epoch FROM replay_lag), (sent_lsn - replay_lsn)::bigint)), '[]') FROM pg_stat_replication)
"""


class Replication(Watcher[ServerSeen]):
    """The servers of a cluster, look by look."""

    name: ClassVar[str] = "replication"
    drivers: ClassVar[tuple[str, ...]] = (ReplicationBinding.driver,)
    every_s: ClassVar[float] = 0.1

    def lookers(self, role: Role) -> Mapping[str, Looker[ServerSeen]]:
        self.fit(role)
        servers = role.bound_to(ReplicationBinding).servers
        return {name: Server(role, name, url) for name, url in servers.items()}

    def evidence(self, data: Series[ServerSeen]) -> str:
        return json.dumps({name: [_written(look) for look in looks] for name, looks in data.items()})


class Server:
    """One server, by a connection that is kept for as long as it answers."""

    def __init__(self, role: Role, name: str, url: str) -> None:
        self._role, self._name, self._url = role, name, url
        self._loop: asyncio.AbstractEventLoop | None = None
        self._connection: Any = None

    def seen(self) -> ServerSeen:
        """What it says of itself. Raises Unavailable."""
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
        try:
            return self._loop.run_until_complete(asyncio.wait_for(self._ask(), _ANSWER_WITHIN_S))
        except BaseException as error:
            self._forget()
            if isinstance(error, TimeoutError):
                raise Unavailable(f"{self._name}: no answer within {_ANSWER_WITHIN_S:g} s") from error
            raise

    def close(self) -> None:
        self._forget()
        if self._loop is not None:
            self._loop.close()

    async def _ask(self) -> ServerSeen:
        import psycopg  # noqa: PLC0415  # when it is asked

        from seatrial.drivers.libpq import parameters_of  # noqa: PLC0415  # the same

        try:
            if self._connection is None:
                parameters = parameters_of(self._role.allow_list, self._role.name, self._url)
                parameters["application_name"] = "seatrial replication"
                self._connection = await psycopg.AsyncConnection.connect(**parameters, autocommit=True)
            row = await (await self._connection.execute(_QUESTION)).fetchone()
        except psycopg.Error as error:
            first = next(iter(str(error).strip().splitlines()), type(error).__name__)
            raise Unavailable(f"{self._name}: {first[:200]}") from error
        in_recovery, lsn, standbys = row
        if lsn is None:
            raise Unavailable(f"{self._name}: has replayed nothing yet")
        return ServerSeen(not in_recovery, int(lsn), tuple(map(_standby, standbys)))

    def _forget(self) -> None:
        """Hang up without a word: a server that does not answer is not waited for."""
        if self._connection is not None:
            self._connection.pgconn.finish()
            self._connection = None


def _standby(written: list[Any]) -> StandbySeen:
    name, sync_state, replay_lag_s, behind_bytes = written
    return StandbySeen(
        str(name), str(sync_state), None if replay_lag_s is None else float(replay_lag_s), behind_bytes
    )


def _written(look: Look[ServerSeen]) -> dict[str, Any]:
    told: dict[str, Any] = {"asked_s": round(look.asked_s, 6), "answered_s": round(look.answered_s, 6)}
    if look.seen is None:
        return {**told, "error": look.error}
    standbys = [
        {"name": each.name, "sync": each.sync_state, "replay_lag_s": each.replay_lag_s,
         "behind_bytes": each.behind_bytes}
        for each in look.seen.standbys
    ]  # fmt: skip
    return {
        **told,
        "primary": look.seen.primary,
        "lsn": look.seen.lsn,
        **({"standbys": standbys} if standbys else {}),
    }
