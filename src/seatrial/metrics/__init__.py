"""Prometheus: the daemon is scraped, a one-shot run leaves a textfile for the node exporter.

There is no push gateway: what a run measured is still true when Prometheus comes to ask, and a pushed value
would stay true for ever. Alert rules and a Grafana dashboard are beside this file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

from prometheus_client import CollectorRegistry, start_http_server, write_to_textfile

from seatrial.metrics.families import StoreCollector
from seatrial.model.problems import BadInput, Unavailable

__all__ = ["StoreCollector", "alert_rules", "dashboard", "listen", "write_textfile"]


@contextmanager
def listen(collector: StoreCollector, host: str, port: int) -> Iterator[int]:
    """Serve `/metrics` while the context lasts; the port (port 0 takes a free one). Raises Unavailable."""
    registry = CollectorRegistry()
    registry.register(collector)
    try:
        server, thread = start_http_server(port, addr=host, registry=registry)
    except OSError as error:
        raise Unavailable(f"cannot serve metrics at {host}:{port}: {error.strerror}") from error
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def write_textfile(collector: StoreCollector, path: Path) -> None:
    """Write the metrics for the node exporter's textfile collector, all or nothing. Raises BadInput."""
    registry = CollectorRegistry()
    registry.register(collector)
    try:
        write_to_textfile(os.fspath(path), registry)
    except OSError as error:
        raise BadInput(f"cannot write metrics to {path}: {error.strerror}") from error


def alert_rules() -> str:
    """The alert rules, as Prometheus reads them."""
    return files(__name__).joinpath("rules.yaml").read_text(encoding="utf-8")


def dashboard() -> str:
    """The Grafana dashboard, as JSON to import."""
    return files(__name__).joinpath("dashboard.json").read_text(encoding="utf-8")
