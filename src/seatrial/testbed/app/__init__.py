"""The service that the testbed runs: a small multi-tenant shop, written as a careful team would write it.

It keeps its promises under failure rather than looking good: a write is acknowledged only when the
synchronous standby has it, nothing is retried behind the client's back, and what cannot be done now is a 503.
"""
