from __future__ import annotations

from pathlib import Path

from seatrial.testbed.app.settings import Settings
from seatrial.testbed.parts import app
from seatrial.testbed.programs import Programs
from seatrial.testbed.secrets import Secrets
from seatrial.testbed.topology import Topology


def test_the_releases_differ_by_their_names_and_addresses_only(
    topology: Topology, programs: Programs, secrets: Secrets
) -> None:
    region = topology.regions[0]
    blue, green = (app.release(name, region, topology, programs, secrets) for name in ("blue", "green"))
    assert blue.command == green.command
    assert blue.environment == {"RELEASE": "blue", "REGION": "east"}
    assert green.environment == {"RELEASE": "green", "REGION": "east"}
    assert (blue.ready.endpoint, green.ready.endpoint) == (region.blue, region.green)


def test_a_release_reads_the_settings_that_were_written_for_it(
    topology: Topology, programs: Programs, secrets: Secrets, tmp_path: Path
) -> None:
    region = topology.regions[0]
    part = app.release("blue", region, topology, programs, secrets)
    (tmp_path / "settings.json").write_text(part.files["settings.json"])
    settings = Settings.read(tmp_path / "settings.json")
    assert (settings.database_host, settings.database_port) == region.database
    assert settings.database_password == "pw-tenant"
    assert "pw-tenant" not in repr(settings)
