"""What undoing needs is plain data, survives a journey through JSON, and holds no secret."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from seatrial.drivers import reach
from seatrial.drivers.http import HttpBinding
from seatrial.drivers.redis import RedisBinding
from seatrial.model.problems import BadInput, Unavailable
from seatrial.model.role import Role
from seatrial.model.target import RoleBinding, Target
from seatrial.undo import Undo

SECRET = "hunter2-hunter2"
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=8,
)


@given(
    name=st.text(min_size=1),
    parameters=st.dictionaries(st.text(), PLAIN),
    state=st.dictionaries(st.text(), PLAIN),
    words=st.tuples(st.text(), st.text()),
)
def test_a_record_survives_json(
    name: str, parameters: dict[str, object], state: dict[str, object], words: tuple[str, str]
) -> None:
    role = Role(name, "process", parameters, ("127.0.0.1",), "/somewhere")
    undo = Undo(name, parameters, role, state, *words)
    assert Undo.from_json(undo.to_json()) == undo


def a_role(monkeypatch: pytest.MonkeyPatch) -> Role:
    monkeypatch.setenv("CACHE_PASSWORD", SECRET)
    binding = {"driver": "redis", "url": "redis://:${CACHE_PASSWORD}@127.0.0.1:6379/0"}
    target = Target(
        target="shop", base_url="http://127.0.0.1:1", roles={"cache": RoleBinding.model_validate(binding)}
    )
    return Role.of(target, "cache", Path("/etc/seatrial"))


def test_a_secret_is_resolved_at_the_moment_of_use_and_recorded_never(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    role = a_role(monkeypatch)
    undo = Undo("redis.evict", {}, role, {}, touches="a cache", by_hand="…")
    assert SECRET in role.bound_to(RedisBinding).url
    assert SECRET not in undo.to_json()
    assert SECRET not in repr(undo)
    assert json.loads(undo.to_json())["role"]["parameters"]["url"] == role.as_written(RedisBinding).url


def test_a_reference_to_what_is_no_text_is_resolved_and_can_be_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATIENCE", "2.5")
    written = {"url": "http://127.0.0.1:1/${PATIENCE}", "timeout_s": "${PATIENCE}"}
    role = Role("shop", "http", written, ("127.0.0.1",), ".")
    assert role.bound_to(HttpBinding).timeout_s == 2.5
    assert role.as_written(HttpBinding).url == "http://127.0.0.1:1/${PATIENCE}"


def test_a_missing_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    role = a_role(monkeypatch)
    monkeypatch.delenv("CACHE_PASSWORD")
    with pytest.raises(Unavailable, match="CACHE_PASSWORD"):
        role.bound_to(RedisBinding)


def test_only_allowed_hosts_are_touched(role: Role) -> None:
    reach.require_allowed(role.allow_list, "127.0.0.1", role.name)
    reach.require_allowed(role.allow_list, "localhost", role.name)
    for host in ("10.0.0.1", "example.org", ""):
        with pytest.raises(BadInput, match="allow"):
            reach.require_allowed(role.allow_list, host, role.name)


def test_a_role_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    target = Target(target="shop", base_url="http://127.0.0.1:1")
    with pytest.raises(BadInput, match="has no role 'cache'; it has: none"):
        Role.of(target, "cache", Path())


def test_what_is_wrong_with_a_driver_is_told_with_its_place(role: Role) -> None:
    class Binding(BaseModel):
        url: str

    with pytest.raises(BadInput) as caught:
        role.bound_to(Binding)
    assert [str(problem) for problem in caught.value.problems] == [
        "roles.anything.url: is required and missing"
    ]
