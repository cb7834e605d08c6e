"""A region's replica of tenant settings, counters and sets: every region writes, none waits for another.

    PUT /settings … ─► Replica.carry_out ─► Frontier.issue ─► OperationLog (durable) ─► State.apply ─► answer
                                                                   │
    peer's Replication.follow ◄── GET /replication/operations ◄────┘
            └─► Replica.take_in ─► admissible ─► OperationLog (durable) ─► State.apply

The left half (`hlc`, `causality`, `operation`, `ordering`, `register`, `counter`, `orset`, `state`) is pure;
`log`, `replica`, `replication` and `service` do the I/O.
"""
