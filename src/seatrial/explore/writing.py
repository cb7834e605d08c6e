"""A schedule as an experiment: the file that `seatrial run` takes, with what it is known for above it.

It is the objectives file with a timeline. `after: last` there means the fault that begins last, whichever
that is, for whoever writes the file cannot name what will be chosen.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from seatrial.explore.coverage import interval
from seatrial.explore.record import Finding, Standing
from seatrial.explore.schedule import Injection, Schedule
from seatrial.explore.space import Space
from seatrial.model.quantities import Duration

LAST = "last"
"""What `after` says in an objectives file."""
_KEPT = (
    "testbed", "load", "warmup", "duration", "settle", "steady_state",
    "objectives", "checks", "guards", "incident",
)  # fmt: skip
_LONGEST_NAME = 60
_WIDTH = 110


class _Dumper(yaml.SafeDumper):
    """`on` is a key of ours, and no boolean to whoever reads these files."""


_Dumper.yaml_implicit_resolvers = {
    first: some for first, some in yaml.SafeDumper.yaml_implicit_resolvers.items() if first not in ("o", "O")
}


def experiment_of(
    base: Mapping[str, Any], schedule: Schedule, space: Space, *, name: str, title: str, hypothesis: str = ""
) -> dict[str, Any]:
    """The experiment of a schedule, as plain data."""
    steps = _steps(schedule, space)
    kept = {key: base[key] for key in _KEPT if key in base}
    if "objectives" in kept:
        kept["objectives"] = _after_last(kept["objectives"], steps[-1]["name"] if steps else "")
    load = kept.pop("load", {})
    head: dict[str, Any] = {
        "experiment": name,
        "title": title,
        **({"hypothesis": hypothesis} if hypothesis else {}),
    }
    middle: dict[str, Any] = {key: kept.pop(key) for key in ("warmup", "duration") if key in kept}
    return {**head, "load": load, **middle, **({"timeline": steps} if steps else {}), **kept}


def text_of(experiment: Mapping[str, Any], comment: Sequence[str] = ()) -> str:
    """The file, below a comment."""
    head = "".join(f"# {line}".rstrip() + "\n" for line in comment)
    body = yaml.dump(
        dict(experiment),
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=_WIDTH,
        default_flow_style=None,
    )
    return head + body


def told(schedule: Schedule, space: Space) -> str:
    """A schedule in one line: `process.kill on app at 0s for 400ms, …`."""
    return ", ".join(_told(each, space) for each in schedule) or "no fault"


def _told(injection: Injection, space: Space) -> str:
    at, length = _duration(injection.at, space), _duration(injection.length, space)
    return f"{injection.choice} at {at} for {length}"


def name_of(schedule: Schedule) -> str:
    """What the experiment of a finding is called: the faults in it, and a digest of their instants."""
    words = [
        word for each in schedule for word in re.findall("[a-z0-9]+", each.choice.lower()) if word != "on"
    ]
    digest = hashlib.sha256(repr(schedule).encode()).hexdigest()[:6]
    return f"{'-'.join(['found', *words])[:_LONGEST_NAME].rstrip('-')}-{digest}"


def comment_of(finding: Finding, space: Space, seed: int) -> list[str]:
    """What is known of a finding, line by line."""
    low, high = interval(finding.failed, finding.of)
    lines = [
        f"Found by `seatrial explore --seed {seed}`, and {_how_far(finding)}.",
        f"It broke: {', '.join(sorted(finding.violated)) or 'a promise'}.",
        *finding.reasons[:3],
        f"Failed again {finding.failed} of {finding.of} times; probability in [{low:.2f}, {high:.2f}], 95 %.",
    ]
    lines += [f"Without {choice} it {fared}." for choice, fared in finding.without]
    if finding.origin != finding.schedule:
        lines.append(f"It was first seen as: {told(finding.origin, space)}.")
    if finding.run:
        lines.append(f"Evidence: {finding.run}")
    return lines


def _how_far(finding: Finding) -> str:
    if finding.standing is not Standing.FACT:
        return f"not told from chance: {finding.standing}"
    return f"shrunk in {finding.runs} runs" if finding.complete else "not shrunk to the end"


def hypothesis_of(finding: Finding) -> str:
    """What a service would promise that has no such weakness."""
    kept = ", ".join(sorted(finding.violated)) or "what is promised"
    faults = " with ".join(each.choice for each in finding.schedule)
    return f"The service keeps its promise ({kept}) through {faults}; when this was found it did not."


def _steps(schedule: Schedule, space: Space) -> list[dict[str, Any]]:
    names = list(_names(schedule, space))
    return [_step(each, name, space) for each, name in zip(schedule, names, strict=True)]


def _step(injection: Injection, name: str, space: Space) -> dict[str, Any]:
    choice = space[injection.choice]
    return {
        "at": _duration(injection.at, space),
        "fault": choice.fault,
        **({"on": choice.role} if choice.role else {}),
        "for": _duration(injection.length, space),
        "name": name,
        **({"with": dict(choice.parameters)} if choice.parameters else {}),
    }


def _names(schedule: Schedule, space: Space) -> Iterator[str]:
    """A name for each step, no two alike."""
    taken: set[str] = set()
    for each in schedule:
        choice = space[each.choice]
        words = re.findall("[a-z0-9]+", f"{choice.fault} {choice.role}".lower())
        name = wanted = "-".join(words)[:_LONGEST_NAME]
        number = 1
        while name in taken:
            number += 1
            name = f"{wanted}-{number}"
        taken.add(name)
        yield name


def _duration(slots: int, space: Space) -> str:
    return str(Duration(round(slots * space.slot_s, 6)))


def _after_last(objectives: Any, name: str) -> Any:
    """The objectives with `after: last` as the name of the last step; without one those are left out."""
    if not isinstance(objectives, Mapping):
        return objectives
    found: dict[str, Any] = {}
    for kind, written in objectives.items():
        if kind not in ("downtime", "recovery"):
            found[kind] = written
            continue
        some = written if isinstance(written, list) else [written]
        some = [_named(each, name) for each in some if name or not _is_after_last(each)]
        if some:
            found[kind] = some if isinstance(written, list) else some[0]
    return found


def _is_after_last(objective: Any) -> bool:
    return isinstance(objective, Mapping) and objective.get("after") == LAST


def _named(objective: Any, name: str) -> Any:
    return {**objective, "after": name} if _is_after_last(objective) else objective
