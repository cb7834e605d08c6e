"""What a check found: the records that every form of its report is made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from seatrial.model.exitcodes import ExitCode
from seatrial.model.verdict import Verdict


class Level(StrEnum):
    """What a message means."""

    DENY = "deny"
    WARN = "warn"


@dataclass(frozen=True, slots=True)
class Finding:
    """One message of one rule about one document. `line`: where the document begins.

    `more`: what else the message carries, such as `control` and `comply`.
    """

    namespace: str
    rule: str
    level: Level
    message: str
    line: int
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The rule as others know it: `main.deny_root`."""
        return f"{self.namespace}.{self.rule}"

    @property
    def control(self) -> str:
        """The control or article that it is about; empty when the policy names none."""
        return str(self.more.get("control", ""))

    @property
    def comply(self) -> str:
        """How to comply; empty when the policy does not say."""
        return str(self.more.get("comply", ""))


@dataclass(frozen=True, slots=True)
class Exempted:
    """A rule that an exception of the policy itself kept from counting."""

    namespace: str
    rule: str


@dataclass(frozen=True, slots=True)
class Broken:
    """Why no policy could judge a file, and where in it, as far as its reader can tell.

    lasting: whether the same bytes will be told so again; only that is remembered.
    """

    why: str
    line: int | None = None
    column: int | None = None
    lasting: bool = True


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of one file: this is what is remembered."""

    findings: tuple[Finding, ...] = ()
    exempted: tuple[Exempted, ...] = ()
    broken: Broken | None = None

    @classmethod
    def of_all(cls, told: Sequence[Told]) -> Told:
        """Of a file with several documents."""
        return cls(
            tuple(finding for each in told for finding in each.findings),
            tuple(dict.fromkeys(exempted for each in told for exempted in each.exempted)),
        )

    @property
    def lasting(self) -> bool:
        """Whether it may be remembered."""
        return self.broken is None or self.broken.lasting

    def plain(self) -> dict[str, Any]:
        """As JSON."""
        broken = self.broken
        return {
            "findings": [
                [each.namespace, each.rule, each.level.value, each.message, each.line, dict(each.more)]
                for each in self.findings
            ],
            "exempted": [[each.namespace, each.rule] for each in self.exempted],
            "broken": [broken.why, broken.line, broken.column] if broken else None,
        }

    @classmethod
    def of_plain(cls, data: Mapping[str, Any]) -> Told:
        """What `plain` wrote. Raises KeyError, TypeError or ValueError for anything else."""
        return cls(
            tuple(
                Finding(namespace, rule, Level(level), message, line, more)
                for namespace, rule, level, message, line, more in data["findings"]
            ),
            tuple(Exempted(*each) for each in data["exempted"]),
            Broken(*data["broken"]) if data["broken"] else None,
        )


@dataclass(frozen=True, slots=True)
class Report:
    """A check as it came out.

    `told`: by path, of every file that something is told of. `inputs`: files that were judged, `evaluated`
    of them now and the others earlier, from the same bytes by the same policies. `rules`: how many rules.
    `policies`: the hash of policies, data, engine and readers.
    """

    told: Mapping[str, Told]
    inputs: int
    evaluated: int
    read: int  # files whose bytes were read
    rules: tuple[str, ...]
    policies: str
    engine: str
    started_at: str  # ISO 8601, UTC
    elapsed_s: float
    notes: tuple[str, ...] = ()

    def findings(self, level: Level) -> list[tuple[str, Finding]]:
        """Path and finding of each message of a level, by path."""
        return [
            (path, each)
            for path in sorted(self.told)
            for each in self.told[path].findings
            if each.level is level
        ]

    @property
    def broken(self) -> list[tuple[str, Broken]]:
        """Path and reason of each file that could not be judged."""
        return [(path, told.broken) for path in sorted(self.told) if (told := self.told[path]).broken]

    @property
    def exempted(self) -> int:
        """How many rules were kept from counting by exceptions."""
        return sum(len(each.exempted) for each in self.told.values())

    @property
    def verdict(self) -> Verdict:
        """Fail with a denial; else unknown while a file could not be judged; else pass."""
        if self.findings(Level.DENY):
            return Verdict.FAIL
        return Verdict.UNKNOWN if self.broken else Verdict.PASS

    def exit_code(self, *, fail_on_warn: bool = False) -> int:
        """1 with a denial, else 64 while a file is broken, else 0."""
        if self.verdict is Verdict.FAIL or (fail_on_warn and self.findings(Level.WARN)):
            return ExitCode.FAIL
        return ExitCode.BAD_INPUT if self.broken else ExitCode.PASS
