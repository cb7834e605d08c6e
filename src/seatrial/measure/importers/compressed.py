"""Files that are compressed with gzip or zstd, read and written as if they were not."""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from pathlib import Path
from typing import BinaryIO, cast

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_MAGIC = {b"\x28\xb5\x2f\xfd": "zstd", b"\x1f\x8b": "gzip"}
_SUFFIXES = {".zst": "zstd", ".gz": "gzip"}
_PIECE = 1 << 16  # bytes that are read at a time


def compression_of(start: bytes) -> str:
    """By the first bytes of a file; "" when it is not compressed, or in a way that is not known here."""
    return next((name for magic, name in _MAGIC.items() if start.startswith(magic)), "")


def opened(path: Path, compression: str) -> BinaryIO:
    """What is in a file. Whatever is wrong with it is an OSError, also in the middle."""
    if not compression:
        return path.open("rb", buffering=_PIECE)
    stream = gzip.GzipFile(path) if compression == "gzip" else zstd.ZstdFile(path)
    return io.BufferedReader(_Decompressed(stream), _PIECE)


def created(path: Path, like: Path) -> BinaryIO:
    """A new file, compressed when the name of `like` ends in .zst or .gz."""
    match _SUFFIXES.get(like.suffix):
        case "gzip":
            return cast("BinaryIO", gzip.open(path, "wb"))
        case "zstd":
            return cast("BinaryIO", zstd.open(path, "wb"))
        case _:
            return path.open("wb")


class _Decompressed(io.RawIOBase):
    """One kind of error for streams that are cut short or damaged."""

    def __init__(self, stream: gzip.GzipFile | zstd.ZstdFile) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # what BufferedReader gives
        try:
            data = self._stream.read(len(buffer))
        except (EOFError, zlib.error, zstd.ZstdError) as error:
            raise OSError(str(error)) from error
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._stream.close()
        super().close()
