"""A sink's settings are a record whose fields name the variables."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import Field

from seatrial.incidents.variables import Address, SecretText, SinkSettings
from seatrial.model.problems import BadInput


class ChatSettings(SinkSettings):
    """Of a sink that does not exist."""

    prefix: ClassVar[str] = "SEATRIAL_CHAT"

    url: Address
    token: SecretText = Field(description="nobody may post without")
    from_: str = "seatrial"
    patience_s: float = 15.0


SET = {"SEATRIAL_CHAT_URL": "https://chat.example/", "SEATRIAL_CHAT_TOKEN": "hush"}


def test_the_first_field_switches_it_on() -> None:
    assert ChatSettings.from_environment({}) is None
    assert ChatSettings.from_environment({"SEATRIAL_CHAT_TOKEN": "hush", "SEATRIAL_CHAT_URL": " "}) is None
    assert ChatSettings.way_on() == "SEATRIAL_CHAT_URL is not set; set it"


def test_fields_are_typed_and_secrets_hidden(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("hush\n")
    given = {**SET, "SEATRIAL_CHAT_TOKEN": "", "SEATRIAL_CHAT_TOKEN_FILE": str(tmp_path / "token")}
    settings = ChatSettings.from_environment(
        {**given, "SEATRIAL_CHAT_FROM": "x", "SEATRIAL_CHAT_PATIENCE_S": "2"}
    )
    assert settings is not None
    assert (settings.token.reveal(), settings.from_, settings.patience_s) == ("hush", "x", 2.0)
    assert "hush" not in repr(settings)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"TOKEN": ""},
            r"^SEATRIAL_CHAT_URL is set, so SEATRIAL_CHAT_TOKEN must be: nobody may post without$",
        ),
        ({"URL": "chat.example"}, r"^SEATRIAL_CHAT_URL: is not an http:// or https:// address$"),
        ({"PATIENCE_S": "long"}, r"^SEATRIAL_CHAT_PATIENCE_S: Input should be a valid number"),
        ({"TOKEN": "", "TOKEN_FILE": "/nowhere"}, r"^SEATRIAL_CHAT_TOKEN_FILE: cannot read /nowhere"),
    ],
)
def test_what_is_wrong_names_the_variable(changes: dict[str, str], told: str) -> None:
    environment = SET | {f"SEATRIAL_CHAT_{name}": value for name, value in changes.items()}
    with pytest.raises(BadInput, match=told):
        ChatSettings.from_environment(environment)
