"""What an OpenAPI file says may be asked without harm becomes a task; what it leaves open is named."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from seatrial.model.problems import BadInput
from seatrial.scaffold import files_of, service_of
from seatrial.scaffold.openapi import read


def described(tmp_path: Path, paths: dict[str, Any], **more: Any) -> Path:
    path = tmp_path / "openapi.json"
    info = {"title": "Shop", "version": "1"}
    path.write_text(json.dumps({"openapi": "3.0.3", "info": info, "paths": paths, **more}))
    return path


def parameter(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": True, "schema": {"type": "string"}, **more}


def get(*parameters: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"get": {"parameters": [*parameters], "responses": {"200": {"description": "ok"}}, **more}}


def test_only_what_is_safe_is_asked(tmp_path: Path) -> None:
    paths = {
        "/orders": {**get(operationId="listOrders"), "post": {"responses": {}}},
        "/purge": {"post": {"responses": {}}},
    }
    found = read(described(tmp_path, paths, servers=[{"url": "https://shop.example/v1/"}]))
    assert [(each.task, each.url) for each in found.operations] == [("list_orders", "/orders")]
    assert found.server == "https://shop.example/v1"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (parameter("q", example="blue shoes"), "/a?q=blue+shoes"),
        (parameter("q", examples={"one": {"value": "x"}}), "/a?q=x"),
        (parameter("q", examples={"one": {"$ref": "#/components/examples/One"}}), "/a?q=shared"),
        (parameter("q", schema={"type": "integer", "default": 3}), "/a?q=3"),
        (parameter("q", schema={"type": "string", "enum": ["new", "old"]}), "/a?q=new"),
        (parameter("q", schema={"type": "boolean", "example": True}), "/a?q=true"),
        (parameter("q", schema={"$ref": "#/components/schemas/Size"}), "/a?q=small"),
        ({"$ref": "#/components/parameters/Page"}, "/a?page=1"),
        (parameter("q", required=False, example="x"), "/a"),
    ],
)
def test_a_parameter_has_the_first_value_that_the_file_gives(
    tmp_path: Path, given: dict[str, Any], expected: str
) -> None:
    components = {
        "examples": {"One": {"value": "shared"}},
        "schemas": {"Size": {"type": "string", "enum": ["small", "large"]}},
        "parameters": {"Page": parameter("page", example=1)},
    }
    (operation,) = read(described(tmp_path, {"/a": get(given)}, components=components)).operations
    assert operation.url == expected


def test_parameters_of_a_path_hold_for_its_operations(tmp_path: Path) -> None:
    identity = parameter("id", example="a/b", **{"in": "path"})
    (operation,) = read(described(tmp_path, {"/a/{id}": {"parameters": [identity], **get()}})).operations
    assert (operation.template, operation.url) == ("/a/{id}", "/a/a%2Fb")


@pytest.mark.parametrize(
    ("item", "why"),
    [
        (get(parameter("q")), "/a: no example of q"),
        (get(parameter("X-Who", example="me", **{"in": "header"})), "/a: X-Who is wanted in a header"),
        (get({"in": "nowhere", "name": "q"}), "/a: it is not written as OpenAPI wants it"),
        (get({"$ref": "other.yaml#/a"}), "/a: other.yaml#/a is in another file; bundle them into one"),
        ({"$ref": "#/components/none"}, None),
        (get(security=[{"basic": []}]), "/a: who asks is not told in a header by a token"),
    ],
)  # fmt: skip
def test_what_nobody_knows_how_to_ask_is_left_out_and_named(
    tmp_path: Path, item: dict[str, Any], why: str | None
) -> None:
    schemes = {"securitySchemes": {"basic": {"type": "http", "scheme": "basic"}}}
    found = read(described(tmp_path, {"/a": item, "/b": get()}, components=schemes))
    assert [each.url for each in found.operations] == ["/b"]
    assert found.left_out == ((why,) if why else ())


def test_operations_of_one_name_are_told_apart(tmp_path: Path) -> None:
    paths = {"/a-b": get(), "/a/b": get(), "/class": get(operationId="class"), "/2": get()}
    tasks = [each.task for each in read(described(tmp_path, paths)).operations]
    assert tasks == ["a_b", "a_b_2", "get_class", "get_2"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("swagger: '2.0'\npaths: {}\n", "OpenAPI 3.0 or 3.1 is read here, and this says Swagger 2.0"),
        ("openapi: 4.0.0\n", "and this says openapi: 4.0.0"),
        ("a: [", "is neither JSON nor YAML"),
        ("{", "is neither JSON nor YAML"),
        ("- a\n", "is no OpenAPI file"),
        ("", "is no OpenAPI file"),
    ],
)
def test_what_is_no_openapi_file_is_a_line(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "openapi.yaml"
    path.write_text(text)
    with pytest.raises(BadInput, match=told) as caught:
        read(path)
    assert len(str(caught.value).splitlines()) == 1


def test_whoever_asks_is_told_by_a_token_from_the_environment(tmp_path: Path) -> None:
    schemes = {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}}}
    path = described(tmp_path, {"/a": get()}, security=[{"key": []}], components=schemes)
    texts = {str(place): text for place, text in files_of(service_of("", read(path))).items()}
    assert 'self.client.headers["X-Key"] = "" + os.environ["API_TOKEN"]' in texts["chaos/scenario.py"]
    assert 'variables: {API_TOKEN: "${API_TOKEN}"}' in texts["chaos/target.yaml"]


def test_nothing_of_a_description_becomes_program_text(tmp_path: Path) -> None:
    """Paths, names and addresses come from a file that somebody else has written."""
    evil = '/a"\n    import os; os.abort()\n"""{x}'
    paths = {
        evil: get(),
        "/b\"'\\\n#": get(operationId='x"; import os'),
        "/c": get(parameter('q"\nimport os')),
    }
    service = service_of("", read(described(tmp_path, paths)))
    texts = {str(place): text for place, text in files_of(service).items()}
    tree = ast.parse(texts["chaos/scenario.py"])
    assert [node.module for node in tree.body if isinstance(node, ast.ImportFrom)] == [
        "locust",
        "seatrial.load",
    ]
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Import)]
    for address in ('https://x/"""; import os', "https://x/ y", 'https://x/"'):
        with pytest.raises(BadInput, match="signs in it"):
            service_of(address)
