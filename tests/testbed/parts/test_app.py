from __future__ import annotations

import json
from pathlib import Path

import pytest

from seatrial.model.problems import BadInput
from seatrial.testbed.app.settings import AppSettings
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
    settings = AppSettings.read(tmp_path / "settings.json")
    assert (settings.database_host, settings.database_port) == region.database
    assert settings.database_password == "pw-tenant"
    assert "pw-tenant" not in repr(settings)
    assert settings.audit.mode == "continue"
    assert "pw-audit" not in repr(settings)


def test_the_environment_of_up_chooses_what_the_audit_log_does_unsigned(
    topology: Topology, programs: Programs, secrets: Secrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    def mode() -> str:
        part = app.release("blue", topology.regions[0], topology, programs, secrets)
        return str(json.loads(part.files["settings.json"])["audit"]["mode"])

    monkeypatch.setenv("SEATRIAL_TESTBED_AUDIT", "refuse")
    assert mode() == "refuse"
    monkeypatch.setenv("SEATRIAL_TESTBED_AUDIT", "perhaps")
    with pytest.raises(BadInput, match="continue, refuse"):
        mode()
