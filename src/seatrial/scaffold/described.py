"""What a description of a service says of it, whoever has read it and from whichever form."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SafeOperation:
    """One that may be asked again and again: `url` has values where `template` has names of parameters."""

    task: str  # what a scenario may call it
    template: str
    url: str


@dataclass(frozen=True, slots=True)
class Description:
    """What a file says of its service."""

    server: str  # the address of its first server; "" when that is none
    operations: tuple[SafeOperation, ...]
    left_out: tuple[str, ...]  # safe operations that cannot be asked, and why not
    token_header: str = ""  # the header in which it wants to be told who asks: `Authorization`
    token_form: str = ""  # what stands in front of the token there: `Bearer `
