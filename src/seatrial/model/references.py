"""References to the environment in what a user wrote, and where each is filled in.

They stand apart from the target because a guardian and the companions of faults fill in what they need of a
role, and know no target: its records would take a third of their start.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from seatrial.model import secrets

_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_LOGIN = re.compile(r"://([^\s/@]+:[^\s/]+)@")


def references(value: Any) -> set[str]:
    """Names of the environment variables that `${NAME}` references anywhere in `value` need."""
    return {name for text in _texts(value) for name in _REFERENCE.findall(text)}


def resolve(value: Any, environment: Mapping[str, str]) -> Any:
    """`value` with each `${NAME}` replaced by a secret. Secrets enter here only: what is recorded is `value`.

    Each is remembered, so that no text that leaves this process shows it. Raises KeyError for one that is not
    set.
    """
    for name in references(value):
        secrets.remember(environment[name], f"${{{name}}}")
    for address in _texts(value):
        _remember_login(address, environment)
    return substitute(value, environment)


def _remember_login(address: str, environment: Mapping[str, str]) -> None:
    """HTTP sends `user:password` in base64, in which a short password is not found by itself."""
    for written in filter(references, _LOGIN.findall(address)):
        login = unquote(substitute(written, environment)).encode()
        secrets.remember(base64.b64encode(login).decode(), f"base64({written})")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list, tuple)):
        for child in value.values() if isinstance(value, dict) else value:
            yield from _texts(child)


def substitute(value: Any, environment: Mapping[str, str]) -> Any:
    """`value` with each `${NAME}` replaced by what is no secret, or is shown to nobody."""
    if isinstance(value, str):
        return _REFERENCE.sub(lambda match: environment[match[1]], value)
    if isinstance(value, dict):
        return {key: substitute(child, environment) for key, child in value.items()}
    if isinstance(value, list):
        return [substitute(child, environment) for child in value]
    return value
