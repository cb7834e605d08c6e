"""`seatrial matrix …`: what must be true, what shows it, and who has signed for it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seatrial.cli.examples import examples
from seatrial.cli.terminal import out, print_json, print_text, say
from seatrial.cli.terms import place_of
from seatrial.model.problems import BadInput

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

    from seatrial.matrix import MatrixRow
    from seatrial.matrix.signing import SignOff
    from seatrial.trials.readiness import Standing

commands = typer.Typer(help="What must be true before going live, what shows it, and who has signed for it.")

FileOption = Annotated[str, typer.Option("--file", metavar="FILE", help="The readiness file.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]
RoleOption = Annotated[str, typer.Option("--role", metavar="ROLE", help="For which role.")]
NameOption = Annotated[str, typer.Option("--name", metavar="NAME", help="Who says so.")]
KeyOption = Annotated[
    str, typer.Option("--key", metavar="KEY", help="A key of `seatrial keys`; without, none signs.")
]
_MOST_CHANGES = 5  # of those that void a signature, on a terminal
_LONGEST_LINE = 100_000  # bytes of stdin; a signature is some hundreds
_DEFAULT = "chaos/readiness.yaml"


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    app.add_typer(commands, name="matrix")


@commands.callback(
    invoke_without_command=True,
    epilog=examples(
        "seatrial matrix",
        "seatrial matrix --check",
        "seatrial matrix --markdown --into docs/readiness.md",
        "seatrial matrix --html matrix.html --pdf matrix.pdf",
    ),
)
def show(
    context: typer.Context,
    file: FileOption = _DEFAULT,
    as_json: JsonOption = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="As Markdown.")] = False,
    into: Annotated[
        Path | None,
        typer.Option(
            "--into", metavar="FILE", parser=place_of, help="Put the Markdown between the marks of a file."
        ),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", parser=place_of, help="Write it as one HTML file."),
    ] = None,
    pdf: Annotated[
        Path | None, typer.Option("--pdf", metavar="FILE", parser=place_of, help="Write it as PDF.")
    ] = None,
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Exit code: 0 every row passes, 1 one fails, 2 one is unknown or stale."
        ),
    ] = False,
) -> int:
    """Show the readiness matrix, from the evidence that is there now."""
    if context.invoked_subcommand is not None:
        return 0
    if into and not markdown:
        raise BadInput("--into is for --markdown")
    found = _standing(file)
    if as_json:
        print_json(found.document)
    elif html or pdf:
        _write_pages(found, html, pdf)
    elif markdown:
        _markdown(found, into)
    else:
        print_text(_table(found))
    return found.matrix.exit_code if check else 0


def _write_pages(found: Standing, html: Path | None, pdf: Path | None) -> None:
    from seatrial import disk
    from seatrial.report.matrixpage import render_matrix
    from seatrial.report.pdf import write_pdf

    page = render_matrix(found.document)
    if html:
        with disk.storing("the matrix", html):
            disk.write_whole(html, page.encode())
        say(f"written: {html}")
    if pdf:
        write_pdf(page, pdf)
        say(f"written: {pdf}")


def _markdown(found: Standing, into: Path | None) -> None:
    from seatrial.matrix.markdown import markdown, placed

    text = markdown(found.matrix, found.signed)
    if into is None:
        out.print(text, markup=False, soft_wrap=True, end="")
    else:
        say(f"{into}: {'written' if placed(into, text) else 'it says so already'}")


@commands.command(
    epilog=examples("seatrial matrix renew --dry-run", "seatrial matrix renew --row ADR-003 --row latency")
)
def renew(
    file: FileOption = _DEFAULT,
    row: Annotated[list[str] | None, typer.Option("--row", metavar="ID", help="This row alone.")] = None,
    confirm: Annotated[
        str, typer.Option("--confirm", metavar="NAME", help="The name of a production target.")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would run, and run nothing.")] = False,
) -> int:
    """Run the experiments of every row that does not pass. Exit code: that of `seatrial matrix --check`."""
    from seatrial.cli.attended import AtTerminal, tell
    from seatrial.trials.request import TrialRequest
    from seatrial.trials.running import run_experiment

    found, rows = _standing(file), tuple(row or ())
    wanted = list(found.outdated(rows))
    if not wanted:
        say("no experiment needs to run")
    for command in found.by_hand(rows):
        say(f"not run from here: {command}")
    for experiment, target in wanted:
        if dry_run:
            out.print(
                f"seatrial run {experiment}{f' --target {target}' if target else ''}",
                markup=False,
                soft_wrap=True,
            )
        else:
            tell(
                run_experiment(TrialRequest(experiment, target=target, confirm=confirm), AtTerminal()), False
            )
    return 0 if dry_run else _standing(file).matrix.exit_code


@commands.command(
    epilog=examples(
        "seatrial matrix sign --role security --name 'Amira Haddad' --key amira",
        "seatrial matrix sign --signed amira.line",
        "seatrial matrix sign --signed - < amira.line",
    )
)
def sign(
    role: Annotated[str, typer.Option("--role", metavar="ROLE", help="For which role.")] = "",
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="Who says so.")] = "",
    key: KeyOption = "",
    signed: Annotated[
        str,
        typer.Option(
            "--signed",
            metavar="FILE",
            help="Instead: what `seatrial keys sign` printed where the key is (- for stdin).",
        ),
    ] = "",
    file: FileOption = _DEFAULT,
) -> None:
    """Sign the matrix as it is for a role. Any later change voids that, and says what changed.

    A signer whose key is on another machine signs there with `seatrial keys sign`; --signed takes its line.
    """
    from seatrial.matrix.markdown import summary
    from seatrial.trials.readiness import sign as signed_here
    from seatrial.trials.readiness import sign_carried

    _require_who(role, name, key, signed)
    now = datetime.now(UTC)
    found = _standing(file)
    word = sign_carried(found, _line_in(signed), now) if signed else signed_here(found, role, name, key, now)
    say(f"{word.name} signs for {word.role}: {summary(found.matrix)}")
    say(f"statement {word.about}" if word.key else f"statement {word.about}, without a key")


def _require_who(role: str, name: str, key: str, signed: str) -> None:
    """Raise BadInput unless who signs is said once: by options, or by the line that they have signed."""
    given = {"--role": role, "--name": name, "--key": key}
    if signed and any(given.values()):
        options = ", ".join(option for option, text in given.items() if text)
        raise BadInput(f"{options}: the line that --signed brings says that itself")
    if not signed and not (role and name):
        raise BadInput("who signs? --role and --name, or --signed with a line of `seatrial keys sign`")


def _line_in(named: str) -> str:
    """What a file, or stdin ("-"), holds. Raises BadInput."""
    from seatrial.files import read_text

    if named == "-":
        return sys.stdin.buffer.read(_LONGEST_LINE).decode(errors="replace")
    return read_text(Path(named), f"--signed {named}")


@commands.command(
    epilog=examples(
        "seatrial matrix attest ADR-007 --role sre --name 'Jon Vik' --until 2027-02-28 --key jon",
    )
)
def attest(
    row: Annotated[str, typer.Argument(metavar="ROW", help="The row whose attestation is true.")],
    role: RoleOption,
    name: NameOption,
    until: Annotated[
        datetime, typer.Option("--until", formats=["%Y-%m-%d"], help="The last day that it counts.")
    ],
    key: KeyOption = "",
    file: FileOption = _DEFAULT,
) -> None:
    """Attest to what a row says cannot be measured; it is shown as a person's word, until that day."""
    from seatrial.matrix.collecting import read_readiness
    from seatrial.trials.readiness import attest as attested

    word = attested(read_readiness(file), row, role, name, until.date(), key, datetime.now(UTC))
    say(f"{word.name} ({role}) attests to {row} until {word.until[:10]}: {word.about}")


@commands.command(epilog=examples("seatrial matrix export readiness-2026-11"))
def export(
    bundle: Annotated[Path, typer.Argument(metavar="DIR", parser=place_of, help="A new directory.")],
    file: FileOption = _DEFAULT,
) -> None:
    """Write the matrix and everything under it to a directory that can be verified anywhere."""
    from seatrial.home import seatrial_home
    from seatrial.run.sealing import public_key
    from seatrial.store import Store
    from seatrial.trials.readiness import export_bundle, standing

    with Store.default() as store:
        export_bundle(standing(file, store, datetime.now(UTC)), store, bundle)
    say(
        f"written: {bundle}; to verify it, anywhere: seatrial matrix verify {bundle} "
        f"--key {public_key(seatrial_home())}, and a --key for each that people signed with"
    )


@commands.command(
    epilog=examples(
        "seatrial matrix verify readiness-2026-11 --key machine.pub --key amira.pub",
    )
)
def verify(
    bundle: Annotated[
        Path, typer.Argument(metavar="DIR", parser=place_of, help="What `matrix export` wrote.")
    ],
    key: Annotated[
        list[Path] | None,
        typer.Option(
            "--key", metavar="FILE", parser=place_of, help="Public keys to trust; by default this machine's."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> int:
    """Judge a bundle anew. Exit code: 1 when it was altered or is not what was signed, 2 when unproven."""
    from seatrial.matrix.bundle import verify_bundle
    from seatrial.trials.readiness import trusted_keys

    report = verify_bundle(bundle, trusted_keys(key or []))
    if as_json:
        signed = {each.role: each.stands for each in report.signed}
        print_json(
            {"verdict": report.verdict, "altered": report.altered, "doubts": report.doubts, "signed": signed}
        )
        return report.verdict.exit_code
    for told in (*report.altered, *report.doubts):
        out.print(told, markup=False, soft_wrap=True)
    for each in report.signed:
        state = "stands" if each.stands else "; ".join(each.voided) or "not signed"
        out.print(f"{each.role}: {state}", markup=False, soft_wrap=True)
    out.print(str(report.verdict), markup=False)
    return report.verdict.exit_code


def _standing(file: str) -> Standing:
    from seatrial.store import Store
    from seatrial.trials.readiness import standing

    with Store.default() as store:
        return standing(file, store, datetime.now(UTC))


def _table(found: Standing) -> RenderableType:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from seatrial.matrix.markdown import cost_in, noticed_in, summary
    from seatrial.report.terminal import row_verdict_text

    matrix = found.matrix
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    noticed = any(row.detections for row in matrix.rows)
    priced = any(row.costed for row in matrix.rows)
    beside = [*(("noticed", "well again") if noticed else ()), *(("a million requests",) if priced else ())]
    for column in ("row", "verdict", "target", "measured", *beside, "expires"):
        table.add_column(column)
    for row in matrix.rows:
        figure = str(row.key.figure) if row.key and row.key.figure else ""
        expires = f"{row.expires_at:%Y-%m-%d}" if row.expires_at else ""
        verdict = row_verdict_text(row.verdict.value)
        told = [Text("\n".join(each)) for each in noticed_in(row)] if noticed else []
        told += [Text(cost_in(row))] if priced else []
        table.add_row(Text(row.id), verdict, Text(row.target), Text(figure), *told, expires)
    open_rows = [row for row in matrix.rows if row.reason]
    why = [Text(""), *(line for row in open_rows for line in _why(row))] if open_rows else []
    notes = [Text(f"{', '.join(rows)}: {note}") for note, rows in matrix.notes.items()]
    signed = [Text(_sign_off(each)) for each in found.signed]
    return Group(table, *why, Text(), *notes, Text(summary(matrix)), *signed)


def _why(row: MatrixRow) -> Iterator[Text]:
    """Why a row does not pass, and what would renew it."""
    from rich.text import Text

    yield Text.assemble((row.id, "bold"), f": {row.reason}")
    if row.key and row.key.renew:
        yield Text(f"  {row.key.renew}", "dim")


def _sign_off(each: SignOff) -> str:
    if each.word is None:
        return f"not signed for {each.role}"
    if each.stands:
        return f"signed for {each.role}"
    left = len(each.voided) - _MOST_CHANGES
    more = f"; and {left} more" if left > 0 else ""
    return f"void for {each.role}: {'; '.join(each.voided[:_MOST_CHANGES])}{more}"
