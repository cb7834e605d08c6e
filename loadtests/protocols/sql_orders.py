"""Customers of a PostgreSQL database, who order and look their order up.

    locust -f loadtests/protocols/sql_orders.py --host http://127.0.0.1:9000 --rate 100/s

The environment, or `variables:` of the target, says where it is: DATABASE_URL=postgresql://127.0.0.1/shop.
It has a table: CREATE TABLE orders (key uuid PRIMARY KEY, quantity integer NOT NULL).

psycopg 3 waits in gevent's way by itself. Each user has a connection, and there are as many users as arrivals
are under way at once: a database that stalls is met by more and more. Give its `max_connections` room, or
test through the pooler that your service has. A connection that was lost since its user's last order is made
anew, as a pool would do, or old losses would be told long after the outage.
"""

from __future__ import annotations

import os
import random
import select
import uuid

import psycopg
from locust import task

from seatrial.load import ProtocolUser

URL = os.environ["DATABASE_URL"]


class Customer(ProtocolUser):
    """Somebody who orders."""

    def on_start(self) -> None:
        """Connect. Whoever met a failure is followed by a customer with a new connection."""
        self.connect()

    def on_stop(self) -> None:
        """Hang up."""
        self.database.close()

    @task
    def order(self) -> None:
        """Place an order, and read it."""
        if self.was_hung_up():
            self.connect()
        key, quantity = uuid.uuid4(), random.randint(1, 5)
        with self.measure("INSERT order", key=str(key)):
            self.database.execute("INSERT INTO orders VALUES (%s, %s)", (key, quantity))
        with self.measure("SELECT order") as m:
            found = self.database.execute("SELECT quantity FROM orders WHERE key = %s", (key,)).fetchone()
            if found != (quantity,):
                m.failure("an acknowledged order is gone")

    def connect(self) -> None:
        """Open a connection."""
        with self.measure("connect"):
            self.database = psycopg.connect(URL, autocommit=True)

    def was_hung_up(self) -> bool:
        """Nothing was asked since the last order, so all that there can be to read is a farewell."""
        idle = select.poll()
        idle.register(self.database, select.POLLIN)
        return bool(idle.poll(0))
