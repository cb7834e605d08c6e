"""Keeps the text of a shell script, when a secret was filled in, out of the process list.

    [sh, -c, 'curl -H "Authorization: ${TOKEN}" …']     `ps` shows the value of TOKEN to everybody
    [sh, -c, 'eval "$SEATRIAL_SCRIPT"']                 the same script, which only its own user can see

A secret that is an argument of another program cannot be hidden from there: the program finds the variable in
its environment, and is better told to look there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from seatrial.model.secrets import shown

_VARIABLE = "SEATRIAL_SCRIPT"
_SHELLS = frozenset({"sh", "ash", "bash", "dash", "ksh", "zsh"})
_SCRIPT_FOLLOWS = re.compile(r"-[a-z]*c")


def out_of_sight(arguments: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """The same program with its script in a variable, and that variable; as it is when nothing is secret."""
    if Path(arguments[0]).name in _SHELLS:
        for at, option in enumerate(arguments[1:-1], start=1):
            script = arguments[at + 1]
            if _SCRIPT_FOLLOWS.fullmatch(option) and shown(script) != script:
                return [*arguments[: at + 1], f'eval "${_VARIABLE}"', *arguments[at + 2 :]], {
                    _VARIABLE: script
                }
    return list(arguments), {}
