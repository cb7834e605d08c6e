"""What servers answer that are broken, are others than one thinks, or are not at home."""

from __future__ import annotations

import json

from hypothesis import strategies as st

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(), children, max_size=4),
    max_leaves=12,
)
"""Any JSON, NaN and Infinity among it, as Python writes them."""

BODIES = st.one_of(
    JSON.map(lambda value: json.dumps(value).encode()),
    st.binary(),
    st.sampled_from([
        b"", b"<html><body>502</body></html>", b"[" * 5000, b'{"a":' * 5000, b"\xff\xfe{\x00}\x00",
        b'"\\ud800"', b"NaN", b"1e999", b"9" * 5000, "{\u2028}".encode("utf-16"), b"null", b"[]", b"{}",
    ]),
)  # fmt: skip

HELLO = b"%1\r\n$5\r\nproto\r\n:3\r\n+OK\r\n+OK\r\n"
"""What a Redis server answers to the client's greeting."""

REPLIES = st.one_of(
    st.binary(),
    st.sampled_from([
        b"+OK\r\n", b"-ERR no\r\n", b":1\r\n", b"$-1\r\n", b"*-1\r\n", b"$3\r\n\xff\xfe\xfd\r\n", b":x\r\n", b"$x\r\n",
        b"*2\r\n:1\r\n$1\r\na\r\n", b"*1\r\n" * 3000, b"%1\r\n+a\r\n:1\r\n", b"$99999999999\r\n", b"_\r\n", b",nan\r\n",
        b"#x\r\n", b"(x\r\n", b"=2\r\nx\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n",
    ]).map(lambda reply: HELLO + reply),
)  # fmt: skip
"""What may come from a port where Redis was expected, after a good beginning or without one."""
