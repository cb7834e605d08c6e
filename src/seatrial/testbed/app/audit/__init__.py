"""The audit log of the shop: batches of events into one hash chain, signed while they come in.

    POST → Ingest (queue) → groups.plan → Store.commit (one transaction) → 201
                                               │
                       Signing (one process) ──┴→ reads the lines again, follows the chain, signs the root

A batch is acknowledged when the synchronous standby has it; the signature follows within about a second.
"""
