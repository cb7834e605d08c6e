"""Which version of itself a target says it is, and how it is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from seatrial.model.quantities import Duration
from seatrial.model.strict import Strict, about, as_tuple, exactly_one


def _short(value: object) -> object:
    """`version: /version` is short for `version: {url: /version}`."""
    return {"url": value} if isinstance(value, str) else value


class VersionSource(Strict):
    """How a target tells its version: by an answer, a header of it, or a command.

        version: /version                                # the first line of the answer
        version: {url: /info, key: build.version}        # a value of its JSON object
        version: {url: /, header: X-Release}
        version: {command: [./version.sh]}

    It is asked before and after a run, and recorded with it; what does not tell is unknown and fails nothing.
    """

    model_config = ConfigDict(json_schema_extra=exactly_one("url", "command"))

    url: str = Field(default="", examples=["/version"])
    """A path of the target, or an address in `allow`; it is asked by GET and must answer 2xx."""
    header: str = Field(default="", examples=["X-Release"])
    """The header of that answer that names the version; without it, the answer's text does."""
    key: str = Field(default="", examples=["build.version"])
    """The key of the answer's JSON object, with a dot between levels."""
    command: Annotated[tuple[str, ...], BeforeValidator(as_tuple)] = Field(
        default=(), examples=[["./version.sh"]]
    )
    """A program and its arguments, run where the target file stands; the first line that it prints counts."""
    within: Duration = Duration(5.0)
    """How long is waited for an answer."""

    @model_validator(mode="after")
    def _one_way(self) -> VersionSource:
        if bool(self.url) == bool(self.command):
            raise about("url", "say either a url or a command")
        if self.command and (self.header or self.key):
            raise about("command", "what it prints is the version; it has neither header nor key")
        if self.header and self.key:
            raise about("header", "say either a header or a key")
        return self


HowToldVersion = Annotated[VersionSource, BeforeValidator(_short, json_schema_input_type=str | VersionSource)]


@dataclass(frozen=True, slots=True)
class TargetVersion:
    """What a target said that it is, before and after a run. None: it did not tell, and `why` says why."""

    before: str | None
    after: str | None
    why: str = ""

    def __str__(self) -> str:
        told = self.before or "unknown", self.after or "unknown"
        text = told[0] if told[0] == told[1] else f"{told[0]}, then {told[1]}"
        return f"{text} ({self.why})" if self.why else text
