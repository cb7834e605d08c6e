"""What a locustfile stumbles over while it is loaded, and what to write instead.

Locust changed its words with version 1.0, and files of the years before are still about. Their first lines
fail, with an error that names what is gone and seldom what has come in its place.
"""

from __future__ import annotations

import re

from seatrial.extras import bringing

_CLASSES = "derive from HttpUser (or FastHttpUser, User), with tasks = [Behaviour] for task_set = Behaviour"
_SUCCESSES = "listen to events.request, which is given exception=None for a success"
_ADVICE = (
    (r"(?:HttpLocust|FastHttpLocust|Locust class) .*renamed|cannot import name '\w*Locust'", _CLASSES),
    (r"cannot import name '(?:TaskSequence|seq_task)'", "derive from SequentialTaskSet, with @task in order"),
    (r"no attribute 'request_(?:success|failure)'", _SUCCESSES),
    (r"no attribute '(?:hatch_complete|locust_hatch_complete)'", "listen to events.spawning_complete"),
    (r"no attribute '(?:locust|master)_start_hatching'", "listen to events.test_start"),
    (r"no attribute '(?:locust|master)_stop_hatching'", "listen to events.test_stop"),
    (r"no attribute 'locust_error'", "listen to events.user_error"),
    (r"no attribute 'slave_report'", "listen to events.worker_report"),
    (r"has no attribute 'locust'", "write self.user"),
    (
        r"No module named '(\w+)",
        r"install what \1 belongs to where seatrial is installed, or run it from its folder",
    ),
)


def with_advice(error: str) -> str:
    """The text of an error, and what to do about it where that is known."""
    missing = re.search(r"No module named '(\w+)", error)
    if missing and (extra := bringing(missing[1])):
        return f"{error}; {extra.way_out}"
    for pattern, advice in _ADVICE:
        if found := re.search(pattern, error):
            return f"{error}; {found.expand(advice)}"
    return error
