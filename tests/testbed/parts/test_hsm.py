from __future__ import annotations

import json
from dataclasses import replace

from seatrial.testbed.parts import hsm
from seatrial.testbed.places import Places
from seatrial.testbed.programs import HsmPrograms, Programs
from seatrial.testbed.secrets import Secrets


def test_the_pin_is_in_a_file_and_nowhere_else(
    places: Places, programs: Programs, hsm_programs: HsmPrograms, secrets: Secrets
) -> None:
    part = hsm.token(hsm_programs, programs, places, secrets)
    assert json.loads(part.files["token.json"])["pin"] == secrets.hsm
    assert secrets.hsm not in " ".join((*part.command, *part.environment.values(), repr(part)))


def test_its_token_and_configuration_are_its_own(
    places: Places, programs: Programs, hsm_programs: HsmPrograms, secrets: Secrets
) -> None:
    part = hsm.token(hsm_programs, programs, places, secrets)
    own = places.part("hsm")
    assert part.environment == {"SOFTHSM2_CONF": str(own / "softhsm2.conf")}
    assert f"directories.tokendir = {own / 'tokens'}" in part.files["softhsm2.conf"]
    assert part.ready.endpoint == places.sockets / "hsm.sock"


def test_a_client_is_told_what_it_needs(
    places: Places, programs: Programs, hsm_programs: HsmPrograms, secrets: Secrets
) -> None:
    assert hsm.client(programs, places, secrets) is None
    client = hsm.client(replace(programs, hsm=hsm_programs), places, secrets)
    assert client is not None
    assert client.module == str(hsm_programs.client)
    assert client.address == f"unix:path={places.sockets / 'hsm.sock'}"
    assert (client.token, client.key, client.pin) == ("seatrial", "audit", secrets.hsm)
    assert secrets.hsm not in repr(client)
