"""A package of somebody else's, with one of each kind: found, explained and run."""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.packages import install
from tests.support.results import result

from seatrial import catalogue, discovery
from seatrial.checks.registry import build
from seatrial.cli.explaining import explain
from seatrial.explain import lexicon
from seatrial.incidents import IncidentSettings, Reporter, deliver
from seatrial.measure import importers
from seatrial.model.role import Role
from seatrial.store import Store
from seatrial.undo import FaultSession, registry
from seatrial.undo.journal import EntryState

EXAMPLE = Path(__file__).parent / "support" / "example_package"
DECLARED = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]["entry-points"]


@pytest.fixture(autouse=True)
def _installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    site = tmp_path / "site"
    site.mkdir()
    install(site, "seatrial-example", {}, DECLARED)
    monkeypatch.syspath_prepend(str(EXAMPLE))
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("PYTHONPATH", ":".join(sys.path))  # a guardian is a process of its own
    discovery.forget_packages()
    lexicon.cache_clear()
    yield
    lexicon.cache_clear()  # what others explain is what is installed without this


@pytest.mark.parametrize("group", DECLARED)
def test_each_is_found_and_says_what_it_is(group: str) -> None:
    kind = next(kind for kind, each in catalogue.KINDS.items() if each.group == group)
    for name in DECLARED[group]:
        found = catalogue.find(kind, name)
        assert found.package == "seatrial-example 1.0"
        assert found.file.is_relative_to(EXAMPLE)
        assert found.declared.__doc__
    assert catalogue.complaints() == []


def test_its_fault_is_injected_and_undone_through_its_driver(home: Path, tmp_path: Path) -> None:
    role = Role("site", "flag", {"file": "x.flag"}, (), str(tmp_path))
    fault = registry.build("flag.raise", {})
    modules = ["seatrial_example.flag"]
    with FaultSession(
        home, "shop", experiment="x", run="r", faults=["flag.raise"], modules=modules
    ) as session:
        prepared = session.inject(fault, role, ttl_s=30).prepared
        assert (tmp_path / "x.flag").exists()
        outcome = session.undo(prepared)
    assert (outcome.state, outcome.verified) == (EntryState.UNDONE, True)
    assert not (tmp_path / "x.flag").exists()


def test_its_check_has_typed_parameters() -> None:
    assert build("answers-enough", {"least": 3}).name == "answers-enough"


def test_its_sink_hears_of_a_failure(tmp_path: Path) -> None:
    settings = IncidentSettings.from_environment({"SEATRIAL_FILE_PATH": str(tmp_path / "incidents")})
    with Store(f"sqlite:///{tmp_path}/s.sqlite") as store:
        Reporter(store, settings).finished(result())
        deliver(store, settings)
    (line,) = (tmp_path / "incidents").read_text().splitlines()
    assert "database-crash on testbed failed" in json.loads(line)["summary"]


def test_its_importer_recognises_its_log(tmp_path: Path) -> None:
    head = "starttime\tseconds\tctime\tdtime\tttime\twait\n"
    rows = "".join(f"Sat Nov 28 22:00:0{s} 2026\t178000000{s}\t0\t{s}\t{s}\t{s}\n" for s in (1, 3))
    (tmp_path / "ab.tsv").write_text(head + rows)
    imported = importers.read(tmp_path / "ab.tsv")
    assert (imported.format, imported.log.sent.tolist()) == ("ab", [0.0, 2.0])


def test_what_is_broken_in_a_package_is_a_line_of_explain(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install(
        tmp_path / "site",
        "arson",
        {"arson": "raise OSError('no fire')"},
        {"seatrial.faults": {"a.b": "arson:A"}},
    )
    discovery.forget_packages()
    explain([])
    told = capsys.readouterr()
    assert "flag.raise" in told.out
    assert "fault 'a.b' of the package arson 1.0 cannot be loaded: OSError: no fire" in told.err
