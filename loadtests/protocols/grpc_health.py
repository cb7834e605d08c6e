"""Callers of a gRPC service, by the method that most of them have: the standard health check.

    locust -f loadtests/protocols/grpc_health.py --host http://127.0.0.1:9000 --rate 100/s

The environment, or `variables:` of the target, says where it is: GRPC_ADDRESS=127.0.0.1:9002.
Stubs that protoc has generated are used alike: `self.stub = OrdersStub(channel)`.

gRPC waits in C, which would stop everybody: `init_gevent`, before the first channel is made, has it wait in
gevent's way. Channels to one address share a connection, which after a failure is tried again only after
a second and more, while every call fails: an outage would seem longer than it was. So each user has
a connection to itself, and whoever met a failure is followed by a user with a new one.
"""

from __future__ import annotations

import os

import grpc
from grpc.experimental.gevent import init_gevent
from locust import task

from seatrial.load import ProtocolUser

init_gevent()

ADDRESS = os.environ["GRPC_ADDRESS"]
METHOD = "/grpc.health.v1.Health/Check"
ALL_OF_IT = b""  # the request, as protobuf writes it: no service is named
SERVING = b"\x08\x01"  # the answer: status 1
OF_ITS_OWN = (("grpc.use_local_subchannel_pool", 1),)


class Caller(ProtocolUser):
    """Somebody who asks whether all is well."""

    def on_start(self) -> None:
        """A channel, which connects at the first call."""
        self.channel = grpc.insecure_channel(ADDRESS, options=OF_ITS_OWN)
        self.check = self.channel.unary_unary(METHOD)

    def on_stop(self) -> None:
        """Hang up."""
        self.channel.close()

    @task
    def ask(self) -> None:
        """Make one call; gRPC tells the service by when it wants the answer."""
        with self.measure("Health/Check") as m:
            if self.check(ALL_OF_IT, timeout=m.allowed_s) != SERVING:
                m.failure("not serving")
