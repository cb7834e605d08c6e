"""An append-only log that shows every alteration: chained, Merkle-checkpointed, signed, in plain text.

    events ─► canonical ─► entry (chain) ─► segment ─► merkle ─► checkpoints (note, signer) ─► copies
                                               └────────── verifier, proofs, inspection ◄──────────┘

`layout` says how it lies on disk and why, `entry` what a line is and how to check one by hand, `recovery`
what a crash can leave behind, `verifier` what is proven and what is not.
"""

from seatrial.ledger.canonical import Event, InvalidEvent, canonical, parse
from seatrial.ledger.checkpoints import CheckpointPolicy
from seatrial.ledger.inspection import LedgerSummary, inspect, read_entries
from seatrial.ledger.layout import Damaged
from seatrial.ledger.note import VerifierKey
from seatrial.ledger.proofs import ConsistencyProof, InclusionProof, prove, prove_consistency
from seatrial.ledger.seal import SealReport, seal, verify_sealed
from seatrial.ledger.signer import Signer, SignerUnavailable, SoftwareSigner, read_verifier_keys
from seatrial.ledger.stream import append_stream, line_batches
from seatrial.ledger.verifier import Finding, VerifyReport, verify
from seatrial.ledger.writer import Ledger, LedgerStatus

__all__ = [
    "CheckpointPolicy",
    "ConsistencyProof",
    "Damaged",
    "Event",
    "Finding",
    "InclusionProof",
    "InvalidEvent",
    "Ledger",
    "LedgerStatus",
    "LedgerSummary",
    "SealReport",
    "Signer",
    "SignerUnavailable",
    "SoftwareSigner",
    "VerifierKey",
    "VerifyReport",
    "append_stream",
    "canonical",
    "inspect",
    "line_batches",
    "parse",
    "prove",
    "prove_consistency",
    "read_entries",
    "read_verifier_keys",
    "seal",
    "verify",
    "verify_sealed",
]
