from __future__ import annotations

import pytest

from seatrial.load.former import with_advice


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        ("ImportError: The HttpLocust class has been renamed to HttpUser in version 1.0.", "; derive from HttpUser"),
        ("ImportError: cannot import name 'Locust' from 'locust'", "; derive from HttpUser"),
        ("ImportError: cannot import name 'TaskSequence' from 'locust'", "; derive from SequentialTaskSet, with @task"),
        ("AttributeError: 'Events' object has no attribute 'request_success'", "; listen to events.request, which"),
        ("AttributeError: 'Events' object has no attribute 'hatch_complete'", "; listen to events.spawning_complete"),
        ("AttributeError: 'Behaviour' object has no attribute 'locust'", "; write self.user"),
        ("ModuleNotFoundError: No module named 'faker.providers'", "; install what faker belongs to"),
        ("ModuleNotFoundError: No module named 'paho.mqtt'", "; pip install 'seatrial[protocols]'"),
    ],
)  # fmt: skip
def test_what_to_write_instead(error: str, advice: str) -> None:
    assert with_advice(error).startswith(error + advice)


def test_what_is_not_known_is_left_as_it_is() -> None:
    assert with_advice("KeyError: 'TOKEN'") == "KeyError: 'TOKEN'"
