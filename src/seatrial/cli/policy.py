"""`seatrial policy …`: Rego policies over the files of a project, evaluated only where something changed."""

from __future__ import annotations

import json
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seatrial.cli.examples import examples
from seatrial.cli.terminal import out as printed
from seatrial.cli.terminal import print_json, print_text, say
from seatrial.cli.terms import place_of, seconds_of
from seatrial.model.exitcodes import ExitCode
from seatrial.model.problems import BadInput
from seatrial.model.verdict import Verdict

if TYPE_CHECKING:
    from seatrial.policy import Report, Request

commands = typer.Typer(
    help="Policies in Rego over the files of a project (conftest's convention).", no_args_is_help=True
)

_DEFAULT = Path("chaos/policies")
_LIMIT = "10s"


class Form(StrEnum):
    """What a report is written as."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    JUNIT = "junit"


PoliciesOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--policies",
        "-p",
        metavar="DIR",
        parser=place_of,
        help="Where policies are; by default chaos/policies.",
    ),
]
DataOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--data",
        "-d",
        metavar="DIR",
        parser=place_of,
        help="YAML and JSON that policies see as data; by default a directory data beside them.",
    ),
]


LimitOption = Annotated[
    str,
    typer.Option(
        "--limit",
        metavar="TIME",
        help="How long the rules may take over one document (a test: over itself) before they are stopped.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    app.add_typer(commands, name="policy")


@commands.command(
    epilog=examples(
        "seatrial policy check",
        "seatrial policy check k8s Dockerfile --policies policy --data exceptions",
        "seatrial policy check --changed-since origin/main --format sarif --out policy.sarif",
        "seatrial policy check --all --format junit --out policy.junit.xml",
        "seatrial policy check --bench",
    )
)
def check(
    paths: Annotated[
        list[str] | None, typer.Argument(metavar="PATHS", help="Files and directories; by default all here.")
    ] = None,
    policies: PoliciesOption = None,
    data: DataOption = None,
    namespace: Annotated[
        list[str] | None,
        typer.Option(
            "--namespace",
            "-n",
            metavar="NAME",
            help="Packages whose rules count, or patterns of them; by default main.",
        ),
    ] = None,
    all_namespaces: Annotated[
        bool, typer.Option("--all-namespaces", help="The rules of every package count.")
    ] = False,
    changed_since: Annotated[
        str,
        typer.Option(
            "--changed-since",
            metavar="REV",
            help="What git says that REV holds unchanged need not be read. The verdict is that on all files.",
        ),
    ] = "",
    everything: Annotated[
        bool, typer.Option("--all", help="Evaluate everything, whatever is remembered.")
    ] = False,
    combine: Annotated[
        bool, typer.Option("--combine", help="Rules see all files at once, in a list of path and contents.")
    ] = False,
    ignored: Annotated[bool, typer.Option("--ignored", help="Judge what .gitignore names as well.")] = False,
    ignore: Annotated[
        str, typer.Option("--ignore", metavar="REGEX", help="Leave out paths that it is found in.")
    ] = "",
    fail_on_warn: Annotated[bool, typer.Option("--fail-on-warn", help="A warning fails as well.")] = False,
    form: Annotated[Form, typer.Option("--format", help="What to write.")] = Form.TEXT,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", parser=place_of, help="Write there, and the text here."),
    ] = None,
    engine: Annotated[
        str, typer.Option("--engine", metavar="NAME", help="opa, regorus, or auto: opa where it is on PATH.")
    ] = "auto",
    limit: LimitOption = _LIMIT,
    memory: Annotated[
        Path | None,
        typer.Option(
            "--memory",
            metavar="FILE",
            parser=place_of,
            help="Where results are remembered; in CI, a file that the cache keeps.",
        ),
    ] = None,
    evidence: Annotated[
        bool,
        typer.Option(
            "--evidence", help="Measure as --bench does, and seal the result for the readiness matrix."
        ),
    ] = False,
    bench: Annotated[
        bool, typer.Option("--bench", help="Measure a full check, an unchanged one, and ten files forgotten.")
    ] = False,
) -> int:
    """Judge files by policies. Exit code: 0 nothing is denied, 1 something is, 64 a file cannot be judged.

    Results are remembered by the hash of policies, data, engine and input, so only what changed is evaluated.
    """
    from seatrial.extras import POLICY
    from seatrial.home import seatrial_home

    POLICY.require("seatrial policy")
    from seatrial.policy import Request
    from seatrial.policy import check as checked
    from seatrial.policy.memory import refuse_what_is_none

    if everything and changed_since:
        raise BadInput(
            "--all evaluates everything, and --changed-since says what need not be read: one of them"
        )
    if memory:
        refuse_what_is_none(memory)
    places = _policies(policies)
    request = Request(
        paths=tuple(paths or ["."]),
        policies=places,
        data=_data(data, places),
        namespaces=("*",) if all_namespaces else tuple(namespace or ("main",)),
        changed_since=changed_since,
        anew=everything,
        combine=combine,
        ignored=ignored,
        leaving_out=ignore,
        engine=engine,
        limit_s=seconds_of("--limit", limit, positive=True),
        memory=memory or seatrial_home() / "policy.sqlite",
        processes=os.cpu_count() or 1,
    )
    if bench:
        return _measured(request)
    if evidence:
        return _sealed(request, str((policies or [_DEFAULT])[0]))
    report = checked(request)
    for note in report.notes:
        say(f"note: {note}")
    _write(report, form, out)
    return report.exit_code(fail_on_warn=fail_on_warn)


@commands.command(
    "test",
    epilog=examples(
        "seatrial policy test",
        "seatrial policy test --policies policy --data exceptions",
    ),
)
def run_tests(policies: PoliciesOption = None, data: DataOption = None, limit: LimitOption = _LIMIT) -> int:
    """Run the policies' own tests, the rules test_*. Exit code: 1 when one fails."""
    from seatrial.extras import POLICY

    POLICY.require("seatrial policy")
    from seatrial.policy.testing import Outcome, failed
    from seatrial.policy.testing import run_tests as tested_by

    places = _policies(policies)
    tested = tested_by(places, _data(data, places), seconds_of("--limit", limit, positive=True))
    wrong = list(failed(tested))
    for each in wrong:
        printed.print(f"✗ {each.file}: {each.name}: {each.why}", markup=False, soft_wrap=True)
    skipped = sum(each.outcome is Outcome.SKIPPED for each in tested)
    passed = len(tested) - len(wrong) - skipped
    told = f"{len(wrong)} failed, {passed} passed{f', {skipped} skipped' if skipped else ''}"
    printed.print(told, markup=False)
    return 1 if wrong else 0


def _data(named: list[Path] | None, policies: tuple[Path, ...]) -> tuple[Path, ...]:
    """Those that are named; else what is in a directory `data` beside the policies."""
    return tuple(named) if named else tuple(place / "data" for place in policies if (place / "data").is_dir())


def _policies(named: list[Path] | None) -> tuple[Path, ...]:
    """Those that are named, else chaos/policies: here, or among the shipped ones."""
    from seatrial.files import find_directory

    places = named or [_DEFAULT]
    return tuple(place if place.exists() else find_directory(str(place)) or place for place in places)


def _write(report: Report, form: Form, out: Path | None) -> None:
    from seatrial import disk
    from seatrial.policy.renderings import document, junit, sarif, text

    if out is None and form is Form.JSON:
        print_json(document(report))
        return
    written = {
        Form.TEXT: lambda: text(report),
        Form.JSON: lambda: _json(document(report)),
        Form.SARIF: lambda: _json(sarif(report)),
        Form.JUNIT: lambda: junit(report),
    }[form]()
    if out is None:
        sys.stdout.write(written)
        return
    with disk.storing("the report", out):
        disk.write_whole(out, written.encode())
    sys.stdout.write(text(report))
    say(f"written: {out}")


def _sealed(request: Request, policies: str) -> int:
    from seatrial.home import seatrial_home
    from seatrial.policy.renderings import text
    from seatrial.trials.policies import record_check

    directory, report, verdict = record_check(request, policies, seatrial_home())
    sys.stdout.write(text(report))
    for note in report.notes:
        say(f"note: {note}")
    say(f"sealed: {directory}; to see what it counts for: seatrial matrix")
    return report.exit_code() if verdict is not Verdict.FAIL else ExitCode.FAIL


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _measured(request: Request) -> int:
    from rich.table import Table

    from seatrial.policy.bench import measure

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in ("check", "seconds", "files", "read", "evaluated", "verdict"):
        table.add_column(column, justify="left" if column in ("check", "verdict") else "right")
    measured = measure(request)
    for what, report in measured:
        counts = (f"{count:,}" for count in (report.inputs, report.read, report.evaluated))
        table.add_row(what, f"{report.elapsed_s:.2f}", *counts, str(report.verdict))
    print_text(table)
    say(f"{measured[0][1].engine}, {request.processes} processes at the most")
    return 0


__all__ = ["commands", "register"]
