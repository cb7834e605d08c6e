"""Puts every request on record without holding up the sender.

A row is packed into a buffer in memory (a tenth of a microsecond). Several times a second the buffer goes to
the spool, from a native thread: a write that waits for a busy disk must not delay the next arrival.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from seatrial.home import private, private_directory
from seatrial.load import spool
from seatrial.load.audit import AuditTally
from seatrial.load.offer import Offer
from seatrial.load.spool import SpoolHeader
from seatrial.load.spooltexts import OF
from seatrial.model.generatoraudit import GeneratorAudit
from seatrial.model.scenarioaccount import ScenarioAccount
from seatrial.model.secrets import secret_in, shown

NEVER = float("nan")  # for an instant that did not come
_MOST_TEXTS = 65_536  # a scenario may put an id into each error; memory must not grow with them
_MOST_ALIKE = 4096  # rows whose texts are looked up at once
_TOO_MANY = "(one of too many different texts)"

Outstanding = Iterable[tuple[float, float, str]]  # intended, sent, name


class Recorder:
    """Writes one worker's spool. `write` is `os.write`, or a way to call it from another thread."""

    def __init__(
        self, path: Path, header: SpoolHeader, write: Callable[[int, bytes], int] = os.write
    ) -> None:
        self._write = write
        self._tally = AuditTally()
        self._alike: dict[
            tuple[str, str, str, str], tuple[int, int, int]
        ] = {}  # the texts of a row, together
        self._codes: dict[str, int] = {}  # of texts as they came
        self._shown: dict[str, int] = {}  # of texts as they are written, without secrets
        self._rows = bytearray()
        self._keys = bytearray()
        self._texts: list[bytes] = []
        private_directory(path.parent)
        self._fd = private(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
        self._size = 0
        self._append(spool.MAGIC + spool.frame(spool.HEADER, header.to_json().encode()))

    def add(
        self,
        intended: float,
        sent: float,
        ended: float,
        ok: bool,
        status: int,
        name: str,
        served_by: str,
        error: str,
        key: str | None = None,
        tenant: str = "",
    ) -> None:
        """Record a request. Instants are seconds after zero; NEVER for one that did not come.

        `tenant`: in whose name it was sent, if the scenario tells it.

        Raises ValueError for a key that is too long or holds a secret; the request is then on record without.
        A secret is not cut out of it, as it is of texts: the target is asked for the key afterwards, and with
        another one the write would pass for lost.
        """
        codes = self._alike.get((name, tenant, served_by, error))
        if codes is None:
            codes = self._coded(name, tenant, served_by, error)
        size, wrong = (0, "") if key is None else self._keep(key)
        self._rows += spool.ROW.pack(intended, sent, ended, *codes, status, size, ok)
        if wrong:
            raise ValueError(f"key: {wrong}")

    def note_offer(self, offer: Offer) -> None:
        """The offer was corrected. It is appended before the rows that come next."""
        self._texts.append(spool.frame(spool.OFFER, json.dumps(offer.plain()).encode()))

    def flush(self, outstanding: Outstanding = (), scenario: ScenarioAccount | None = None) -> None:
        """Append what was added since the last flush.

        `scenario`: what the scenario has failed at, if that has changed. Raises OSError when the disk does
        not take it; all of it is then still to be appended.
        """
        in_flight = b"".join(
            spool.OUTSTANDING.pack(intended, sent, self._code(_whose(name, "")))
            for intended, sent, name in outstanding
        )
        rows, keys, texts = self._rows, self._keys, self._texts
        self._rows, self._keys, self._texts = bytearray(), bytearray(), []
        told = (spool.account_frame(scenario),) if scenario else ()
        try:
            self._append(b"".join((*texts, spool.rows_frame(rows, in_flight, keys), *told)))
        except OSError:
            # Others may have added some meanwhile. Texts are counted, so none may ever be left out.
            self._rows, self._keys = rows + self._rows, keys + self._keys
            self._texts[:0] = texts
            raise
        table = np.frombuffer(rows, spool.ROW_TYPE)
        self._tally.add(table["intended"], table["sent"], table["ended"])

    def close(self, scenario: ScenarioAccount | None = None, arrivals: int | None = None) -> GeneratorAudit:
        """Append the rest and the generator's own account, and give that.

        `arrivals`: how many were due in the measured part. Raises OSError when the disk does not take it; the
        spool then ends as a killed worker's does.
        """
        try:
            self.flush(scenario=scenario)
            audit = replace(self._tally.total(), arrivals=arrivals)
            self._append(spool.frame(spool.END, json.dumps(asdict(audit)).encode()))
        finally:
            os.close(self._fd)
        return audit

    @property
    def account(self) -> GeneratorAudit:
        """Of the rows that the spool holds."""
        return self._tally.total()

    def _append(self, data: bytes) -> None:
        left = data
        try:
            while left:
                left = left[self._write(self._fd, left) :]
        except OSError:
            os.ftruncate(self._fd, self._size)  # a torn frame is no error at the end, but in the middle it is
            raise
        self._size += len(data)

    def _keep(self, key: str) -> tuple[int, str]:
        """Its size as rows say it, or what is wrong with it."""
        encoded = key.encode(errors="replace")
        wrong = _wrong_with(key, encoded)
        if wrong:
            return 0, wrong
        self._keys += encoded
        return len(encoded) + 1, ""

    def _coded(self, name: str, tenant: str, served_by: str, error: str) -> tuple[int, int, int]:
        if len(self._alike) >= _MOST_ALIKE:
            self._alike.clear()
        codes = self._code(_whose(name, tenant)), self._code(served_by), self._code(error)
        self._alike[name, tenant, served_by, error] = codes
        return codes

    def _code(self, text: str) -> int:
        code = self._codes.get(text)
        if code is not None:
            return code
        if len(self._codes) >= _MOST_TEXTS and text != _TOO_MANY:
            return self._code(_TOO_MANY)
        written = shown(text)
        code = self._shown.get(written)
        if code is None:
            self._texts.append(spool.frame(spool.TEXT, written.encode(errors="replace")))
            code = self._shown[written] = len(self._shown)
        self._codes[text] = code
        return code


def _whose(name: str, tenant: str) -> str:
    """A name as it is spooled: with the tenant's behind it, if there is one."""
    if not tenant and OF not in name:
        return name
    return f"{name}{OF}{tenant.replace(OF, ' ')}"


def _wrong_with(key: str, encoded: bytes) -> str:
    if len(encoded) > spool.LONGEST_KEY:
        return f"{len(encoded)} bytes are too many, {spool.LONGEST_KEY} are the most"
    secret = secret_in(key)
    return f"holds the value of {secret}, and keys are put on record" if secret else ""
