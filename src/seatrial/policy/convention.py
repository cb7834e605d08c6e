"""conftest's convention: which rules of a package count, and what their values mean.

    deny, violation, deny_*, violation_*     each message denies
    warn, warn_*                             each message warns
    exception contains ["name", …]           exempts deny_name, violation_name and warn_name; "" the bare ones

A message is text, or an object with `msg`; what else stands in it is kept, and `control` and `comply` are
shown. Where conftest takes a rule that gives no set for one that passes, here it is a mistake of the policy:
what was meant to deny and cannot must not pass in silence.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from seatrial.model.problems import BadInput
from seatrial.policy.outcome import Exempted, Finding, Level, Told

GATE = "seatrial_gate"
"""The package that asks all rules at once; no policy may be called so."""

_FAILING = re.compile(r"(deny|violation)(_[a-zA-Z0-9]+)*")
_WARNING = re.compile(r"warn(_[a-zA-Z0-9]+)*")
_PREFIX = re.compile(r"^(deny|violation|warn)_?")


EXCEPTION = "exception"
"""The rule that exempts others."""


def counts(rule: str) -> bool:
    """Whether a rule is one of the convention."""
    return rule == EXCEPTION or level_of(rule) is not None


def level_of(rule: str) -> Level | None:
    """What a message of a rule means; None for a rule that is not one of the convention."""
    if _FAILING.fullmatch(rule):
        return Level.DENY
    return Level.WARN if _WARNING.fullmatch(rule) else None


def gate_module(rules: Mapping[str, Sequence[str]], *, inside: str = "") -> str:
    """A module that asks for every rule at once. `rules`: by the reference of their package, `data.main`.

    inside: `with` clauses, for an engine that is given many inputs at once.
    """
    lines = [
        f"found contains [{json.dumps(package)}, {json.dumps(rule)}, value] if {{"
        f" value := {package}.{rule}{inside} }}"
        for package, names in sorted(rules.items())
        for rule in names
    ]
    return "\n".join([f"package {GATE}", "import rego.v1", *lines]) + "\n"


def told_of(answer: Any, line: int) -> Told:
    """What an engine's answer to `gate_module` tells of one document, which begins at `line`.

    Raises BadInput for a rule whose value is no set of messages.
    """
    values = {(package, rule): value for package, rule, value in answer}
    exempt = {
        package: set(_names(package, value)) for (package, rule), value in values.items() if rule == EXCEPTION
    }
    findings: list[Finding] = []
    exempted: list[Exempted] = []
    for (package, rule), value in sorted(values.items()):
        level = level_of(rule)
        if level is None:
            continue
        messages = list(_messages(package, rule, value))
        if _PREFIX.sub("", rule) in exempt.get(package, ()):
            exempted.append(Exempted(namespace_of(package), rule))
            continue
        findings += [Finding(namespace_of(package), rule, level, text, line, more) for text, more in messages]
    return Told(tuple(findings), tuple(exempted))


def namespace_of(package: str) -> str:
    """`main` for `data.main`."""
    return package.removeprefix("data.")


def _names(package: str, value: Any) -> Iterator[str]:
    if not isinstance(value, list):
        raise BadInput(
            f"{namespace_of(package)}.exception: its value is {_shown(value)}, where a set of lists of names "
            "is expected: exception contains [\"name\"] if { … }"
        )  # fmt: skip
    for names in value:
        yield from (each for each in names if isinstance(each, str)) if isinstance(names, list) else ()


def _messages(package: str, rule: str, value: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Text and what else is told of each message, each once, in an order of their own."""
    called = f"{namespace_of(package)}.{rule}"
    if not isinstance(value, list):
        raise BadInput(
            f"{called}: its value is {_shown(value)}, where a set of messages is expected: "
            f"{rule} contains msg if {{ … }}"
        )
    for each in sorted(value, key=_order):
        if isinstance(each, str):
            yield each, {}
        elif isinstance(each, dict) and isinstance(each.get("msg"), str):
            yield each["msg"], {key: of for key, of in sorted(each.items()) if key != "msg"}
        else:
            raise BadInput(f"{called}: {_shown(each)} is no message: write text, or an object with msg: text")


def _order(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:60]}…"
