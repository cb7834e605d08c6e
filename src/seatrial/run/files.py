"""The files of a run, found and read as everywhere: see `seatrial.files`."""

from seatrial.files import Source, find, read, shipped

__all__ = ["Source", "find", "read", "shipped"]
