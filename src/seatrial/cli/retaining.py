"""`seatrial report prune` and `export`: evidence that leaves this machine. The record of a run stays."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from seatrial.cli.examples import examples
from seatrial.cli.terminal import print_json, say
from seatrial.cli.terms import ago, instant_of
from seatrial.model.problems import BadInput

if TYPE_CHECKING:
    from seatrial.trials.checkretention import KeptCheck
    from seatrial.trials.renewallogs import RenewalLog
    from seatrial.trials.retention import Kept

JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]


def register(commands: typer.Typer) -> None:
    """Add these commands to `seatrial report`."""
    commands.command(
        epilog=examples(
            "seatrial report prune --keep 24mo --dry-run",
            "seatrial report prune --keep 24mo --exported --yes",
        )
    )(prune)
    commands.command(
        epilog=examples(
            "seatrial report export /mnt/archive/evidence",
            "seatrial report export s3://archive/evidence --by 'aws s3 cp --recursive {from} {to}'",
        )
    )(export)


def prune(
    keep: Annotated[str, typer.Option(metavar="AGE", help="How long evidence is kept: 90d, 52w, 24mo, 2y.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be deleted.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    exported: Annotated[bool, typer.Option("--exported", help="Only what was exported before.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Delete evidence that is older. The runs stay on record, and what rested on them becomes stale.

    Only evidence that is as it was sealed is deleted; the rest is left alone and told. What renewals have
    said goes with the evidence of their runs, and measured policy checks go by their own age.
    """
    from seatrial.home import seatrial_home
    from seatrial.store import Store
    from seatrial.trials.checkretention import clear_checks, delete_check, outdated_checks
    from seatrial.trials.readiness import trusted_keys
    from seatrial.trials.renewallogs import delete_logs, outdated_logs
    from seatrial.trials.retention import clear_leftovers, delete, outdated

    now = datetime.now(UTC)
    before = ago("--keep", keep, now)
    home, keys = seatrial_home(), trusted_keys([])
    with Store.default() as store:
        found = [each for each in outdated(store, before, keys) if each.run.exported_to or not exported]
        checks = [] if exported else list(outdated_checks(home, before, keys))  # no command exports these
        free, old = [each for each in found if not each.why], [each for each in checks if not each.why]
        logs = outdated_logs(store, home, before, {each.run.run for each in free})
        what = _tell(found, checks, logs, dry_run)
        deletes = bool(free or old or logs) and not dry_run and _agreed(what, yes)
        if deletes:
            for each in free:
                delete(store, each, now)
            for check in old:
                delete_check(check)
            delete_logs(logs)
            say(f"deleted {what}; the runs stay on record")
        if not dry_run:
            clear_leftovers(store, now)
            clear_checks(home)
    if not found and not checks:
        say(f"no evidence on this machine is older than {keep}")
    if as_json:
        print_json(
            {
                "deleted": [each.run.run for each in free] if deletes else [],
                "would_delete": [each.run.run for each in free] if dry_run else [],
                "left_alone": {each.run.run: each.why for each in found if each.why}
                | {each.directory.name: each.why for each in checks if each.why},
                "bytes": sum(each.bytes for each in free) + sum(each.bytes for each in old),
                "logs": [str(log.path) for log in logs],
                "policy_checks": [each.directory.name for each in old] if deletes or dry_run else [],
            }
        )


def _tell(
    found: Sequence[Kept], checks: Sequence[KeptCheck], logs: Sequence[RenewalLog], dry_run: bool
) -> str:
    """Say of each what becomes of it; gives all that is free to go, in a few words."""
    word = "would be deleted" if dry_run else "old"
    for each in found:
        doing = f"left alone: {each.why}" if each.why else word
        say(f"{each.run.run}: {each.directory} ({each.bytes:,} bytes): {doing}")
    for check in checks:
        doing = f"left alone: {check.why}" if check.why else word
        say(f"{check.directory} ({check.bytes:,} bytes): {doing}")
    for log in logs:
        say(f"{log.path} ({log.bytes:,} bytes): {word}")
    free, old = [each for each in found if not each.why], [each for each in checks if not each.why]
    of_checks = f" and {len(old)} policy checks" if old else ""
    size = sum(each.bytes for each in free) + sum(each.bytes for each in old)
    evidence = f"the evidence of {len(free)} runs{of_checks} ({size:,} bytes)"
    return f"{evidence} and {len(logs)} logs of renewals" if logs else evidence


def export(
    to: Annotated[str, typer.Argument(metavar="DEST", help="A directory, or what --by takes for one.")],
    by: Annotated[
        str,
        typer.Option(metavar="COMMAND", help="Copies {from} to {to}, for object stores; {run} is its id."),
    ] = "",
    experiment: Annotated[str, typer.Option(metavar="NAME", help="Only runs of this experiment.")] = "",
    target: Annotated[str, typer.Option(metavar="NAME", help="Only runs on this target.")] = "",
    since: Annotated[str, typer.Option(metavar="WHEN", help="A date, an instant, or 7d, 4w, 12mo, 2y.")] = "",
    as_json: JsonOption = False,
) -> int:
    """Copy evidence to DEST, a directory for each run, and note where it is. What is there is not repeated.

    Exit code: 1 when some evidence is not what was recorded, and so was not copied.
    """
    from seatrial.store import RunQuery, Store
    from seatrial.trials.readiness import trusted_keys
    from seatrial.trials.retention import destination
    from seatrial.trials.retention import export as exported

    if by and "{from}" not in by:
        raise BadInput("--by: say where the evidence is with {from}, and where it goes with {to}")
    query = RunQuery(
        experiment=experiment,
        target=target,
        since=instant_of("--since", since) if since else None,
        with_evidence=True,
    )
    done: dict[str, str] = {}
    refused: dict[str, str] = {}
    keys = trusted_keys([])
    with Store.default() as store:
        for run in store.history.runs(query, 100_000):
            if run.exported_to == destination(run, to, by):
                continue
            try:
                done[run.run] = exported(store, run, to, by, keys)
                say(f"{run.run}: {done[run.run]}")
            except BadInput as error:
                refused[run.run] = str(error)
                say(str(error))
    say(f"exported {len(done)} runs" if done else "there was nothing to export")
    if as_json:
        print_json({"exported": done, "refused": refused})
    return 1 if refused else 0


def _agreed(what: str, yes: bool) -> bool:
    """Whether a person agrees. Raises BadInput where nobody can be asked."""
    if yes:
        return True
    if not sys.stdin.isatty():
        raise BadInput("nobody can be asked here; to delete without asking: --yes, to look: --dry-run")
    return typer.confirm(f"delete {what}?", err=True)
