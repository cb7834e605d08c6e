"""`seatrial report …`: one run, or those on record."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from seatrial.cli import exporting, retaining
from seatrial.cli.examples import examples
from seatrial.cli.logs import MeasuredLog, reads_log
from seatrial.cli.terminal import out, print_json, print_text, say
from seatrial.cli.terms import instant_of, place_of, verdict_of
from seatrial.model.problems import BadInput

if TYPE_CHECKING:
    from seatrial.model.pricing import RunCost
    from seatrial.store import RunSummary

_SHOW, _LOG, _FROM = "show", "log", "--from"
_HELP = ("-h", "--help")


class _RunOrCommand(TyperGroup):
    """`seatrial report RUN` is short for `report show RUN`, and `report --from LOG` for `report log LOG`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the name of the command there where it is left out."""
        if args and args[0].partition("=")[0] == _FROM:
            given = args[0].partition("=")[2]
            args = [_LOG, *((given,) if given else ()), *args[1:]]
        if args and args[0] not in self.commands and args[0] not in _HELP:
            args = [_SHOW, *args]
        return super().parse_args(ctx, args)


commands = typer.Typer(
    cls=_RunOrCommand,
    no_args_is_help=True,
    help="One run (seatrial report RUN|latest|latest:EXPERIMENT), or all that are on record.",
)

JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    retaining.register(commands)
    exporting.register(commands)
    app.add_typer(commands, name="report")


@commands.command(
    _SHOW,
    epilog=examples(
        "seatrial report show latest",
        "seatrial report show latest:blue-green-rollback --json",
        "seatrial report show runs/20261126T000923Z-load",
        "seatrial report show latest --pdf report.pdf",
    ),
)
def show(
    run: Annotated[
        str, typer.Argument(metavar="RUN", help="A run's directory or id, latest, or latest:EXPERIMENT.")
    ],
    as_json: JsonOption = False,
    pdf: Annotated[
        Path | None, typer.Option("--pdf", metavar="FILE", parser=place_of, help="Write its report as PDF.")
    ] = None,
) -> int:
    """Show a run again; one that was killed is finished first. Exit code: that of its verdict."""
    from seatrial.cli.attended import AtTerminal
    from seatrial.report.terminal import summary
    from seatrial.report.verdictfile import verdict_document
    from seatrial.trials.lookup import run_named

    found = run_named(run, place_of(run), AtTerminal())
    if found.note:
        say(f"note: {found.note}")
    if pdf:
        _print(found.directory, pdf)
    if as_json:
        print_json(verdict_document(found.result))
    else:
        out.print(summary(found.result, str(found.directory / "report.html") if found.directory else ""))
    return found.result.verdict.exit_code


def _print(directory: Path | None, pdf: Path) -> None:
    """Write the report that the evidence holds as PDF."""
    from seatrial.report.pdf import write_pdf

    report = directory / "report.html" if directory else None
    if report is None or not report.is_file():
        raise BadInput("--pdf: the evidence of this run has no report.html")
    lacking = write_pdf(report.read_text(encoding="utf-8"), pdf)
    say(f"written: {pdf}{f'; {lacking}' if lacking else ''}")


@commands.command(
    _LOG,
    epilog=examples(
        "seatrial report log haproxy.log.gz --to outage.html",
        "seatrial report log results.jtl --deadline 500ms",
    ),
)
@reads_log
def of_log(
    measured: MeasuredLog,
    to: Annotated[str, typer.Option(metavar="FILE", help="Where; LOG.html here by default.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Write the report of any request log; `report --from LOG` for short."""
    place = measured.write_report(Path(to or f"{measured.path.name}.html"))
    if as_json:
        print_json({**measured.document(), "report": str(place)})
    else:
        say(f"report: {place}")


@commands.command(
    "list",
    epilog=examples(
        "seatrial report list",
        "seatrial report list --experiment blue-green-rollback --since 12mo",
        "seatrial report list --verdict fail --since 2026-01-01 --json",
    ),
)
def listing(
    experiment: Annotated[str, typer.Option(metavar="NAME", help="Only runs of this experiment.")] = "",
    target: Annotated[str, typer.Option(metavar="NAME", help="Only runs on this target.")] = "",
    since: Annotated[str, typer.Option(metavar="WHEN", help="A date, an instant, or 7d, 4w, 12mo, 2y.")] = "",
    verdict: Annotated[str, typer.Option(metavar="V", help="pass, fail or unknown.")] = "",
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=100_000, help="At most so many.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """List the runs on record, the newest first."""
    from seatrial.cli.figures import runs_table
    from seatrial.store import RunQuery, Store

    query = RunQuery(
        experiment=experiment,
        target=target,
        since=instant_of("--since", since) if since else None,
        verdict=verdict_of("--verdict", verdict) if verdict else None,
    )
    with Store.default() as store:
        found, matching = store.history.runs(query, limit), store.history.count(query)
    if as_json:
        print_json({"runs": [_document(run) for run in found], "matching": matching})
        return
    print_text(runs_table(found))
    if len(found) < matching:
        say(f"{matching - len(found):,} older ones; --limit N shows more")


@commands.command(
    "import",
    epilog=examples(
        "seatrial report import runs",
        "seatrial report import runs/20261126T000923Z-load",
    ),
)
def import_(
    directories: Annotated[
        list[Path],
        typer.Argument(metavar="DIR…", parser=place_of, help="A run's evidence directory, or one of many."),
    ],
    as_json: JsonOption = False,
) -> None:
    """Put runs on record that are on disk alone. Harmless to repeat; nobody is told of them."""
    from seatrial.store import Store
    from seatrial.trials.importing import import_runs

    done = []
    with Store.default() as store:
        for each in import_runs(store, directories):
            done.append(each)
            say(f"{'recorded' if each.added else 'was on record'}: {each.run}")
    if as_json:
        print_json({"imported": done})


def _cost(cost: RunCost | None) -> dict[str, Any] | None:
    """What lists know of a cost; why one is unknown, and its parts, stand in the run."""
    if cost is None:
        return None
    ends = ("lower", "upper", "per_million_lower", "per_million_upper")
    return {"currency": cost.currency, **{name: getattr(cost, name) for name in ends}}


def _document(run: RunSummary) -> dict[str, Any]:
    """A run as `report list --json` tells it."""
    deleted = run.evidence_deleted_at
    return {
        "run": run.run,
        "experiment": run.experiment,
        "title": run.title,
        "target": run.target,
        "verdict": run.verdict,
        "interrupted": run.interrupted,
        "started_at": run.started_at.isoformat(),
        "length_s": run.length_s,
        "offered_per_s": run.offered_per_s,
        "covers": run.covers,
        "objectives": run.objectives,
        "detections": run.detections,
        "cost": _cost(run.cost),
        "version": {"before": run.version_before, "after": run.version_after},
        "revision": run.origin.revision,
        "rate": run.origin.rate,
        "experiment_sha256": run.origin.experiment_sha256,
        "verdict_sha256": run.origin.verdict_sha256,
        "directory": run.origin.directory,
        "host": run.origin.host,
        "exported_to": run.exported_to,
        "evidence_deleted_at": deleted.isoformat() if deleted else None,
    }
