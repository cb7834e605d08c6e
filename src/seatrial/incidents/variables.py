"""What a sink is told by environment variables: a typed record, whose fields name the variables.

    class ChatSettings(SinkSettings):          SEATRIAL_CHAT_URL      the address; without it the sink is off
        prefix = "SEATRIAL_CHAT"               SEATRIAL_CHAT_TOKEN    or SEATRIAL_CHAT_TOKEN_FILE, its path
        url: Address                           SEATRIAL_CHAT_ROOM
        token: SecretText
        room: str = "operations"

The first field switches the sink on. Keys come from there or from a file, and from nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self, get_args
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic.fields import FieldInfo

from seatrial.model import secrets
from seatrial.model.problems import BadInput, Problem
from seatrial.model.redaction import cannot_be_mistaken


class Secret:
    """A value that shows itself only to whoever asks for it by name: no repr, no log line, no traceback."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value."""
        return self._value

    def scrub(self, text: str) -> str:
        """`text` without the value in it."""
        return text.replace(self._value, "[secret]")

    def __repr__(self) -> str:
        return "Secret(…)"


def _as_secret(value: object) -> object:
    return Secret(value) if isinstance(value, str) else value


def _web_address(value: str) -> str:
    if urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).hostname:
        raise ValueError("is not an http:// or https:// address")
    return value


class _InItsPath:
    """Marks an address by whose path alone the receiver knows us."""


SecretText = Annotated[Secret, BeforeValidator(_as_secret, json_schema_input_type=str)]
Address = Annotated[str, AfterValidator(_web_address)]
TokenAddress = Annotated[Address, _InItsPath()]  # its path is as good as a password


class SinkSettings(BaseModel):
    """The base of every sink's settings. Fields without a default must be set, once the first one is."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    prefix: ClassVar[str]  # of the variables: SEATRIAL_CHAT

    @classmethod
    def variable(cls, field: str) -> str:
        """The environment variable that a field is read from."""
        return f"{cls.prefix}_{field.rstrip('_').upper()}"

    @classmethod
    def way_on(cls) -> str:
        """What switches the sink on."""
        switch = next(iter(cls.model_fields))
        variable = cls.variable(switch)
        by_file = f", or {variable}_FILE" if _is_secret(cls.model_fields[switch]) else ""
        return f"{variable} is not set; set it{by_file}"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self | None:
        """The settings; None when the sink is off. Raises BadInput, with no secret in it."""
        given = {
            field: value
            for field, info in cls.model_fields.items()
            if (value := _value_of(environment, cls.variable(field), info))
        }
        switch = next(iter(cls.model_fields))
        if switch not in given:
            return None
        try:
            settings = cls.model_validate(given)
        except ValidationError as error:
            raise BadInput([cls._problem(switch, dict(detail)) for detail in error.errors()]) from None
        for field, info in cls.model_fields.items():
            if any(isinstance(mark, _InItsPath) for mark in info.metadata):
                _remember_path(getattr(settings, field), cls.variable(field))
        return settings

    @classmethod
    def _problem(cls, switch: str, detail: dict[str, Any]) -> Problem:
        """One of pydantic's errors; what was given may be a secret, and is not quoted."""
        field = str(detail["loc"][0])
        if detail["type"] == "missing":
            why = cls.model_fields[field].description
            told = f"{cls.variable(switch)} is set, so {cls.variable(field)} must be"
            return Problem(f"{told}: {why}" if why else told)
        wrong = detail.get("ctx", {}).get("error") or detail["msg"]
        return Problem(f"{cls.variable(field)}: {wrong}")


def _is_secret(info: FieldInfo) -> bool:
    return Secret in (info.annotation, *get_args(info.annotation))


def _value_of(environment: Mapping[str, str], variable: str, info: FieldInfo) -> str:
    value = environment.get(variable, "").strip()
    if not _is_secret(info):
        return value
    file = environment.get(f"{variable}_FILE", "")
    if not value and file:
        try:
            value = Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise BadInput(f"{variable}_FILE: cannot read {file}: {error}") from error
    if value:
        secrets.remember(value, f"${{{variable}}}")
    return value


def _remember_path(address: str, variable: str) -> None:
    path = address.partition("://")[2].partition("/")[2]
    if cannot_be_mistaken(path):
        secrets.remember(path, f"${{{variable}}}")
