from __future__ import annotations

import json

from starlette.applications import Starlette

from seatrial.testbed.serving import Refused, json_answer, server


def test_a_refusal_says_what_is_wrong() -> None:
    answer = Refused(404, "no such setting").answer()
    assert (answer.status_code, json.loads(bytes(answer.body))) == (404, {"error": "no such setting"})


def test_json_is_compact() -> None:
    answer = json_answer({"a": [1, 2]}, 201)
    assert (answer.status_code, answer.body) == (201, b'{"a":[1,2]}')


def test_connections_outlive_those_that_a_proxy_keeps() -> None:
    config = server(Starlette(), "127.0.0.1", 8001).config
    assert (config.host, config.port) == ("127.0.0.1", 8001)
    assert config.timeout_keep_alive > 5
