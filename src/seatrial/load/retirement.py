"""Virtual users leave: one that wants to at once, all others when the load is over."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

import gevent
from gevent.pool import Pool

from seatrial.load import iteration
from seatrial.load.scenario_errors import ErrorTally
from seatrial.load.telling import tell
from seatrial.load.user_pool import Task, VirtualUser

_AT_ONCE = 50  # users, at the end of a test

logger = logging.getLogger(__name__)


class Retirement:
    """Of the users of one load. What they raise is put down in `errors`."""

    def __init__(self, errors: ErrorTally, deadline_s: float) -> None:
        self._errors = errors
        self._deadline_s = deadline_s

    def account_for(self, virtual: VirtualUser) -> None:
        """An arrival that sent nothing is in no row of the log, so it is counted, once none is expected.

        That is when its user leaves: a client that does not wait hears of an answer by and by.
        """
        self.count_silent(virtual.arrival.give_up())

    def count_silent(self, tasks: Iterable[Any]) -> None:
        """Arrivals that were to do this have sent nothing."""
        for each in tasks:
            self._errors.silent(each)

    def retire(self, virtual: VirtualUser) -> None:
        """Run its `on_stop`."""
        try:
            iteration.retire(virtual)
        except (Exception, gevent.Timeout) as error:
            tell(self._errors, error, "on_stop")
        virtual.under_way.depart()

    def retire_all(self, tasks: Iterable[Task]) -> None:
        """`on_stop`, for as long as one deadline. The load is over, so what it sends is not on record."""
        pools = {id(task.pool): task.pool for task in tasks}.values()
        idle = [each for pool in pools for each in pool.idle]
        for virtual in idle:
            self.account_for(virtual)
        retiring = [each for each in idle if not iteration.retires_silently(each)]
        done = 0
        with gevent.Timeout(self._deadline_s, False):
            group = Pool(_AT_ONCE)
            for virtual in retiring:
                virtual.under_way.off_record()
                group.spawn(self.retire, virtual)
            group.join()
            done = len(retiring)
        if done < len(retiring):
            logger.warning("on_stop of %d users took longer than the deadline; not waited for", len(retiring))
