"""The process that talks to a PKCS#11 module, and may be killed in the middle of a call.

A PKCS#11 call has no deadline: when the HSM, or the server in front of it, stops answering, the call hangs in
C for ever and takes its process along. So it has a process of its own. It is asked and answers in lines on
its standard streams: first the configuration (JSON), answered by the public key; then one hexadecimal SHA-256
digest a line, answered by a signature. The first failure is told and ends it: a fresh process is the one way
back that works for every module, whatever state the old one was left in.

    ok <base64>          public key (DER SubjectPublicKeyInfo), or signature (DER)
    error <text>
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

Sign = Callable[[bytes], bytes]


def main() -> None:
    """Serve until standard input ends or something fails."""
    try:
        public, sign = _log_in(json.loads(sys.stdin.readline()))
        _answer("ok", base64.b64encode(public).decode())
        for line in sys.stdin:
            _answer("ok", base64.b64encode(sign(bytes.fromhex(line))).decode())
    except Exception as error:  # everything is told to the parent, which alone can act on it
        _answer("error", " ".join(f"{type(error).__name__} {error}".split()))


def _log_in(configuration: dict[str, str]) -> tuple[bytes, Sign]:
    """Open a session. Returns the public key and a function that signs SHA-256 digests."""
    pkcs11: Any = import_module("pkcs11")
    ec: Any = import_module("pkcs11.util.ec")
    token = pkcs11.lib(configuration["module"]).get_token(token_label=configuration["token"])
    session = token.open(user_pin=configuration["pin"])
    label = configuration["key"]
    public = session.get_key(object_class=pkcs11.ObjectClass.PUBLIC_KEY, label=label)
    private = session.get_key(object_class=pkcs11.ObjectClass.PRIVATE_KEY, label=label)

    def sign(digest: bytes) -> bytes:
        raw = private.sign(digest, mechanism=pkcs11.Mechanism.ECDSA)
        return bytes(ec.encode_ecdsa_signature(raw))

    return bytes(ec.encode_ec_public_key(public)), sign


def _answer(kind: str, text: str) -> None:
    print(kind, text, flush=True)  # noqa: T201  # standard output is the channel


if __name__ == "__main__":
    main()
