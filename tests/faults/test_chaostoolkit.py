"""chaostoolkit: the activities are handed over as the library documents them (a double stands for it)."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType
from typing import Any

import pytest

from seatrial.model.problems import BadInput, Unavailable
from seatrial.model.role import Role
from seatrial.undo import registry

ACTIVITIES = {
    "inject": {"type": "python", "module": "fleet", "func": "sink", "arguments": {"ship": "${SHIP}"}},
    "undo": {"type": "process", "path": "raise-ship", "arguments": "--now"},
    "probe": {"type": "http", "url": "http://127.0.0.1:1/healthy"},
}


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """A double of chaoslib: what it was asked to run."""
    asked: list[dict[str, Any]] = []
    exceptions, activity = ModuleType("chaoslib.exceptions"), ModuleType("chaoslib.activity")

    class ChaosException(Exception):  # noqa: N818  # the library's name
        pass

    class InvalidActivity(ChaosException):
        pass

    def run_activity(described: dict[str, Any], configuration: Any, secrets: Any) -> Any:
        asked.append(described)
        if described["provider"].get("path") == "fail":
            raise ChaosException("the ship does not answer")
        if described["provider"]["type"] == "python":
            return described["type"] == "probe"
        return {
            "status": 7 if described["provider"].get("path") == "false" else 0,
            "stdout": "",
            "stderr": "",
        }

    def ensure_activity_is_valid(described: dict[str, Any]) -> None:
        if described["provider"].get("path") == "":
            raise InvalidActivity("a process activity must have a path")

    exceptions.__dict__.update(ChaosException=ChaosException, InvalidActivity=InvalidActivity)
    activity.__dict__.update(run_activity=run_activity, ensure_activity_is_valid=ensure_activity_is_valid)
    package = ModuleType("chaoslib")
    package.__spec__ = importlib.util.spec_from_loader("chaoslib", loader=None)
    for name, module in (("", package), (".exceptions", exceptions), (".activity", activity)):
        monkeypatch.setitem(sys.modules, f"chaoslib{name}", module)
    return asked


def test_an_activity_its_undo_and_its_probe(
    ran: list[dict[str, Any]], role: Role, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHIP", "Vasa")
    fault: Any = registry.build("chaostoolkit", ACTIVITIES)
    undo = fault.prepare(role)
    assert ran == []
    assert "Vasa" not in undo.to_json()
    fault.inject(undo)
    again: Any = registry.build(undo.fault, undo.with_)
    again.undo(undo)
    assert again.gone(undo) is True
    assert [each["type"] for each in ran] == ["action", "action", "probe"]
    assert ran[0]["provider"]["arguments"] == {"ship": "Vasa"}
    assert ran[1] == {"type": "action", "name": "raise-ship", "provider": ACTIVITIES["undo"]}
    assert undo.touches == "fleet.sink"
    assert "raise-ship" in undo.by_hand


def test_failures_are_told(ran: list[dict[str, Any]], role: Role) -> None:
    fails = {"type": "process", "path": "fail"}
    fault: Any = registry.build("chaostoolkit", {"inject": fails, "undo": {"type": "process", "path": ""}})
    undo = fault.prepare(role)
    with pytest.raises(Unavailable, match="fail: the ship does not answer"):
        fault.inject(undo)
    with pytest.raises(BadInput, match="must have a path"):
        fault.undo(undo)
    fault = registry.build("chaostoolkit", {"inject": {"type": "process", "path": "false"}, "undo": fails})
    with pytest.raises(Unavailable, match="false: failed with status 7"):
        fault.inject(undo)
    elsewhere = {"type": "http", "url": "http://10.0.0.1/"}
    with pytest.raises(BadInput, match="allow"):
        registry.build("chaostoolkit", {"inject": elsewhere, "undo": fails}).inject(undo)
    fault = registry.build("chaostoolkit", {"inject": fails, "undo": fails})
    assert fault.healthy(role) is None
    assert fault.gone(undo) is None


@pytest.mark.skipif(importlib.util.find_spec("chaoslib") is not None, reason="the library is installed")
def test_without_the_library_it_says_how_to_get_it(role: Role) -> None:
    fault = registry.build("chaostoolkit", ACTIVITIES)
    with pytest.raises(Unavailable, match=r"pip install 'seatrial\[chaostoolkit\]'"):
        fault.prepare(role)
