"""Which target a trial means, and bringing the testbed up when it is that one."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from seatrial import disk, testbed
from seatrial.extras import TESTBED
from seatrial.files import Source, find, read
from seatrial.home import make_private_what_is_ours, private_directory, seatrial_home
from seatrial.model.document import parse
from seatrial.model.figures import span
from seatrial.model.mistakes import Mistake
from seatrial.model.problems import BadInput
from seatrial.model.references import references, substitute
from seatrial.testbed.app.schema import TENANTS
from seatrial.testbed.blueprint import layout
from seatrial.testbed.places import Places
from seatrial.testbed.programs import find_hsm, find_monitoring
from seatrial.testbed.target import target_yaml
from seatrial.trials.caller import Caller

_TESTBED = "chaos/targets/testbed.yaml"


def home() -> Path:
    """Where state that outlives a crash is kept; the testbed's passwords are put into the environment."""
    for name, value in testbed.passwords().items():
        os.environ.setdefault(name, value)
    place = seatrial_home()
    with disk.storing("the state of seatrial", place):
        private_directory(place)
        make_private_what_is_ours(place)
    return place


def _names_another(named: str) -> bool:
    """Whether a target other than the testbed is named."""
    return bool(named) and find(named) != find(_TESTBED)


def is_up(named: str) -> bool:
    """Whether there is a target to look at: another than the testbed, or the testbed in service."""
    state = testbed.status()
    return _names_another(named) or (state is not None and state.phase == "ready")


def planned_target(named: str) -> Source:
    """The target as far as it is known without starting anything.

    Raises Unavailable when that would be a testbed and none can be had here.
    """
    if _names_another(named):
        return read(named, "target")
    state = testbed.status()
    if state is not None and state.phase == "ready":
        home()
        return read(str(state.target), "target")
    TESTBED.require("without --target FILE, this")
    places = Places.of_home()
    text = target_yaml(layout(places), places, find_hsm(), find_monitoring())
    unknown_yet = dict.fromkeys(references(text), "chosen-at-up")
    return Source(places.target, parse(substitute(text, unknown_yet), str(places.target)))


def tenants_wanted(source: Source) -> int:
    """How many tenants the testbed must have for an experiment, or for any one of a suite's."""
    told = source.document.at(("experiments",))
    experiments = (
        [read(each, "experiment", source.path) for each in told] if isinstance(told, list) else [source]
    )
    asked = [each.document.at(("testbed", "tenants")) for each in experiments]
    return max([len(TENANTS), *(each for each in asked if isinstance(each, int))])


def allowed_target(named: str, no_testbed: bool) -> Source:
    """`planned_target`, unless that would be a testbed which is not there and may not be started."""
    if no_testbed and not is_up(named):
        raise BadInput(Mistake.NO_TESTBED())
    return planned_target(named)


@contextlib.contextmanager
def target_in_service(
    named: str, no_testbed: bool, tenants: int, validate: Callable[[Source], object], caller: Caller
) -> Iterator[Source]:
    """The target; the testbed is brought up when it is meant and not there, and then taken down again.

    `tenants`: how many the testbed must have. Raises BadInput when one that is up has fewer.

    `validate` is given the target as planned and raises BadInput before anything is started.
    """
    planned = allowed_target(named, no_testbed)
    state = testbed.status()
    if not _names_another(named) and state is not None and state.phase == "ready":
        testbed.require_tenants(state, tenants)
    if _names_another(named) or (state is not None and state.phase == "ready"):
        yield planned
        return
    validate(planned)
    usual_s = testbed.usual_s("up")
    known = f", in about {span(usual_s)}" if usual_s else ""
    caller.say(f"bringing up the testbed{known} (to keep one between runs: seatrial testbed up)")
    try:
        state = testbed.up(lambda text: caller.say(f"  {text}"), tenants=tenants)
        home()
        yield read(str(state.target), "target")
    finally:
        with caller.shielded():
            testbed.down()
