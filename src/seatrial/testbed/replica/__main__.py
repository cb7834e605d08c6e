"""Serve a region's replica:

python -m seatrial.testbed.replica --region east --port 9101 --peer west=http://127.0.0.1:9102 --data DIR
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sqlite3
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from seatrial.model.problems import BadInput, SeatrialError
from seatrial.testbed.replica.log import OperationLog
from seatrial.testbed.replica.replica import PhysicalClock, Replica
from seatrial.testbed.replica.replication import Replication
from seatrial.testbed.replica.service import Service
from seatrial.testbed.serving import server

MAX_DRIFT_S = 30.0


@dataclass(frozen=True, slots=True)
class ReplicaSettings:
    """What a replica is told when it starts."""

    region: str
    host: str
    port: int
    peers: dict[str, str]  # region → URL
    data: Path
    clock_offset_s: float
    max_drift_s: float
    operators: frozenset[str]  # addresses, beside this machine's own, that may use /admin

    @classmethod
    def parse(cls, arguments: Sequence[str] | None) -> ReplicaSettings:
        """From a command line. Raises BadInput."""
        parser = argparse.ArgumentParser(prog="python -m seatrial.testbed.replica", description=__doc__)
        parser.add_argument("--region", required=True, help="its name, which no other region has")
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, required=True)
        parser.add_argument("--peer", action="append", default=[], metavar="REGION=URL", help="repeatable")
        parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="for its operation log")
        parser.add_argument(
            "--clock-offset",
            type=float,
            default=os.environ.get("CLOCK_OFFSET_S", "0"),
            metavar="SECONDS",
            help="by how much its clock is wrong ($CLOCK_OFFSET_S)",
        )
        parser.add_argument(
            "--max-drift",
            type=float,
            default=MAX_DRIFT_S,
            metavar="SECONDS",
            help="by how much clocks may differ (default: %(default)g)",
        )
        parser.add_argument(
            "--operator",
            action="append",
            default=[],
            metavar="ADDRESS",
            help="who may use /admin, beside this machine; repeatable",
        )
        given = parser.parse_args(arguments)
        peers = dict(_peer(text) for text in given.peer)
        if given.region in peers:
            raise BadInput(f"--peer {given.region}: a region is no peer of its own")
        return cls(
            region=given.region,
            host=given.host,
            port=given.port,
            peers=peers,
            data=given.data,
            clock_offset_s=given.clock_offset,
            max_drift_s=given.max_drift,
            operators=frozenset(given.operator),
        )


def _peer(text: str) -> tuple[str, str]:
    region, _, url = text.partition("=")
    if not region or not url.startswith(("http://", "https://")):
        raise BadInput(f"--peer {text}: write it like west=http://127.0.0.1:9102")
    return region, url.rstrip("/")


async def serve(settings: ReplicaSettings) -> None:
    """Serve until SIGTERM. Raises BadInput or Unavailable when the log cannot be had."""
    try:
        log = OperationLog(settings.data, settings.region)
        replica = Replica(log, settings.region, PhysicalClock(settings.clock_offset_s), settings.max_drift_s)
    except (sqlite3.Error, ValueError) as error:
        raise BadInput(f"{settings.data}: the operation log is damaged: {error}") from error
    service = Service(replica, log, Replication.between(replica, log, settings.peers), settings.operators)
    await server(service.application(), settings.host, settings.port).serve()


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code."""
    try:
        asyncio.run(serve(ReplicaSettings.parse(arguments)))
    except SeatrialError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
