"""Policy checks: an incremental one against a full one over random edits, and both on twenty thousand files.

    python -m tests.bench.bench_policy [--sequences 500] [--first 0] [--steps 8] [--files 20000]

A sequence edits a work tree in git at random (content, names, times, commits, look-away flags, line-ending
rules, a repository inside, policies, data) and compares what both checks tell after each step.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from tests.support.policy_edits import differences

from seatrial.policy import Report, Request, check

GOALS_S = {"everything, nothing known": 60.0, "10 files changed": 2.0}
CHANGED = 10
MANIFEST = """apiVersion: apps/v1
kind: Deployment
metadata: {{name: service-{number}, labels: {{team: t{team}, data-class: {data}}}}}
spec:
  replicas: 2
  template:
    spec:
      securityContext: {{runAsNonRoot: {non_root}}}
      containers:
        - name: app
          image: registry.internal/app:{number}
          resources: {{limits: {{cpu: 500m, memory: 256Mi}}}}
          env:
            - {{name: LOG_LEVEL, value: info}}
            - {{name: REGION, value: east}}
---
apiVersion: v1
kind: Service
metadata: {{name: service-{number}}}
spec: {{selector: {{app: service-{number}}}, ports: [{{port: 80, targetPort: 8080}}]}}
"""


def main() -> int:
    """Both parts; 1 when a verdict differed or a goal was missed."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--sequences", type=int, default=500)
    arguments.add_argument("--first", type=int, default=0)
    arguments.add_argument("--steps", type=int, default=8)
    arguments.add_argument("--files", type=int, default=20_000)
    wanted = arguments.parse_args()
    wrong = edits(wanted.first, wanted.sequences, wanted.steps)
    missed = scale(wanted.files) if wanted.files else []
    return 1 if wrong or missed else 0


def edits(first: int, sequences: int, steps: int) -> list[str]:
    """What differed, over so many sequences of so many checks, from a seed on."""
    began, wrong, checks, spared = time.monotonic(), list[str](), 0, 0
    for seed in range(first, first + sequences):
        with tempfile.TemporaryDirectory() as place:
            found, made, unread = differences(Path(place, "p"), seed, steps)
        wrong, checks, spared = wrong + found, checks + made, spared + unread
    print(  # noqa: T201  # its output
        f"{sequences} sequences of random edits, {checks} incremental checks against full ones: "
        f"{len(wrong)} differ; {spared} files were spared reading ({time.monotonic() - began:.0f} s)"
    )
    print(*wrong, sep="\n", end="")  # noqa: T201
    return wrong


def scale(files: int) -> list[str]:
    """Times on a generated project, printed as a table; the goals that were missed."""
    with tempfile.TemporaryDirectory() as named:
        place = Path(named)
        tree = place / "project"
        generate(tree, files)
        policies = Path(__file__).parents[2] / "chaos" / "policies"
        request = Request((str(tree),), (policies,), memory=place / "m.sqlite", processes=os.cpu_count() or 1)
        time.sleep(2.5)  # files younger than two seconds are read again, which a project's are not
        found = {"everything, nothing known": timed(request), "nothing changed": timed(request)}
        change(tree, files)
        found[f"{CHANGED} files changed"] = timed(request)
        found["the same, evaluated whole"] = timed(replace(request, anew=True))
        assert found[f"{CHANGED} files changed"][0].told == found["the same, evaluated whole"][0].told
        git(place, "clone", "-q", str(tree), "clone")
        change(place / "clone", files)
        elsewhere = replace(request, paths=(str(place / "clone"),))
        git(tree, "commit", "-q", "-am", "changed")
        shutil.copy(place / "m.sqlite", place / "n.sqlite")
        found["fresh clone, 10 changed, by hash"] = timed(elsewhere)
        found["fresh clone, 10 changed, --changed-since"] = timed(
            replace(elsewhere, changed_since="HEAD", memory=place / "n.sqlite")
        )
        return told(found)


def timed(request: Request) -> tuple[Report, float]:
    """A check, and the processor time that it and its processes took."""
    before = _processor_s()
    report = check(request)
    return report, _processor_s() - before


def _processor_s() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)


def told(found: dict[str, tuple[Report, float]]) -> list[str]:
    """Print a table; the goals that were missed."""
    first, _ = next(iter(found.values()))
    print(  # noqa: T201  # its output
        f"\n{first.inputs:,} files, {len(first.rules)} rules, {first.engine}, {os.cpu_count()} processors, "
        f"load {os.getloadavg()[0]:.1f}\n"
    )
    print(f"{'check':<44}{'seconds':>9}{'goal':>7}{'cpu s':>8}{'read':>9}{'evaluated':>11}  denied")  # noqa: T201
    missed = []
    for what, (report, processor_s) in found.items():
        goal = GOALS_S.get(what)
        denied = sum(len(each.findings) for each in report.told.values())
        print(  # noqa: T201  # its output
            f"{what:<44}{report.elapsed_s:>9.2f}{'' if goal is None else f'{goal:.0f}':>7}"
            f"{processor_s:>8.2f}"
            f"{report.read:>9,}{report.evaluated:>11,}  {denied}"
        )
        if goal is not None and report.elapsed_s >= goal:
            missed.append(what)
    return missed


def generate(tree: Path, files: int) -> None:
    """A project of so many manifests, a hundred a directory, committed."""
    chance = random.Random(1)
    for number in range(files):
        directory = tree / f"d{number // 100:03}"
        directory.mkdir(parents=True, exist_ok=True)
        (directory / f"{number}.yaml").write_text(manifest(number, chance))
    git(tree, "init", "-q", "-b", "main")
    git(tree, "add", "-A")
    git(tree, "commit", "-q", "-m", "generated")


def manifest(number: int, chance: random.Random) -> str:
    """One file: two documents, about twenty lines."""
    return MANIFEST.format(
        number=number,
        team=number % 40,
        data=chance.choice(("public", "internal", "personal")),
        non_root=str(chance.random() < 0.99).lower(),
    )


def change(tree: Path, files: int) -> None:
    """Ten files, of other content."""
    for number in range(0, files, max(files // CHANGED, 1)):
        path = tree / f"d{number // 100:03}" / f"{number}.yaml"
        path.write_text(path.read_text().replace("info", "debug").replace("true", "false"))


def git(where: Path, *arguments: str) -> None:
    """Run git, or fail."""
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "core.fsync=none")
    subprocess.run(["git", *identity, *arguments], cwd=where, check=True, capture_output=True, timeout=300)


if __name__ == "__main__":
    sys.exit(main())
