"""A named host is asked where it is well, and the files are written accordingly; without one they are a guess."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from seatrial.model.problems import BadInput
from seatrial.scaffold import service_of
from seatrial.scaffold.described import Description, SafeOperation


def answering(*paths: str) -> Callable[[str], bool]:
    """A service on which these paths are answered well."""
    return lambda url: url.removeprefix("http://10.0.0.1:9") in paths


@pytest.mark.parametrize(
    ("paths", "ready", "page"),
    [
        (("/healthz", "/"), "/healthz", "/"),
        (("/health",), "/health", "/health"),
        (("/",), "/", "/"),
        ((), "/", "/"),
    ],
)
def test_the_first_path_that_answers_is_the_one_that_tells(
    paths: tuple[str, ...], ready: str, page: str
) -> None:
    service = service_of("http://10.0.0.1:9", ask=answering(*paths))
    assert (service.ready, service.operations[0].url) == (ready, page)
    assert service.answers is bool(paths)


def test_without_a_host_nobody_is_asked() -> None:
    service = service_of("", ask=lambda url: pytest.fail(f"{url} was asked"))
    assert (service.answers, service.base_url, service.is_local) == (None, "http://127.0.0.1:8000", True)


def test_a_description_says_where_and_what() -> None:
    operations = (SafeOperation("a", "/a", "/a"), SafeOperation("health", "/health", "/health"))
    service = service_of("", Description("https://Shop.Staging.example/v1", operations, ()))
    assert (service.base_url, service.ready) == ("https://Shop.Staging.example/v1", "/health")
    assert (service.name, service.is_local) == ("shop-staging-example", False)


@pytest.mark.parametrize(
    ("host", "told"),
    [
        ("shop.example", "is not an http:// or https:// address"),
        ("ftp://shop.example", "is not an http:// or https:// address"),
        ("http://shop.example:x", "is not an address"),
        ("http://me:secret@shop.example", "leave user and password out of it"),
        ("http://shop.example/a b", "has signs in it"),
    ],
)
def test_what_is_no_address_is_a_line(host: str, told: str) -> None:
    with pytest.raises(BadInput, match=told):
        service_of(host)
