"""Names lead to files, and parameters are judged in one place."""

from __future__ import annotations

import pytest

from seatrial.model.problems import BadInput, dotted
from seatrial.model.role import Role
from seatrial.undo import registry

FAULTS = {
    "chaostoolkit", "command.run", "database.connections", "database.crash", "database.lock",
    "database.lose_node", "database.settings", "edge.drain", "hsm.hang", "hsm.slow", "hsm.unavailable",
    "http.call", "network.delay", "network.partition", "process.kill", "process.pause", "process.slow",
    "redis.evict", "redis.flush", "redis.pause", "toxiproxy", "volume.fill",
}  # fmt: skip


def test_every_fault_is_found_and_says_what_it_is() -> None:
    assert set(registry.names()) >= FAULTS
    for name in FAULTS:
        declared = registry.find(name)
        assert declared.name == name
        assert declared.kind == "fault"
        assert declared.drivers
        assert declared.__doc__


@pytest.mark.parametrize(
    "name", ["process.kil", "journal", "protocol", "..", "", "os.system", "Process.Kill"]
)
def test_an_unknown_name_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match="unknown fault"):
        registry.find(name)


def test_the_nearest_name_is_suggested() -> None:
    with pytest.raises(BadInput, match=r"did you mean 'process\.kill'"):
        registry.find("process.kil")


def test_a_word_of_one_kind_is_not_taken_for_the_other() -> None:
    registry.require_kind("process.kill", "fault")
    registry.require_kind("deploy.switch", "action")
    registry.require_kind("traffic.spike", "fault")
    with pytest.raises(
        BadInput, match=r"^process\.kill is a fault, not an action; write fault: process\.kill$"
    ):
        registry.require_kind("process.kill", "action")
    with pytest.raises(BadInput, match=r"^unknown action 'deploy\.kill'(?!.*process)"):
        registry.require_kind("deploy.kill", "action")
    with pytest.raises(BadInput, match=r"^unknown fault 'trafic\.spike'; did you mean 'traffic\.spike'\?$"):
        registry.require_kind("trafic.spike", "fault")


def test_every_bad_parameter_is_told_with_its_path() -> None:
    with pytest.raises(BadInput) as caught:
        registry.build("process.slow", {"to": "150%", "perod": "1s"})
    told = [str(problem) for problem in caught.value.problems]
    assert told[0].startswith("with.to: '150%' is not a share")
    assert told[1] == "with.perod: unknown parameter 'perod'; did you mean 'period'?"


@pytest.mark.parametrize(
    ("name", "parameters", "path"),
    [
        ("process.slow", {"to": "0%"}, "with.to"),
        ("process.slow", {"period": "0s"}, "with.period"),
        ("redis.pause", {"longest": "2h"}, "with.longest"),
        ("command.run", {"inject": []}, "with.inject"),
        ("network.delay", {"between": ["east", "west"], "delay": "1h"}, "with.delay"),
        ("volume.fill", {"leave": "some"}, "with.leave"),
        ("network.partition", {"between": ["east"]}, "with.between"),
        ("network.partition", {"between": ["east", "west"], "share": "0%"}, "with.share"),
        ("http.call", {"inject": {"method": "BREW"}, "undo": {}}, "with.inject.method"),
        (
            "chaostoolkit",
            {"inject": {"type": "shell"}, "undo": {"type": "process", "path": "x"}},
            "with.inject",
        ),
        ("toxiproxy", {"toxic": "hemlock"}, "with.toxic"),
        ("database.connections", {"count": -1}, "with.count"),
    ],
)
def test_parameters_that_make_no_sense(name: str, parameters: dict[str, object], path: str) -> None:
    with pytest.raises(BadInput) as caught:
        registry.build(name, parameters)
    assert any(dotted(problem.path).startswith(path) for problem in caught.value.problems), caught.value


def test_a_driver_that_the_fault_cannot_act_through(role: Role) -> None:
    with pytest.raises(BadInput, match="acts on redis; the role 'anything' is bound to process"):
        registry.bind(registry.build("redis.flush", {}), role)
    registry.bind(registry.build("process.kill", {}), role)
