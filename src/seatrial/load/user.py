"""The user class that scenarios derive from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from gevent.event import Event
from locust import User

if TYPE_CHECKING:
    from seatrial.load.client import Client


class OpenLoopUser(User):
    """A Locust user whose arrivals come by a schedule and not by the answers.

    A scenario is a plain locustfile::

        from locust import task
        from seatrial.load import OpenLoopUser

        class Visitor(OpenLoopUser):
            @task
            def home(self):
                self.client.get("/")

    and is run with `locust -f scenario.py --host http://… --rate 10000/min`. Each arrival is one task, picked
    by weight, run by a virtual user who is idle at that instant. What is different from Locust's own users:

    * How many arrivals there are is said by `--rate`, not by the number of users. Locust spawns one (or
      `-u N`) of this class as of any other; it stands for all of them and does nothing itself.
    * `wait_time` has no meaning. `on_start` runs once for each virtual user, at the beginning of its first
      arrival. `on_stop` never runs: nobody in an open model leaves.
    * There is nothing to be raised by `self.client`: what happened on the network is in the response.
    """

    abstract = True

    verify: ClassVar[bool | str] = True
    """Whether certificates are checked: by the system's authorities, by those in a file, or (False) not."""

    client: Client

    def start(self, group: Any) -> Any:
        """Called by Locust. The load does not depend on it."""
        self._group = group
        self._greenlet = group.spawn(_stand_by, self)
        return self._greenlet


def _stand_by(user: OpenLoopUser) -> None:  # noqa: ARG001  # Locust finds the user in the greenlet's arguments
    Event().wait()
