"""The HSM: SoftHSM2 behind `p11-kit server`, as a network HSM stands behind its socket.

Its socket is a file, which clients in every network namespace reach: no partition cuts it off.
"""

from __future__ import annotations

from seatrial.testbed.app.audit.settings import Hsm
from seatrial.testbed.part import Part, Probe
from seatrial.testbed.places import Places
from seatrial.testbed.programs import HsmPrograms, Programs
from seatrial.testbed.secrets import Secrets
from seatrial.testbed.token import TOKENS, TokenSettings

NAME = "hsm"
TOKEN = "seatrial"  # noqa: S105  # a label
KEY = "audit"
_SOCKET = "hsm.sock"
_SETTINGS = "token.json"
_CONFIGURATION = "softhsm2.conf"


def client(programs: Programs, places: Places, secrets: Secrets) -> Hsm | None:
    """How a part reaches the HSM; None where there is none."""
    if programs.hsm is None:
        return None
    return Hsm(str(programs.hsm.client), address(places), TOKEN, KEY, secrets.hsm)


def address(places: Places) -> str:
    """Where the server listens, in the words of p11-kit."""
    return f"unix:path={places.sockets / _SOCKET}"


def token(hsm: HsmPrograms, programs: Programs, places: Places, secrets: Secrets) -> Part:
    """One token with one key pair, made when the part is first started and kept from then on."""
    socket = places.sockets / _SOCKET
    settings = TokenSettings(
        utility=str(hsm.utility),
        library=str(hsm.library),
        server=str(hsm.server),
        socket=str(socket),
        token=TOKEN,
        key=KEY,
        pin=secrets.hsm,
    )
    directory = places.part(NAME)
    configuration = f"directories.tokendir = {directory / TOKENS}\nlog.level = ERROR\n"
    return Part(
        NAME,
        (str(programs.python), "-P", "-m", "seatrial.testbed.token", _SETTINGS),
        Probe(socket),
        {_SETTINGS: settings.to_json(), _CONFIGURATION: configuration},
        {"SOFTHSM2_CONF": str(directory / _CONFIGURATION)},
    )
