"""A region's replica of tenant settings, counters and sets: every region writes, none waits for another.

    PUT /settings … ─► Replica.carry_out ─► Frontier.issue ─► OperationLog (durable) ─► state.apply ─► answer
                                                                   │
    peer's Replication.follow ◄── GET /replication/operations ◄────┘
            └─► Replica.take_in ─► admissible ─► OperationLog (durable) ─► state.apply

The left half (`hlc`, `causality`, `operation`, `ordering`, `register`, `counter`, `orset`, `state`) is pure;
`log`, `replica`, `replication` and `service` do the I/O.
"""
