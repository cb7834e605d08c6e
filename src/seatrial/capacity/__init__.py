"""How much a service carries: the highest rate at which a promise holds, as an interval.

objective ─► search (pure: which rate next, and what is known) ─► law (a hint) ─► document
               ▲                    │
               └── trials, one run of the experiment each (`seatrial.trials.capacity`)

Nothing here runs anything: it decides on what trials have shown, and says what that means.
"""
