"""The OpenAPI document of `/api`, made from the table of pages and the records that they give."""

from __future__ import annotations

import re
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from seatrial import __version__
from seatrial.web.documents import Document
from seatrial.web.views import VIEWS, View

_REF = "#/components/schemas/{model}"
_ACTS = {
    "/api/underway/{run}/stop": ("Stop a run: it undoes everything and is judged as interrupted", {}),
    "/api/incidents/retry": ("Try a message of the outbox again, or all", {"number": False}),
    "/api/matrix/sign": (
        "Sign the matrix for a role: without a key, or as one line that `seatrial keys sign` wrote elsewhere",
        {"role": False, "name": False, "statement": False, "signed": False},
    ),
    "/api/matrix/renew": (
        "Run the experiments of a row of the matrix that does not pass",
        {"row": True, "confirm": False},
    ),
}
"""Acts, and the fields of their forms: whether each must be there."""


class Told(BaseModel):
    """What came of an act."""

    told: str


class Trouble(BaseModel):
    """Why there is no answer."""

    error: str


def openapi() -> dict[str, Any]:
    """OpenAPI 3.1."""
    given: list[type[BaseModel]] = [view.gives for view in VIEWS if view.gives is not None]
    models: list[type[BaseModel]] = [*given, Told, Trouble]
    _, schemas = models_json_schema([(model, "serialization") for model in models], ref_template=_REF)
    paths: dict[str, Any] = {f"/api{view.path.rstrip('/')}": {"get": _read(view)} for view in VIEWS}
    paths |= {path: {"post": _act(path, *told)} for path, told in _ACTS.items()}
    return {
        "openapi": "3.1.0",
        "info": {"title": "seatrial", "version": __version__, "summary": "What the dashboard shows, as JSON"},
        "paths": paths,
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _read(view: View) -> dict[str, Any]:
    schema = {"type": "object"} if view.gives is None else _ref(view.gives)
    return {
        "summary": view.title,
        "description": " ".join((view.document.__doc__ or "").split()),
        "operationId": _name(f"get {view.path}"),
        "parameters": _parameters(view),
        "responses": {"200": _json("What the page shows", schema), **_TROUBLES},
    }


def _parameters(view: View) -> list[dict[str, Any]]:
    schema = view.asked.model_json_schema()
    return [
        {
            "name": name,
            "in": "path" if f"{{{name}}}" in view.path else "query",
            "required": f"{{{name}}}" in view.path,
            "description": about.get("description", ""),
            "schema": {key: value for key, value in about.items() if key not in ("description", "title")},
        }
        for name, about in schema.get("properties", {}).items()
    ]


def _act(path: str, summary: str, fields: dict[str, bool]) -> dict[str, Any]:
    body = {
        "type": "object",
        "properties": {name: {"type": "string"} for name in fields},
        "required": [name for name, required in fields.items() if required],
    }
    inside = re.findall(r"{(\w+)}", path)
    return {
        "summary": summary,
        "operationId": _name(f"post {path.removeprefix('/api')}"),
        "security": [{"token": []}],
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in inside
        ],
        "requestBody": {"content": {"application/x-www-form-urlencoded": {"schema": body}}},
        "responses": {"200": _json("What came of it", _ref(Told)), **_TROUBLES},
    }


def _name(text: str) -> str:
    first, *rest = re.findall(r"[a-z]+", text)
    return str(first) + "".join(word.capitalize() for word in rest or ["overview"])


def _ref(model: type[BaseModel] | type[Document]) -> dict[str, str]:
    return {"$ref": _REF.format(model=model.__name__)}


def _json(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


_TROUBLES = {
    status: _json(what, _ref(Trouble))
    for status, what in {
        "400": "What is asked for makes no sense",
        "401": "The token was not shown",
        "404": "There is no such thing",
        "409": "What was shown has changed",
        "503": "The run database does not answer",
    }.items()
}
