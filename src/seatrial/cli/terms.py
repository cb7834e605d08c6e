"""Quantities and places as options and arguments give them."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast, get_args

from seatrial.model.allow import LOOPBACK, AllowList
from seatrial.model.offeredrate import OfferedRate
from seatrial.model.problems import BadInput, nearest
from seatrial.model.quantities import Duration, Rate
from seatrial.model.verdict import Verdict
from seatrial.model.workers import ALONE, MOST_ON_A_MACHINE, OnLost, Rows, Workers

if TYPE_CHECKING:
    from seatrial.cli.sharing import Sharing

_ADDRESS = re.compile(r"(?P<host>\[[0-9a-fA-F:]+\]|[^:\s]+)(?::(?P<port>\d{1,5}))?")
_LAST_PORT = 65535


def rate_of(option: str, text: str) -> Rate:
    """The rate of arrivals that an option says. Raises BadInput, naming the option."""
    with _naming(option):
        return _some(Rate.parse(text))


def offered_rate_of(option: str, text: str) -> OfferedRate:
    """The rate, of arrivals or of requests, that an option says. Raises BadInput, naming the option."""
    with _naming(option):
        offered = OfferedRate.parse(text)
        _some(offered.rate)
        return offered


def _some(rate: Rate) -> Rate:
    if not rate.count:
        raise ValueError("a load of nothing measures nothing")
    return rate


@contextlib.contextmanager
def _naming(option: str) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise BadInput(f"{option}: {error}") from error


def workers_of(said: Sharing) -> Workers:
    """Who share a load, as options say it. Raises BadInput, naming the option, or with places in a file."""
    local, expected, at = said.workers, said.expect_workers, said.workers_at
    how = {"--workers-listen": said.workers_listen, "--on-lost": said.on_lost, "--rows": said.rows}
    given = [option for option, text in how.items() if text is not None]
    if given and not (local or expected or at):
        raise BadInput(
            f"{', '.join(given)}: says how workers share the load, and there are none; say who they are, "
            "by --workers, --expect-workers or --workers-at, or leave it out"
        )
    on_lost = _one_of("--on-lost", said.on_lost, get_args(OnLost), ALONE.on_lost)
    rows = _one_of("--rows", said.rows, get_args(Rows), ALONE.rows)
    if local > MOST_ON_A_MACHINE:
        raise BadInput(
            f"--workers: {local:,} are more than the {MOST_ON_A_MACHINE} that are started on one machine; "
            "more than it has cores make each other late"
        )
    host, port = ALONE.listen, ALONE.port
    if said.workers_listen is not None:
        host, port = _address_of("--workers-listen", said.workers_listen)
    workers = Workers(
        local=local,
        expected=expected,
        listen=host,
        port=port,
        on_lost=cast("OnLost", on_lost),
        rows=cast("Rows", rows),
    )
    return _with_hosts(workers, at) if at else workers


def _one_of(option: str, text: str | None, words: tuple[str, ...], usual: str) -> str:
    if text is not None and text not in words:
        raise BadInput(f"{option}: '{text}' is not one of {', '.join(words)}{nearest(text, words)}")
    return usual if text is None else text


def _address_of(option: str, text: str) -> tuple[str, int]:
    given = _ADDRESS.fullmatch(text.strip())
    if given is None or int(given["port"] or 0) > _LAST_PORT:
        raise BadInput(f"{option}: '{text}' is no address; write it like 10.0.0.5 or 10.0.0.5:5557")
    return given["host"].strip("[]"), int(given["port"] or 0)


def _with_hosts(workers: Workers, at: str) -> Workers:
    from seatrial.run.workersat import hosts_in  # which loads what only this needs

    hosts = hosts_in(at)
    there = next((host for host in hosts if host.master), None)
    if there is not None and not workers.everywhere and AllowList.of(LOOPBACK).allows(workers.listen):
        raise BadInput(
            f"--workers-listen: {there.host} is to reach the master at {there.master}, and it listens to "
            "this machine alone; give the address, or leave `master` out there to go through SSH"
        )
    return replace(workers, hosts=hosts, at=at)


def seconds_of(option: str, text: str, *, positive: bool = False) -> float:
    """The duration that an option says, in seconds. Raises BadInput, naming the option."""
    with _naming(option):
        seconds = Duration.parse(text).seconds
    if positive and not seconds:
        raise BadInput(f"{option}: must be longer than 0s")
    return seconds


def instant_of(option: str, text: str, now: datetime | None = None) -> datetime:
    """The instant that an option says: a date, an instant (UTC where it names no zone), or how long ago.

    Raises BadInput, naming the option.
    """
    if _AGE.fullmatch(text.strip()):
        return ago(option, text, now)
    try:
        instant = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise BadInput(
            f"{option}: '{text}' is neither a date such as 2026-03-01 nor an age such as 90d, 4w, 24mo or 2y"
        ) from error
    return instant.replace(tzinfo=instant.tzinfo or UTC).astimezone(UTC)


def ago(option: str, text: str, now: datetime | None = None) -> datetime:
    """The instant that lies so long ago; months and years are those of the calendar. Raises BadInput."""
    from dateutil.relativedelta import relativedelta  # which loads what only this needs

    age = _AGE.fullmatch(text.strip())
    try:
        if age is None:
            raise ValueError(text)
        then: datetime = (now or datetime.now(UTC)) - relativedelta(**{_CALENDAR[age[2]]: int(age[1])})
    except (ValueError, OverflowError) as error:
        raise BadInput(f"{option}: '{text}' is not an age such as 90d, 52w, 24mo or 2y") from error
    return then


_AGE = re.compile(r"([1-9]\d{0,3})(d|w|mo|y)", re.ASCII)
_CALENDAR = {"d": "days", "w": "weeks", "mo": "months", "y": "years"}


def verdict_of(option: str, text: str) -> Verdict:
    """The verdict that an option names. Raises BadInput, naming the option."""
    try:
        return Verdict(text)
    except ValueError as error:
        raise BadInput(f"{option}: '{text}' is no verdict{nearest(text, Verdict)}") from error


def place_of(text: str) -> Path:
    """The file or directory that an argument names, whether or not it is there.

    Raises BadInput for what no file system takes, and for a pipe or a device, whose reading might never end.
    """
    path = Path(text)
    try:
        ordinary = path.is_file() or path.is_dir() or not path.exists()
    except (OSError, ValueError) as error:
        raise BadInput(f"{text}: cannot be read: {getattr(error, 'strerror', None) or error}") from error
    if not ordinary:
        raise BadInput(f"{text}: is not a file that can be read twice")
    return path
