"""Machines that share a load: who starts workers there, how many, and how they find their master."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field, field_validator

from seatrial.model.experiment import Name
from seatrial.model.strict import Strict, as_tuple, counted_in
from seatrial.model.workers import MOST_ON_A_MACHINE

_LAST_PORT = 65535


class WorkerHost(Strict):
    """A machine that sends a part of the load."""

    host: str = Field(examples=["load-1.staging.example"])
    """The machine, as SSH is given it."""
    processes: Annotated[int, Field(ge=1, le=MOST_ON_A_MACHINE), counted_in("workers")] = 1
    """How many workers are started there; more than it has cores make it late."""
    user: str = Field(default="", examples=["deploy"])
    """Who logs in; by default whoever runs us."""
    port: Annotated[int, Field(ge=1, le=_LAST_PORT), counted_in("TCP port")] = 22
    """Where its SSH server listens."""
    identity: str = Field(default="", examples=["keys/load"])
    """The file of the private key; by default those of whoever runs us, and of the agent."""
    known_hosts: str = Field(default="", examples=["keys/known_hosts"])
    """The file of hosts and their keys, by default that of whoever runs us; no other host is trusted."""
    python: str = Field(default="python3", examples=["/opt/seatrial/bin/python"])
    """The Python there that has seatrial, of the same version as here; in a virtual environment, its own."""
    directory: str = Field(default="", examples=["/srv/load"])
    """Where workers run there, for files that a scenario opens; by default where whoever logs in arrives."""
    master: str = Field(default="", examples=["10.0.0.5"])
    """The address of this machine as that one reaches it, with `--workers-listen`; by default workers come
    back through the SSH connection, encrypted, and nothing has to be opened."""

    @field_validator("host", "user", "master")
    @classmethod
    def _a_word(cls, text: str) -> str:
        if text.startswith("-") or text.split() not in ([], [text]):
            raise ValueError(f"'{text}' is no name of a machine or of a user")
        return text

    @property
    def destination(self) -> str:
        """As a person would type it."""
        return f"{self.user}@{self.host}" if self.user else self.host


class Machines(Strict):
    """One file for `seatrial run --workers-at`: machines on which workers are started by SSH.

        machines: load
        hosts:
          - {host: load-1.staging.example, user: deploy, processes: 4, python: /opt/seatrial/bin/python}
          - {host: load-2.staging.example, user: deploy, processes: 2}

    Each takes an SSH server, and Python with the same versions of seatrial and Locust. Scenarios, and what
    they import from beside them or from the working directory, are brought there; other packages must be
    there. Workers end with the run, and with the connection.
    """

    machines: Name = Field(examples=["load"])
    """What the machines are called together."""
    hosts: Annotated[
        tuple[WorkerHost, ...], BeforeValidator(as_tuple), Field(json_schema_extra={"minItems": 1})
    ] = Field(examples=[[{"host": "load-1.staging.example"}]])
    """The machines."""

    @field_validator("hosts")
    @classmethod
    def _not_empty(cls, hosts: tuple[WorkerHost, ...]) -> tuple[WorkerHost, ...]:
        if not hosts:
            raise ValueError("no machine is named; leave the option out to send from here")
        return hosts
