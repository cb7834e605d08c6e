"""`seatrial ledger …` and `seatrial verify RUN`: the tamper-evident log."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seatrial.cli.examples import examples
from seatrial.cli.terminal import out, print_json, say
from seatrial.cli.terms import place_of
from seatrial.model.problems import BadInput

if TYPE_CHECKING:
    from seatrial.ledger import VerifierKey
    from seatrial.ledger.copies import CheckpointCopy

commands = typer.Typer(help="An append-only log that shows every alteration.", no_args_is_help=True)

Directory = Annotated[Path, typer.Argument(metavar="DIR", parser=place_of, help="The ledger's directory.")]
KeyOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--key", metavar="FILE", parser=place_of, help="Public keys to trust; by default this machine's own."
    ),
]
WitnessOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--checkpoints", metavar="FILE", parser=place_of, help="Checkpoints that were kept elsewhere."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    app.add_typer(commands, name="ledger")
    app.command(
        "verify",
        epilog=examples(
            "seatrial verify runs/20261126T000923Z-load",
            "seatrial verify runs/20261126T000923Z-load --json",
        ),
    )(verify_run)


@commands.command(
    epilog=examples(
        "seatrial ledger append audit < events.jsonl",
    )
)
def append(
    directory: Directory,
    copy_to: Annotated[
        list[str] | None,
        typer.Option("--copy-to", metavar="PATH|URL", help="Where checkpoints are copied, outside this log."),
    ] = None,
) -> None:
    """Append events from stdin, one JSON object a line; print the last sequence number that is durable."""
    from seatrial.home import seatrial_home
    from seatrial.ledger import Ledger, append_stream, line_batches
    from seatrial.run.sealing import signer

    copies = [_copy(place) for place in copy_to or []]
    with Ledger(directory, signer(seatrial_home()), copies=copies) as ledger:
        for durable in append_stream(ledger, line_batches(sys.stdin.fileno())):
            sys.stdout.write(f"{durable}\n")
            sys.stdout.flush()


@commands.command(
    epilog=examples(
        "seatrial ledger verify audit",
        "seatrial ledger verify audit --key keys.pub",
    )
)
def verify(
    directory: Directory,
    key: KeyOption = None,
    checkpoints: WitnessOption = None,
    as_json: JsonOption = False,
) -> int:
    """Check the chain and the signatures. Exit code: 1 names the first bad entry, 2 when part is unproven."""
    from seatrial.cli.waiting import Waiting
    from seatrial.ledger import verify as verified

    keys, witnessed = _keys(key), _witnessed(checkpoints)
    with Waiting(f"verifying {directory}") as waiting:
        report = verified(directory, keys, witnessed=witnessed, progress=waiting.at)
    if as_json:
        first = report.first_bad
        print_json({
            "verdict": report.verdict,
            "entries": report.entries,
            "signed": report.signed,
            "checkpoints": report.checkpoints,
            "first_bad": str(first) if first else None,
        })  # fmt: skip
    else:
        out.print(str(report), markup=False, soft_wrap=True)
    return report.verdict.exit_code


@commands.command(
    epilog=examples(
        "seatrial ledger inspect audit --json",
    )
)
def inspect(directory: Directory, as_json: JsonOption = False) -> None:
    """Say what the ledger claims of itself; nothing is verified."""
    from seatrial.ledger import inspect as inspected
    from seatrial.model.result import plain

    summary = inspected(directory)
    if as_json:
        print_json(summary)
        return
    for name, value in plain(summary).items():
        out.print(f"{name:<16} {value}", markup=False, soft_wrap=True)


@commands.command(
    epilog=examples(
        "seatrial ledger prove audit 17",
    )
)
def prove(
    directory: Directory,
    number: Annotated[int, typer.Argument(metavar="N", help="An entry's sequence number.")],
    key: KeyOption = None,
) -> None:
    """Print the proof that entry N is in the log that the last checkpoint signs."""
    from seatrial.cli.waiting import Waiting
    from seatrial.ledger import prove as proved

    keys = _keys(key)
    with Waiting(f"proving entry {number} of {directory}"):
        proof = proved(directory, number, keys)
    sys.stdout.write(str(proof))


def verify_run(
    run: Annotated[Path, typer.Argument(metavar="RUN", parser=place_of, help="A run's evidence directory.")],
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> int:
    """Prove that a run's evidence is as it was sealed. Exit code: 1 when it was altered, 2 when unproven."""
    from seatrial.cli.waiting import Waiting
    from seatrial.ledger import verify_sealed

    keys = _keys(key)
    with Waiting(f"verifying {run}") as waiting:
        report = verify_sealed(run, keys, progress=waiting.at)
    if as_json:
        found = [str(alteration) for alteration in report.alterations]
        print_json(
            {
                "verdict": report.verdict,
                "files": report.files,
                "alterations": found,
                "seal": str(report.ledger),
            }
        )
    else:
        out.print(str(report), markup=False, soft_wrap=True)
    return report.verdict.exit_code


def _keys(given: list[Path] | None) -> list[VerifierKey]:
    from seatrial.home import seatrial_home
    from seatrial.ledger import read_verifier_keys
    from seatrial.run.sealing import own_keys, public_key

    if given:
        return [trusted for path in given for trusted in read_verifier_keys(path)]
    home = seatrial_home()
    own = own_keys(home)
    if not own:
        say(f"note: no key to trust ({public_key(home)} is not there); name one with --key")
    return list(own)


def _witnessed(files: list[Path] | None) -> list[bytes]:
    from seatrial.ledger.checkpoints import read_notes

    notes: list[bytes] = []
    for path in files or []:
        if not path.is_file():
            raise BadInput(f"--checkpoints {path}: no such file")
        notes += [stored.note for stored in read_notes(path)[0]]
    return notes


def _copy(place: str) -> CheckpointCopy:
    from seatrial.ledger.copies import FileCopy, HttpCopy

    return HttpCopy(place) if place.startswith(("http://", "https://")) else FileCopy(Path(place))
