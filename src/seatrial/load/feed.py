"""Feeds the rows of a data set to the arrivals of one load worker, as `self.row` of whoever serves them.

`self.row` is found by a descriptor on Locust's `User` for as long as the load goes on, so it is there for
users of every class. It is none that can be written: a scenario that has a `row` of its own keeps it, except
that the two must not be there at once. The row is made when it is first asked for, and again for each
arrival, so what a scenario does to it nobody else sees.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any

from locust import User
from locust.exception import LocustError

from seatrial.load.dataset import DataSet, Row
from seatrial.load.offer import Share
from seatrial.model.data import Order, row_of
from seatrial.model.ownfailure import DROPPED

_HELD = "_seatrial_row"  # among a user's attributes: the number of its arrival's row, or the row itself
_NONE_GIVEN = (
    "self.row: no data was given; write load: {data: users.csv} in the experiment, "
    "or give Locust --data users.csv"
)
_TOO_EARLY = "self.row: a user has a row from its first arrival on (on_start, tasks), and none in __init__"

logger = logging.getLogger(__name__)


class NoRow(LocustError, AttributeError):  # noqa: N818  # what it is; AttributeError is for hasattr
    """A scenario asked for a row and there is none. Told in a line."""


class Feed:
    """The rows for the arrivals of one worker, which asks for each of them in turn."""

    def __init__(self, rows: DataSet, order: Order, seed: int, share: Share) -> None:
        self.rows = rows
        self._order = order
        self._seed = seed
        self._share = share
        self._taken = 0  # arrivals of this worker

    def of(self, share: Share) -> Feed:
        """The rows for the arrivals of another share, from its first one on."""
        return Feed(self.rows, self._order, self._seed, share)

    def next_row(self) -> int | None:
        """The number of the row for the next arrival; None when there is none left."""
        arrival = self._share.index + self._taken * self._share.count
        self._taken += 1
        row = row_of(arrival, len(self.rows), self._order, self._seed)
        if row is None and arrival - self._share.count < len(self.rows):
            logger.warning("%s; arrivals are not sent any more (told once)", self.used_up)
        return row

    @property
    def used_up(self) -> str:
        """What became of an arrival for which no row is left."""
        return f"{self.rows.name} has no row left: each of its {len(self.rows):,} was given once"

    @property
    def not_sent(self) -> str:
        """The same for the request log: nothing that the service could be blamed for."""
        return f"{DROPPED}{self.used_up}"


def hand_over(user: User, row: int | None) -> None:
    """Let `user` have a row, by its number, for the arrival that it is about to serve."""
    if row is not None:
        vars(user)[_HELD] = row


def provide(feed: Feed | None) -> Callable[[], None]:
    """Let users find their rows, or read why there is none; call the result to end it."""
    given: Any = User
    given.row = _RowOfArrival(feed)

    def stop() -> None:
        del given.row

    return stop


class _RowOfArrival:
    """`user.row`."""

    def __init__(self, feed: Feed | None) -> None:
        self._feed = feed

    def __get__(self, user: User | None, kind: type[User]) -> Any:
        if user is None:
            return self
        if self._feed is None:
            raise NoRow(_NONE_GIVEN)
        held: int | Row | None = vars(user).get(_HELD)
        if held is None:
            raise NoRow(_TOO_EARLY)
        if isinstance(held, int):
            held = vars(user)[_HELD] = self._feed.rows[held]
        return held


def refuse_other_rows(user_classes: Iterable[type[User]]) -> None:
    """Raise ValueError for a class that has a `row` of its own, which would hide that of the data."""
    for user_class in user_classes:
        if hasattr(user_class, "row"):
            raise ValueError(
                f"--data: {user_class.__name__}.row would hide the row of the data; give it another name"
            )
