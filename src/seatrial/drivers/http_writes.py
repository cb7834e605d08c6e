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

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from seatrial.drivers.httpclient import HttpClient
from seatrial.drivers.stored import Copy
from seatrial.model.problems import BadInput, Unavailable
from seatrial.model.role import Role

if TYPE_CHECKING:
    from seatrial.drivers.http import HttpBinding

_AT_ONCE = 8
_KEYS_A_ROUND = 1_000  # whose answers may wait in memory


def ask(role: Role, endpoint: HttpBinding, keys: Sequence[str]) -> Iterator[Copy]:
    """The stored copies of the writes with these keys, as they are read. Raises BadInput or Unavailable."""
    with (
        HttpClient(role.allow_list, role.name, endpoint.timeout_s) as client,
        ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="seatrial-lookup") as pool,
    ):
        for start in range(0, len(keys), _KEYS_A_ROUND):
            some = keys[start : start + _KEYS_A_ROUND]
            answers = pool.map(lambda key: _ask_one(client, role.name, endpoint, key), some)
            yield from (answer for answer in answers if answer is not None)


def _ask_one(client: HttpClient, role: str, endpoint: HttpBinding, key: str) -> Copy | None:
    identity, _, expected = key.partition(" ")
    words: dict[str, Any] = {"id": identity, "expected": expected.split(" ")}
    url = _filled(f"roles.{role}.url", endpoint.url, words)
    headers = {
        name: _filled(f"roles.{role}.headers.{name}", value, words)
        for name, value in endpoint.headers.items()
    }
    answer = client.ask("GET", url, headers=headers)
    if answer.status == 404:
        return None
    if not answer.is_success:
        raise Unavailable(f"{answer.to}: HTTP {answer.status}")
    if not endpoint.content:
        return identity, None
    content = answer.object()
    try:
        return identity, _filled(f"roles.{role}.content", endpoint.content, content)
    except BadInput as error:
        raise Unavailable(f"{error}; {answer.to} answered {answer.opening}") from error


def _filled(where: str, template: str, values: dict[str, Any]) -> str:
    try:
        return template.format_map(values)
    except (LookupError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise BadInput(f"{where}: '{template}' asks for something that is not there: {error}") from error
