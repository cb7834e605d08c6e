"""Take a service to sea before GA: open-model load, chaos, and measured downtime with error bounds."""


def __getattr__(name: str) -> str:
    """`__version__`, looked up when it is wanted: that takes longer than most of what is imported."""
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415

        return version("seatrial")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
