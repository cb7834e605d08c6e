"""`seatrial keys …`: the keys that people sign with, and signing what is on another machine."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from seatrial.cli.examples import examples
from seatrial.cli.terminal import out, print_json, say
from seatrial.model.problems import BadInput

if TYPE_CHECKING:
    from seatrial.ledger.keys import Key

commands = typer.Typer(help="The keys that people sign with.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    app.add_typer(commands, name="keys")


@commands.command("make", epilog=examples("seatrial keys make amira"))
def make(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What to call it.")],
    module: Annotated[
        str, typer.Option("--pkcs11", metavar="MODULE", help="The key is in an HSM: its library.")
    ] = "",
    token: Annotated[str, typer.Option("--token", metavar="LABEL", help="The HSM's token.")] = "",
    label: Annotated[
        str, typer.Option("--label", metavar="LABEL", help="The label of the key pair in it.")
    ] = "",
    pin: Annotated[
        str, typer.Option("--pin-from", metavar="VARIABLE", help="The environment variable with the PIN.")
    ] = "",
) -> None:
    """Make a key to sign with, or give one that an HSM holds a name. Never overwrites one."""
    from seatrial.home import seatrial_home
    from seatrial.ledger.keys import HsmPlace, Keys

    known = Keys(seatrial_home())
    if not module and (token or label or pin):
        raise BadInput(
            "--token, --label and --pin-from are for a key in an HSM: name its library with --pkcs11"
        )
    if module and not (token and label and pin):
        raise BadInput("a key in an HSM needs --token, --label and --pin-from")
    made = known.name_hsm_key(name, HsmPlace(module, token, label, pin)) if module else known.make(name)
    say(f"{made.name} is held by {made.held_by}; its public half, to be given to whoever verifies:")
    out.print(str(made.public), markup=False, soft_wrap=True)


@commands.command(
    "sign",
    epilog=examples(
        "seatrial keys sign amira --readiness production --statement 6863… --role sre --name 'Jon Vik'",
    ),
)
def sign_elsewhere(
    key: Annotated[str, typer.Argument(metavar="NAME", help="The key.")],
    readiness: Annotated[str, typer.Option("--readiness", metavar="NAME", help="Whose matrix it is.")],
    statement: Annotated[
        str,
        typer.Option(
            "--statement", metavar="HASH", help="As its page shows it; `sha256` of `seatrial matrix --json`."
        ),
    ],
    role: Annotated[str, typer.Option("--role", metavar="ROLE", help="For which role.")],
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="Who says so.")],
) -> None:
    """Sign a matrix that is elsewhere; prints one line, for its page or `seatrial matrix sign --signed`."""
    from seatrial.home import seatrial_home
    from seatrial.ledger.keys import Keys
    from seatrial.matrix.signing import Word, as_line, signed_by

    known = Keys(seatrial_home())
    at = datetime.now(UTC).isoformat(timespec="seconds")
    word = Word("sign-off", readiness, role, " ".join(name.split()), at, statement)
    line = as_line(signed_by(word, known.signer(known.get(key))))
    out.print(line, markup=False, highlight=False, soft_wrap=True)


@commands.command("list", epilog=examples("seatrial keys list --json"))
def listing(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Show the keys that this machine can sign with, by their public halves."""
    from seatrial.home import seatrial_home
    from seatrial.ledger.keys import Keys

    known = list(Keys(seatrial_home()).all())
    if as_json:
        print_json({"keys": [_key(each) for each in known]})
        return
    for each in known:
        out.print(f"{each.public}  ({each.held_by})", markup=False, soft_wrap=True)
    if not known:
        say("no key yet; to make one: seatrial keys make NAME")


def _key(key: Key) -> dict[str, str]:
    return {"name": key.name, "public": str(key.public), "held_by": key.held_by}
