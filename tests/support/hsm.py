"""The testbed's HSM by itself, with a client that stays connected: a victim for faults and tests."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.support.victims import LOOPBACK, end
from tests.support.waiting import wait_until

from seatrial.drivers import pkcs11
from seatrial.drivers.launch import detach_once
from seatrial.ledger.pkcs11 import Pkcs11Configuration, Pkcs11Signer
from seatrial.model.role import Role
from seatrial.processes import ProcessId, descendants, from_pidfile, is_stopped
from seatrial.testbed.parts import hsm as part
from seatrial.testbed.places import Places
from seatrial.testbed.programs import Programs, find_hsm
from seatrial.testbed.secrets import Secrets

needs_hsm = pytest.mark.skipif(find_hsm() is None, reason="no HSM here: softhsm2 or p11-kit is missing")
_START = 'echo started >> starts; echo $$ > hsm.pid; exec "$@"'


@dataclass
class Hsm:
    """SoftHSM2 behind p11-kit, with the `start` command that brings it back; it must never run twice."""

    home: Path
    fault: str = "hsm.unavailable"
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        found = find_hsm()
        assert found is not None
        nowhere = Path()
        programs, secrets = (
            Programs(Path(sys.executable), nowhere, nowhere, nowhere, hsm=found),
            Secrets.generate(),
        )
        self.places = Places.of_home(self.home)
        self.directory = self.places.part(part.NAME)
        for directory in (self.directory, self.places.sockets):
            directory.mkdir(parents=True)
        token = part.token(found, programs, self.places, secrets)
        for name, text in token.files.items():
            (self.directory / name).write_text(text)
        variables = [f"{name}={value}" for name, value in token.environment.items()]
        self.start = ["env", *variables, "sh", "-c", _START, "sh", *token.command]
        client = part.client(programs, self.places, secrets)
        assert client is not None
        parameters = {name: getattr(client, name) for name in client.__slots__}
        self.role = Role(
            "hsm",
            "pkcs11",
            {**parameters, "pidfile": "hsm.pid", "start": self.start, "deadline": "5s"},
            LOOPBACK,
            str(self.directory),
        )
        self.signer = Pkcs11Signer("hsm", Pkcs11Configuration(
            Path(client.module), client.token, client.key, client.pin, deadline_s=1.0, address=client.address,
        ))  # fmt: skip
        self.launch()
        self.signer.sign(b"connected")

    def launch(self) -> None:
        """Start it as its supervisor would; returns when it listens."""
        with (self.directory / "log").open("ab") as log:
            detach_once(self.start, str(self.home), directory=self.directory, output=log.fileno())
        wait_until(lambda: pkcs11.signs(self.role), what="the HSM signs")

    def process(self) -> ProcessId | None:
        """The server."""
        return next(from_pidfile(self.directory / "hsm.pid"), None)

    def all(self) -> list[ProcessId]:
        """The server and the processes of its connections."""
        server = self.process()
        return [server, *descendants([server])] if server else []

    def starts(self) -> int:
        """How often it was started."""
        return (self.directory / "starts").read_text().count("started")

    def intact(self) -> bool:
        return self.starts() <= 2 and not any(map(is_stopped, self.all())) and pkcs11.signs(self.role)

    def close(self) -> None:
        self.signer.close()
        end([*reversed(self.all())])
        shutil.rmtree(self.places.sockets)

    def __str__(self) -> str:
        return f"{self.fault}: {self.starts()} starts, {len(self.all())} processes"
