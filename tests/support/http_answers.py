"""What servers answer by HTTP, well and badly, byte for byte, and what they do with the connection then."""

from __future__ import annotations

import gzip
import zlib

BODY = b"aye aye"


def answer(body: bytes = BODY, status: str = "200 OK", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def coded(coding: str, body: bytes) -> bytes:
    return answer(body, "200 OK", f"Content-Encoding: {coding}")


_RAW = zlib.compressobj(wbits=-15)
RAW_DEFLATED = _RAW.compress(BODY) + _RAW.flush()

# What is sent back, and whether the connection is closed after it ("reset": by RST; "hold": never answered)
ANSWERS: dict[str, tuple[bytes, str]] = {
    "/plain": (answer(BODY, "200 OK", "X-Release: blue", "X-Region: east"), ""),
    "/release": (answer(BODY, "200 OK", "x-release: green"), ""),
    "/region": (answer(BODY, "200 OK", "X-REGION: west"), ""),
    "/chunked": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\naye\r\n4\r\n aye\r\n0\r\n\r\n", ""),
    "/until-close": (b"HTTP/1.1 200 OK\r\n\r\n" + BODY, "close"),
    "/http10": (b"HTTP/1.0 200 OK\r\nContent-Length: 7\r\n\r\n" + BODY, "close"),
    "/nothing": (b"HTTP/1.1 204 No Content\r\n\r\n", ""),
    "/interim": (b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + answer(), ""),
    "/bye": (answer(BODY, "200 OK", "Connection: close"), "close"),
    "/surplus": (answer() + b"HTTP/1.1 500 Not Asked For\r\n\r\n", ""),
    "/gzip": (coded("gzip", gzip.compress(BODY)), ""),
    "/deflate": (coded("deflate", zlib.compress(BODY)), ""),
    "/raw-deflate": (coded("deflate", RAW_DEFLATED), ""),
    "/broken-gzip": (coded("gzip", gzip.compress(BODY)[:-5]), ""),
    "/unavailable": (answer(b"", "503 Service Unavailable"), ""),
    "/missing": (answer(b"", "404 Not Found"), ""),
    "/moved": (answer(b"", "302 Found", "Location: /plain"), ""),
    "/circle": (answer(b"", "302 Found", "Location: /circle"), ""),
    "/abroad": (answer(b"", "302 Found", "Location: http://192.0.2.1/"), ""),
    "/kept": (answer(b"", "307 Temporary Redirect", "Location: /echo"), ""),
    "/turned": (answer(b"", "303 See Other", "Location: /echo"), ""),
    "/cookie": (answer(BODY, "200 OK", "Set-Cookie: session=ada; Path=/; HttpOnly"), ""),
    "/no-cookie": (answer(BODY, "200 OK", "Set-Cookie: session=; Max-Age=0"), ""),
    "/silent-close": (b"", "close"),
    "/silent-reset": (b"", "reset"),
    "/cut": (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this", "close"),
    "/cut-reset": (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this", "reset"),
    "/cut-head": (b"HTTP/1.1 200 OK\r\nContent-Le", "close"),
    "/cut-chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nonly", "close"),
    "/switch": (
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", "",
    ),
    "/garbage": (b"SSH-2.0-OpenSSH_9.2\r\n", "close"),
    "/hang": (b"", "hold"),
    "/half-hang": (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this", "hold"),
    "/leave": (answer(), "close"),  # promises to stay, and leaves
}  # fmt: skip
