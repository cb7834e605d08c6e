"""Files that are compressed with gzip or zstd, read and written as if they were not."""

from __future__ import annotations

import contextlib
import gzip
import io
import sys
import zlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import BinaryIO, cast

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_MAGIC = {b"\x28\xb5\x2f\xfd": "zstd", b"\x1f\x8b": "gzip"}
_SUFFIXES = {".zst": "zstd", ".gz": "gzip"}
_PIECE = 1 << 16  # bytes that are read at a time

ReadTo = Callable[[int, int], None]  # told the bytes of a file that are read by now, and all of them
_on_read: ContextVar[ReadTo | None] = ContextVar("on_read", default=None)


@contextlib.contextmanager
def followed(told: ReadTo) -> Iterator[None]:
    """In this block `told` hears how far a file is read, compressed or not, whoever reads it."""
    before = _on_read.set(told)
    try:
        yield
    finally:
        _on_read.reset(before)


def compression_of(start: bytes) -> str:
    """By the first bytes of a file; "" when it is not compressed, or in a way that is not known here."""
    return next((name for magic, name in _MAGIC.items() if start.startswith(magic)), "")


def opened(path: Path, compression: str) -> BinaryIO:
    """What is in a file. Whatever is wrong with it is an OSError, also in the middle."""
    file = io.BufferedReader(_Followed(path), _PIECE)
    if not compression:
        return file
    stream = gzip.GzipFile(fileobj=file) if compression == "gzip" else zstd.ZstdFile(file)
    return io.BufferedReader(_Decompressed(stream, file), _PIECE)


def created(path: Path, like: Path) -> BinaryIO:
    """A new file, compressed when the name of `like` ends in .zst or .gz."""
    match _SUFFIXES.get(like.suffix):
        case "gzip":
            return cast("BinaryIO", gzip.open(path, "wb"))
        case "zstd":
            return cast("BinaryIO", zstd.open(path, "wb"))
        case _:
            return path.open("wb")


class _Followed(io.FileIO):
    """A file that tells how far it is read, to whoever followed when it was opened."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._told = _on_read.get()
        self._bytes = path.stat().st_size

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # what BufferedReader gives
        count = super().readinto(buffer)
        self._tell()
        return count

    def readall(self) -> bytes:
        data = super().readall()
        self._tell()
        return data

    def _tell(self) -> None:
        if self._told is not None:
            self._told(self.tell(), self._bytes)


class _Decompressed(io.RawIOBase):
    """One kind of error for streams that are cut short or damaged."""

    def __init__(self, stream: gzip.GzipFile | zstd.ZstdFile, file: BinaryIO) -> None:
        self._stream = stream
        self._file = file

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
        self._file.close()
        super().close()
