"""Names lead to files or to other people's packages, and what is wrong with those is one line."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.support.packages import install

from seatrial import catalogue, discovery
from seatrial.discovery import CannotLoad
from seatrial.doctor import examine
from seatrial.model.problems import BadInput
from seatrial.undo.registry import FAULTS

BURN = """
from typing import ClassVar
from seatrial.undo.protocol import ANY, Declared
class Shared(Declared):
    drivers: ClassVar[frozenset[str]] = ANY
class Burn(Shared):
    '''Let it burn.'''
    name: ClassVar[str] = "disk.burn"
    minutes: int = 1
"""

Installer = Callable[..., None]


@pytest.fixture
def others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installer:
    """Installs a package that declares faults: name → `module:Class`."""
    monkeypatch.syspath_prepend(tmp_path)

    def installed(package: str, faults: Mapping[str, str], **modules: str) -> None:
        for module in modules:
            monkeypatch.delitem(sys.modules, module, raising=False)
        install(tmp_path, package, modules, {"seatrial.faults": faults})
        discovery.forget_packages()

    return installed


@pytest.mark.parametrize("kind", catalogue.KINDS)
def test_every_declared_name_leads_to_its_file(kind: str) -> None:
    assert catalogue.names(kind)
    for name in catalogue.names(kind):
        found = catalogue.find(kind, name)
        assert catalogue.KINDS[kind].get(name) is found.declared
        assert found.file.stem == name.replace(".", "_").replace("-", "_")
        assert found.package == "seatrial"
        assert found.declared.__doc__, f"{name} does not say what it is"
    assert not catalogue.complaints()


def test_an_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(BadInput, match=r"^unknown fault 'process\.kil'; did you mean 'process\.kill'\?$"):
        FAULTS.find("process.kil")
    assert FAULTS.get("process-kill") is None, "the same file, and another name"


def test_what_a_name_leads_to_is_all_that_is_loaded() -> None:
    """A guardian has to be ready at once, and drivers need large libraries."""
    program = (
        "import sys; from seatrial.undo import registry; registry.find('process.kill');"
        "print([m for m in sys.modules if m.startswith('seatrial.faults.')])"
    )
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, start_new_session=True
    )
    assert said.stdout.strip() == "['seatrial.faults.process_kill']"


def test_a_package_of_others_is_found_and_typed(others: Installer) -> None:
    others("arson", {"disk.burn": "arson_faults:Burn"}, arson_faults=BURN)
    assert FAULTS.find("disk.burn").__name__ == "Burn"
    assert FAULTS.all()["disk.burn"].package == "arson 1.0"
    assert FAULTS.all()["disk.burn"].file.name == "arson_faults.py"
    with pytest.raises(BadInput, match=r"unknown parameter 'minuts'; did you mean 'minutes'"):
        discovery.build(FAULTS, "disk.burn", {"minuts": 2})
    assert discovery.build(FAULTS, "disk.burn", {"minutes": 2}).model_dump() == {"minutes": 2}
    with pytest.raises(BadInput, match=r"did you mean 'disk\.burn'"):
        FAULTS.find("disk.burns")


@pytest.mark.parametrize(
    ("text", "point", "told"),
    [
        ("import nowhere_to_be_found", "{}:Burn", "ModuleNotFoundError: No module named 'nowhere_to_be_found'"),
        ("import sys\nsys.exit(3)", "{}:Burn", r"SystemExit: 3 \(.*:2\)"),
        ("def", "{}:Burn", "SyntaxError: invalid syntax"),
        ("", "{}:Burn", "AttributeError: module '{}' has no attribute 'Burn'"),
        ("Burn = 3", "{}:Burn", "is {}:Burn, which is no Declared"),
        ("class Burn: name = 'disk.burn'", "{}:Burn", "is {}:Burn, which is no Declared"),
        (BURN.replace('"disk.burn"', '"disk.burns"'), "{}:Burn", "calls itself 'disk.burns'; let both be"),
        (BURN, "{}:Shared", "calls itself None; let both be the same"),
        (BURN.replace("drivers:", "driven:"), "{}:Burn", "which does not have: drivers"),
    ],
)  # fmt: skip
def test_a_broken_one_is_a_line_and_stops_nobody_else(
    others: Installer, request: pytest.FixtureRequest, text: str, point: str, told: str
) -> None:
    module = f"arson_{request.node.callspec.indices['text']}"
    others("arson", {"disk.burn": point.format(module)}, **{module: text})
    with pytest.raises(CannotLoad, match=told.replace("{}", module)) as caught:
        FAULTS.find("disk.burn")
    assert str(caught.value).startswith("fault 'disk.burn' of the package arson 1.0 ")
    assert FAULTS.complaints() == [str(caught.value)]
    assert "disk.burn" not in FAULTS.names()
    assert "process.kill" in FAULTS.names()


def test_a_name_of_ours_stays_ours_and_the_clash_is_told(others: Installer) -> None:
    others("arson", {"process.kill": "arson_clash:Burn"}, arson_clash=BURN)
    assert FAULTS.find("process.kill").__module__ == "seatrial.faults.process_kill"
    told = "fault 'process.kill' of the package arson 1.0 is not used: seatrial has its own of that name"
    assert FAULTS.complaints() == [told]


def test_a_name_that_two_packages_declare_is_nobodys(others: Installer) -> None:
    others("arson", {"disk.burn": "arson_first:Burn"}, arson_first=BURN)
    others("fire", {"disk.burn": "arson_second:Burn"}, arson_second=BURN)
    told = "fault 'disk.burn' is declared by arson 1.0 and fire 1.0; uninstall all but one of them"
    with pytest.raises(CannotLoad, match=told):
        FAULTS.find("disk.burn")
    assert FAULTS.complaints() == [told]


def test_the_doctor_tells_of_each_that_cannot_be_used(others: Installer, tmp_path: Path) -> None:
    def told() -> list[tuple[bool, str]]:
        return [(each.able, each.detail) for each in examine(tmp_path) if each.name == "packages"]

    assert told() == [(True, "whatever is installed beside seatrial for it can be used")]
    others("arson", {"disk.burn": "nowhere_at_all:Burn", "process.kill": "nowhere_at_all:Kill"})
    assert told() == [(False, line) for line in FAULTS.complaints()]
    assert len(told()) == 2
