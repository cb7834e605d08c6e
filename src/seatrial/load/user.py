"""The user classes for scenarios that are written for an open model from the start."""

from __future__ import annotations

from typing import Any, ClassVar

from locust import User
from locust.user.users import RestMixin

from seatrial.load.client import Client
from seatrial.load.client_state import ClientSettings
from seatrial.load.dataset import Row
from seatrial.load.dial import Tls
from seatrial.load.measured import Measured, measure
from seatrial.load.sessions import client_for
from seatrial.load.standby import stand_by


class ProtocolUser(User):
    """A Locust user of any protocol, whose arrivals come by a schedule and not by the answers.

    It brings whatever client it likes, and says what is to be measured::

        class Reader(ProtocolUser):
            def on_start(self):
                with self.measure("connect"):
                    self.database = psycopg.connect(os.environ["DATABASE_URL"])

            @task
            def read(self):
                with self.measure("read item"):
                    self.database.execute("SELECT …").fetchone()

    See `seatrial.load.measured` for what counts as good, and `seatrial.load.reported` for clients that report
    to Locust by themselves. The client has to wait in gevent's way: one that stops the whole process while it
    waits is told by its place.
    """

    abstract = True

    row: Row
    """The row of data that the arrival under way was given, if the load has any: column → value."""

    def measure(
        self, name: str, *, key: str | None = None, request_type: str = "", timeout: float | None = None
    ) -> Measured:
        """A block to be measured: `seatrial.load.measured.measure`."""
        return measure(name, key=key, request_type=request_type, timeout=timeout)

    def start(self, group: Any) -> Any:
        """Called by Locust. The load does not depend on it."""
        return stand_by(self, group)


class OpenLoopUser(ProtocolUser, RestMixin):  # type: ignore[type-arg]
    """A Locust user whose arrivals come by a schedule and not by the answers.

    A scenario is a plain locustfile::

        from locust import task
        from seatrial.load import OpenLoopUser

        class Visitor(OpenLoopUser):
            @task
            def home(self):
                self.client.get("/")

    and is run with `locust -f scenario.py --host http://… --rate 10000/min`. With `--rate`, users of Locust's
    own classes (`HttpUser`, `FastHttpUser`, `User`) are driven in the same way; what this class adds is that
    it is never driven in any other. Each arrival is one iteration (`seatrial.load.iteration`) of a virtual
    user who is idle at that instant. What is different from a closed loop:

    * How many arrivals there are is said by `--rate`, not by the number of users. What Locust spawns of this
      class stands for all of them and does nothing itself.
    * `wait_time` is waited between the steps of a journey (`SequentialTaskSet`), and has no meaning between
      arrivals. `on_start` runs once for each virtual user, at the beginning of its first arrival; `on_stop`
      when it retires: because it raises `StopUser`, or at the end of the test, whose records are closed by
      then.
    * There is nothing to be raised by `self.client`: what happened on the network is in the response.
    """

    abstract = True

    verify: ClassVar[bool | str] = True
    """Whether certificates are checked: by the system's authorities, by those in a file, or (False) not."""

    client: Client

    def __init__(self, environment: Any) -> None:
        """`environment`: Locust's."""
        super().__init__(environment)
        client = client_for(self, ClientSettings(self.host or "", Tls(self.verify)))
        if client is not None:
            self.client = client
