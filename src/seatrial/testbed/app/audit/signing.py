"""Signs what has been committed: one of the processes does, by lease, and all know how it went.

The signer believes no root that somebody else has computed. It goes on from the last checkpoint, whose own
signature and root it checks, reads the lines behind it and follows the chain: so every root that it signs
extends the one that was signed before.
"""

from __future__ import annotations

import asyncio
import logging
import uuid

from seatrial.ledger.entry import Chain
from seatrial.ledger.merkle import Frontier
from seatrial.ledger.note import Checkpoint, VerifierKey, open_checkpoint, signed_note
from seatrial.ledger.signer import Signer, SignerUnavailable
from seatrial.testbed.app.audit.settings import ORIGIN, AuditSettings
from seatrial.testbed.app.audit.store import Signed, Status, Store
from seatrial.testbed.app.connections import DatabaseAwayError
from seatrial.testbed.app.metrics import tell_audit

_log = logging.getLogger(__name__)
_EVERY_S = 0.5
_PAGE = 2_000  # lines read, and followed, at once
_MOST = 10_000  # entries under one new checkpoint


class BrokenChainError(Exception):
    """What is stored does not continue what was signed."""


class Signing:
    """The background task of one process, and what it knows of the log."""

    def __init__(self, store: Store, signer: Signer, settings: AuditSettings) -> None:
        """`signer`: whose key is pinned as soon as it is known."""
        self.status: Status | None = None
        self.key: str | None = None
        self._store = store
        self._signer = signer
        self._settings = settings
        self._name = uuid.uuid4().hex
        self._last: tuple[Frontier, Chain] | None = None  # where the last signature was

    def objection(self) -> str | None:
        """Why no events are taken now."""
        status, settings = self.status, self._settings
        if status is None:
            return None
        if settings.mode == "refuse":
            if status.failure is not None:
                return f"events are refused while nobody signs them: {status.failure}"
            if status.oldest_unsigned_s > settings.oldest_unsigned_s:
                return (
                    f"events are refused: the oldest unsigned one waits for {status.oldest_unsigned_s:.0f} s"
                )
        if status.unsigned >= settings.largest_backlog:
            return (
                f"{status.unsigned:,} events wait for a signature, {settings.largest_backlog:,} at most may"
            )
        return None

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.turn()
                if self.status is not None:
                    tell_audit(self.status.unsigned, self.status.oldest_unsigned_s, self.status.failure)
            except DatabaseAwayError as error:
                self._last = None
                _log.warning("audit: the database is away: %s", error)
            except Exception:
                self._last = None
                _log.exception("audit: signing failed")
            await asyncio.sleep(_EVERY_S)

    async def turn(self) -> None:
        """Look at the log, and sign what is new if it is this process that signs."""
        self.key = self.key or await self._store.key()
        self.status = await self._store.status()
        if not await self._store.take_lease(self._name):
            self._last = None
            return
        failure = None
        try:
            while await self._sign_next() == _MOST and await self._store.take_lease(self._name):
                self.status = await self._store.status()
        except (SignerUnavailable, BrokenChainError, ValueError) as error:
            self._last = None
            failure = str(error)
            _log.warning("audit: not signed: %s", failure)
        if failure != self.status.failure:
            await self._store.tell_failure(failure)
        self.status = await self._store.status()

    async def _sign_next(self) -> int:
        """Sign the next entries; how many."""
        await self._pin()
        tree, chain = self._last or self._resumed(await self._store.signed())
        start = chain.size
        self._last = None  # until all has gone well
        while chain.size - start < _MOST:
            most = min(_PAGE, _MOST - (chain.size - start))
            lines = await self._store.lines(chain.size, most)
            leaves = await asyncio.to_thread(chain.follow, lines)
            if len(leaves) < len(lines):
                raise BrokenChainError(f"entry {chain.size}: {chain.complaint(lines[len(leaves)])}")
            tree.extend(leaves)
            if len(lines) < most:
                break
        if chain.size > start:
            text = Checkpoint(ORIGIN, chain.size, tree.root()).text
            signature = await asyncio.to_thread(self._signer.sign, text)
            note = signed_note(text, self._signer.verifier_key(), signature)
            if not await self._store.add_checkpoint(chain.size, note, tree):
                return 0  # somebody else has signed meanwhile: begin from there
        self._last = tree, chain
        return chain.size - start

    async def _pin(self) -> None:
        """Learn the key when it is not known yet; never sign with another than the one that is pinned."""
        own = str(await asyncio.to_thread(self._signer.verifier_key))
        if self.key is None:
            await self._store.keep_key(own)
            self.key = await self._store.key()
        if own != self.key:
            raise SignerUnavailable(f"the signer's key is {own}, not the log's, {self.key}")

    def _resumed(self, signed: Signed) -> tuple[Frontier, Chain]:
        if signed.note is not None:
            assert self.key is not None
            checkpoint = open_checkpoint(signed.note, [VerifierKey.parse(self.key)])
            if (checkpoint.size, checkpoint.root) != (signed.tree.size, signed.tree.root()):
                raise BrokenChainError(f"the frontier at {signed.tree.size} is not that of its checkpoint")
        return signed.tree, Chain(signed.tree.size, signed.head)
