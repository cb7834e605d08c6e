"""Look writes up by HTTP, one GET a write.

    writes:
      driver: http
      url: http://127.0.0.1:9000/orders/{id}
      headers: {X-Tenant: "{expected[0]}"}
      content: "{tenant} {sku} {quantity}"

200 is one stored copy, 404 none. In `url` and `headers`, `{id}` is the write's id and `{expected[0]}` the
first word of its content; in `content`, names are those of the answer's JSON object.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from seatrial.drivers.http import HttpBinding
from seatrial.faults.protocol import Role
from seatrial.model.problems import BadInput, Unavailable

_AT_ONCE = 8


def identity_of(key: str) -> str:
    """The id in a write's key."""
    return key.partition(" ")[0]


def ask(role: Role, keys: Sequence[str]) -> list[tuple[str, str | None]]:
    """The stored copies of the writes with these keys. Raises BadInput or Unavailable."""
    endpoint = role.bound_to(HttpBinding)
    role.require_allowed(httpx.URL(endpoint.url.split("{")[0]).host)
    with (
        httpx.Client(timeout=endpoint.timeout_s, trust_env=False) as client,
        ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="seatrial-lookup") as pool,
    ):
        answers = pool.map(lambda key: _ask_one(client, role.name, endpoint, key), keys)
        return [answer for answer in answers if answer is not None]


def _ask_one(
    client: httpx.Client, role: str, endpoint: HttpBinding, key: str
) -> tuple[str, str | None] | None:
    identity, _, expected = key.partition(" ")
    words: dict[str, Any] = {"id": identity, "expected": expected.split(" ")}
    url = _filled(role, "url", endpoint.url, words)
    headers = {name: _filled(role, "headers", value, words) for name, value in endpoint.headers.items()}
    try:
        answer = client.get(url, headers=headers)
    except httpx.HTTPError as error:
        raise Unavailable(f"{role}: GET {url}: {error}") from error
    if answer.status_code == 404:
        return None
    if not answer.is_success:
        raise Unavailable(f"{role}: GET {url}: HTTP {answer.status_code}")
    return identity, _filled(role, "content", endpoint.content, answer.json()) if endpoint.content else None


def _filled(role: str, what: str, template: str, values: dict[str, Any]) -> str:
    try:
        return template.format_map(values)
    except (KeyError, IndexError, ValueError, TypeError, AttributeError) as error:
        raise BadInput(
            f"roles.{role}.{what}: '{template}' asks for something that is not there: {error}"
        ) from error
