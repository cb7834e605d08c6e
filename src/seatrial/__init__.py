"""Take a service to sea before GA: open-model load, chaos, and measured downtime with error bounds."""

from importlib.metadata import version

__version__ = version("seatrial")
