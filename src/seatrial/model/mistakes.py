"""What is told of something that cannot be used, and keeps a run from being started."""

from __future__ import annotations

from seatrial.model.message import Message


class Mistake:
    """Each with what it means, and the way out."""

    UNKNOWN_KEY = Message("unknown {what} '{name}'{nearest}")
    """Every key is known, so that a slip of the pen is not taken for silence. The nearest that is known
    stands behind it; `seatrial explain` and the name of what it stands in lists them all."""
    MISSING_KEY = Message("is required and missing")
    """Without it nobody could tell what is meant; there is no value that would suit most people."""
    OTHER_TYPE = Message("'{given}' stands where {expected} is expected")
    """Types are not guessed: text that looks like a number is quoted, and a length of time has its unit."""
    EMPTY = Message("is empty, where {expected} is expected")
    """A key without a value is null in YAML. Write one, or take the key away."""
    NOT_YAML = Message("not valid YAML: {why}")
    """The file cannot be read at all; line and column are where the reader gave up, which may be after the
    slip. Mostly it is an indent, a colon without a space, or a quote that is not closed."""
    KEY_TWICE = Message("the key stands here twice")
    """Only one of the two could count, and nobody could tell which is meant."""
    NO_FILE = Message("no such file here ({place}) or among the shipped ones")
    """A path is tried from the working directory, then from the directory of the file that names it, then
    among the files that ship with the product."""
    UNSET_VARIABLE = Message("the environment variable {name} is referenced and not set")
    """`${NAME}` is filled in from your environment at the moment of use. Set it, and retry; from a file with
    secrets: `set -a; . ./secrets.env; set +a`."""
    NOT_ALLOWED = Message("{host} is not in allow: [{allow}]{then}")
    """Nothing is touched that the target's `allow` does not list: names, addresses and networks. Add it if
    the drill is meant for it. What counts is the address that is connected to, whatever name leads there."""
    NOT_CONFIRMED = Message("a production target is only touched when it is named: --confirm {target}")
    """The target's file says `environment: production`. Whoever means it says its name once more."""
    NEVER_EXPLORED = Message("a production target is never explored, confirmed or not")
    """`seatrial explore` does what nobody has thought of beforehand, so nobody can have agreed to it. Explore
    a target that is like production; what is found there is an experiment, and `seatrial run` takes that."""
    NOTHING_TO_BREAK = Message("promises nothing, so no weakness could be found; write objectives, or checks")
    """`seatrial explore` looks for what breaks a promise: an objective such as `errors: {max: 1%}`, or a
    check. Where there is none, every run of it would be unknown."""
    NO_ROLE = Message("the target {target} has no role '{role}'; it has: {has}")
    """An experiment speaks of roles, and the target's file binds each to a driver. Add the role there, or
    name another: `seatrial explain driver` lists what may stand in a role."""
    OTHER_DRIVER = Message("{fault} acts on {able}; the role '{role}' is bound to {driver}")
    """What is done to a role depends on how it is reached. Name a role of one of these drivers."""
    NOT_READY = Message("the target is not in its steady state: {wrong}; nothing was started")
    """A run on a target that is not well beforehand measures something else. `ready` of the target's file and
    `steady_state` of the experiment are what is asked; the answer stands behind it."""
    NOT_HERE = Message("not run here: {lacking}; nothing was started")
    """This machine or this target lacks something that the experiment needs, so its verdict is unknown and
    never a pass. The command that mends it stands behind it; `seatrial doctor` tells of the whole machine."""
    NEEDS_EXTRA = Message("{who} needs {missing}")
    """What is installed only when it is asked for; the command that installs it stands behind it."""
    NO_TESTBED = Message("no target: the testbed is not up; name one with --target, or: seatrial testbed up")
    """Without `--target` an experiment runs on the testbed, which `--no-testbed` keeps from being started."""
    NOT_EMPTY = Message("{named}: the directory is not empty; evidence is never written over")
    """Evidence is sealed, and one run's does not mix with another's. Name a new directory."""
