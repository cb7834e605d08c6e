"""What is wrong with a target is told whoever asks for it, and hides nothing of the experiment."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.planning import EXPERIMENT, TARGET, timeline, told

UNSET = "SEATRIAL_TEST_UNSET"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(UNSET, raising=False)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("base_url: http://127.0.0.1:9000", "base_url: 127.0.0.1:9000", "t.yaml:2:11: base_url: '127.0.0.1:9000' is not an http"),
        ("127.0.0.1:9000", "10.1.1.1:9000", "t.yaml:2:11: base_url: the host 10.1.1.1 is not in allow"),
        ("127.0.0.1:9000", "127.0.0.1:99999", "t.yaml:2:11: base_url: 'http://127.0.0.1:99999' is not an address"),
        ("pidfile:", "pidfil:", "t.yaml:5:29: roles.worker.pidfil: unknown key 'pidfil'; did you mean 'pidfile'?"),
        ("driver: process", "driver: proces", "t.yaml:5:20: roles.worker.driver: unknown driver 'proces'; did you mean 'process'?"),
        ("run/worker.pid", "3", "t.yaml:5:38: roles.worker.pidfile: '3' stands where a list is expected"),
        ("worker:", "../worker:", "t.yaml:5:14: roles.../worker: a role's name is made of letters, digits and - _ ."),
        ("run/worker.pid", f"'${{{UNSET}}}'", f"t.yaml:5:38: roles.worker.pidfile: the environment variable {UNSET} is referenced and not set"),
        ("target: shop", "target: shop\nenvironment: production", "t.yaml:2:14: environment: a production target is only touched"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_where_it_stands(old: str, new: str, expected: str) -> None:
    (problem,) = told(EXPERIMENT, TARGET.replace(old, new))
    assert problem.startswith(expected)


def test_a_role_that_is_lacking_here_is_not_judged() -> None:
    assert told(EXPERIMENT, TARGET + "  hsm: {driver: pkcs11, lacking: no HSM here}\n") == []


def test_a_variable_is_told_once_at_the_first_place_that_needs_it() -> None:
    twice = "".join(f"  w{number}: {{driver: process, pidfile: '${{{UNSET}}}'}}\n" for number in (1, 2))
    (problem,) = told(EXPERIMENT, TARGET + twice)
    assert problem.startswith("t.yaml:7:34: roles.w1.pidfile: ")


def test_an_address_by_reference_is_judged_and_not_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEATRIAL_TEST_URL", "redis://:secret@10.1.1.1/0")
    role = '  cache: {driver: redis, url: "${SEATRIAL_TEST_URL}"}\n'
    (problem,) = told(timeline("{at: 1s, fault: redis.flush, on: cache}"), TARGET + role)
    assert problem.startswith("t.yaml:7:31: roles.cache.url: its host is not in allow: ")
    assert told(EXPERIMENT, TARGET + role) == []  # nobody needs it, so nobody touches it


def test_both_files_mistakes_are_told_whatever_else_is_wrong_with_either() -> None:
    experiment = timeline(
        "{at: 1s, fault: process.kil, on: worker}", "{at: 1s, fault: process.kill, on: wrker}"
    ).replace("duration:", "duratoin:")
    target = TARGET.replace("base_url", "base_ur").replace("pidfile", "pidfil")
    problems = told(experiment, target)
    for expected in (
        "x.yaml:1:1: duration: is required and missing",
        "x.yaml:3:1: duratoin: unknown key",
        "x.yaml:5:21: timeline[0].fault: unknown fault 'process.kil'",
        "x.yaml:6:39: timeline[1].on: the target shop has no role 'wrker'",
        "t.yaml:1:1: base_url: is required and missing",
        "t.yaml:2:1: base_ur: unknown key",
        "t.yaml:5:29: roles.worker.pidfil: unknown key",
    ):
        assert any(problem.startswith(expected) for problem in problems), (expected, problems)
    assert len(problems) == 7


def test_without_a_target_the_experiment_is_looked_at_all_the_same() -> None:
    problems = told(timeline("{at: 1s, fault: process.kil, on: x}") + "checks: [served-yb]\n", None)
    assert [problem.split(": ")[1] for problem in problems] == ["timeline[0].fault", "checks[0]"]
