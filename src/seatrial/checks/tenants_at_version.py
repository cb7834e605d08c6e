"""Every tenant is at the same version, and none is half-way.

    tenants-at-version
    tenants-at-version: {role: tenants, version: "20260102000000"}

Half-way is a schema that its tool has marked as dirty, that has an invalid index, or that is made otherwise
than the other schemas of its version. Where tenants were migrated in the run, each must have been brought to
the newest version, and who failed is named with the tool's own words; where all of them were there before, or
a program ended well and changed nothing that can be seen (no version, column, index or constraint), nothing
was shown, and the verdict is unknown. If the migration was undone at the end of the run, what counts
is what its own look at the end has found, and that all have gone back alike.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from pydantic import Field

from seatrial.checks.protocol import History, RecordingCheck
from seatrial.checks.tenants import Line, Recording, Schema, migrates, named, schemas_of
from seatrial.model.result import CheckResult
from seatrial.model.verdict import Verdict


class TenantsAtVersion(RecordingCheck):
    """What the schemas of all tenants have come to."""

    name: ClassVar[str] = "tenants-at-version"
    recorder: ClassVar[str] = "tenant-versions"

    role: str = Field(default="tenants", examples=["tenants"])
    """The role through which the tenants are found."""
    version: str = Field(default="", examples=["20260102000000"])
    """The version that all must be at; left out, the newest migration, or any that all are at."""

    def judge(self, history: History) -> CheckResult:
        recording = self.recorded(history, Recording.parse)
        if isinstance(recording, CheckResult):
            return recording
        if not recording.tenants:
            return self.found(Verdict.UNKNOWN, "no tenant was found")
        lines = recording.of_the_run(history) if migrates(history) else ()
        if migrates(history) and not lines:
            return self.found(Verdict.UNKNOWN, "tenants were to be migrated, and there is no record of it")
        return self._judged(history, recording, lines)

    def _judged(self, history: History, recording: Recording, lines: Sequence[Line]) -> CheckResult:
        became = _became(lines)
        failed = {name: line for name, line in became.items() if line.get("result") == "failed"}
        states = _at_the_end(recording, lines)
        differing, at = _differing(states, self.version or _goal(lines))
        half_way = [
            *_half_way(states),
            *(_half_way(recording.tenants) if states is not recording.tenants else ()),
        ]
        figures = {
            "tenants": len(states),
            "migrated": sum(
                line.get("result") == "done" and line.get("changed") is True for line in became.values()
            ),
            "failed": len(failed),
            "differing": len(differing),
            "half_way": len(half_way),
            "starts": sum(line["event"] == "begun" for line in lines),
            "took_s": _took_s(lines),
        }
        said = f"{len(states) - len(differing):,} of {len(states):,} tenants at {at}"
        wrong = [
            f"{len(found):,} {what}: {named(found)}"
            for what, found in (
                ("failed", [f"{name} ({line.get('said')})" for name, line in sorted(failed.items())]),
                ("half-way", half_way),
                ("at another version", [text for name, text in differing.items() if name not in failed]),
            )
            if found
        ]
        if failed or half_way:
            return self.found(Verdict.FAIL, f"{said}; {'; '.join(wrong)}", **figures)
        if wrong:
            return self.of_the_end(history, f"{said}; {'; '.join(wrong)}", **figures)
        if lines and not figures["migrated"]:
            why = "no tenant's version or tables changed" if became else "all were there before"
            told = f"{said}: {why}, so nothing was migrated in the run"
            return self.found(Verdict.UNKNOWN, told, **figures)
        if history.cut:
            return self.found(Verdict.UNKNOWN, f"the run was cut short ({history.cut}): {said}", **figures)
        migrated = f"; {figures['migrated']:,} migrated in {figures['took_s']:.1f} s" if lines else ""
        starts = f", with {figures['starts']} starts" if figures["starts"] > 1 else ""
        return self.found(Verdict.PASS, f"{said}, none half-way{migrated}{starts}", **figures)


def _became(lines: Sequence[Line]) -> dict[str, dict[str, Any]]:
    """What became of each tenant in the run, last."""
    found: dict[str, dict[str, Any]] = {}
    for line in lines:
        if line["event"] == "started":
            found[line["tenant"]] = dict(line)
        elif line["event"] == "ended":
            found[line["tenant"]] = {**found.get(line["tenant"], {}), **line}
    return found


def _at_the_end(recording: Recording, lines: Sequence[Line]) -> Mapping[str, Schema]:
    """As they are now; if they were taken back since, as they were when all were through."""
    looked = [line for line in lines if line["event"] == "looked"]
    if looked and any(line["event"] == "undone" for line in lines):
        return schemas_of(looked[-1]["tenants"])
    return recording.tenants


def _goal(lines: Sequence[Line]) -> str:
    """The newest version that the last start was to bring all to; "" when its tool alone knew."""
    goals = [line["goal"] for line in lines if line["event"] == "begun"]
    return goals[-1][-1] if goals and goals[-1] else ""


def _differing(states: Mapping[str, Schema], wanted: str) -> tuple[dict[str, str], str]:
    """Who is at another version than is wanted, or than most are, each with its own; and that version."""
    if wanted:
        return {
            name: f"{name} ({each.version})" for name, each in states.items() if each.version != wanted
        }, wanted
    there = Counter(each.applied for each in states.values() if not each.lacking)
    most = there.most_common(1)[0][0] if there else ()
    differing = {
        name: f"{name} ({each.version})"
        for name, each in states.items()
        if each.lacking or each.applied != most
    }
    return differing, most[-1] if most else "no version"


def _half_way(states: Mapping[str, Schema]) -> Iterator[str]:
    """Those that are, each with the reason."""
    shapes: dict[tuple[str, ...], Counter[str]] = {}
    for each in states.values():
        shapes.setdefault(each.applied, Counter())[each.shape] += 1
    for name, each in states.items():
        (usual, _), *_ = shapes[each.applied].most_common()
        if each.half_way:
            yield f"{name} ({each.half_way})"
        elif each.shape != usual:
            yield f"{name} (made otherwise than the others at {each.version})"


def _took_s(lines: Sequence[Line]) -> float:
    """From the first start to the last end of a tenant."""
    began = [line["at"] for line in lines if line["event"] == "begun"]
    ended = [line["at"] for line in lines if line["event"] == "ended"]
    return max(ended) - min(began) if began and ended else 0.0
