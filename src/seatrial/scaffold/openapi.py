"""What an OpenAPI file (3.0, 3.1) says that a service may be asked without harm, and with which values.

Safe is GET. A parameter that is required takes the first of what the file itself gives for it: an example, a
default, one of its few values. An operation with one that is given nothing is left out, and named.

Only what is needed is read, operation by operation: the file of a real service is seldom right in all parts.
"""

from __future__ import annotations

import json
import keyword
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import yaml
from openapi_pydantic.v3.v3_1 import Operation, Parameter, Schema
from pydantic import ValidationError

from seatrial.model.problems import BadInput
from seatrial.scaffold.described import Description, SafeOperation

_LARGEST_FILE = 20_000_000  # bytes
_MOST_REFERENCES = 20  # from one to the next

Plain = Mapping[str, Any]


def read(path: Path) -> Description:
    """Raises BadInput for what is no OpenAPI file of these versions."""
    document = _parsed(path)
    _require_version(path, document)
    found: list[SafeOperation] = []
    left_out: list[str] = []
    token = ("", "")
    for template, item in _mapping(document.get("paths")).items():
        try:
            operation, parameters = _typed_get(document, item)
            asked = _asked(str(template), operation, parameters)
            needs = document.get("security") if operation.security is None else operation.security
            login = _login(document, needs or [])
        except _NotThere:
            continue
        except (ValidationError, _CannotAsk) as error:
            left_out.append(" ".join(f"{template}: {_why(error)}".split()))
            continue
        found.append(asked)
        token = login if any(login) else token
    return Description(_server(document), tuple(_apart(found)), tuple(left_out), *token)


class _NotThere(Exception):  # noqa: N818  # what it is
    """A path has no GET."""


class _CannotAsk(Exception):  # noqa: N818  # what it is
    """Why an operation is left out."""


def _why(error: Exception) -> str:
    return str(error) if isinstance(error, _CannotAsk) else "it is not written as OpenAPI wants it"


def _parsed(path: Path) -> Plain:
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise BadInput(
                f"{path}: larger than {_LARGEST_FILE:,} bytes; that is no description of a service"
            )
        text = path.read_text(encoding="utf-8-sig")
        is_json = text.lstrip().startswith("{")
        document = json.loads(text) if is_json else yaml.load(text, Loader=yaml.CSafeLoader)
    except OSError as error:
        raise BadInput(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        raise BadInput(f"{path}: is neither JSON nor YAML: {_in_a_line(error)}") from error
    if not isinstance(document, dict):
        raise BadInput(f"{path}: is no OpenAPI file: a mapping of keys to values is expected")
    return document


def _in_a_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def _require_version(path: Path, document: Plain) -> None:
    version = str(document.get("openapi", ""))
    if not version.startswith(("3.0", "3.1")):
        this = (
            f"Swagger {document['swagger']}" if "swagger" in document else f"openapi: {version or 'nothing'}"
        )
        raise BadInput(f"{path}: OpenAPI 3.0 or 3.1 is read here, and this says {this}")


def _typed_get(document: Plain, path: Any) -> tuple[Operation, list[Parameter]]:
    """The GET of a path, references followed; its own parameters stand in the place of its path's."""
    item = _followed(document, path)
    if not isinstance(written := item.get("get"), dict):
        raise _NotThere
    parameters: dict[tuple[str, str], Parameter] = {}
    for each in (*(item.get("parameters") or ()), *(written.get("parameters") or ())):
        plain = dict(_followed(document, each))
        plain["schema"] = _followed(document, plain.get("schema") or {})
        examples = _mapping(plain.get("examples")).items()
        plain["examples"] = {name: _followed(document, example) for name, example in examples}
        parameter = Parameter.model_validate(plain)
        parameters[parameter.param_in, parameter.name] = parameter
    known = {key: written[key] for key in ("operationId", "security") if key in written}
    return Operation.model_validate(known), list(parameters.values())


def _asked(template: str, operation: Operation, parameters: list[Parameter]) -> SafeOperation:
    """The operation with its values. Raises _CannotAsk when one that is required is not known."""
    url, query = template, {}
    for each in parameters:
        value = _value_of(each)
        if each.required and value is None:
            raise _CannotAsk(f"no example of {each.name}")
        if each.required and each.param_in not in ("path", "query"):
            raise _CannotAsk(f"{each.name} is wanted in a {each.param_in.value}")
        if each.param_in == "path":
            url = url.replace(f"{{{each.name}}}", quote(_text(value), safe=""))
        elif each.required:
            query[each.name] = _text(value)
    if "{" in url:
        raise _CannotAsk("not all of its parameters are declared")
    asked = f"{url}?{urlencode(query)}" if query else url
    return SafeOperation(_task(operation.operationId or template), template, asked)


def _value_of(parameter: Parameter) -> Any:
    """The first that the file gives for a parameter; None when that is nothing."""
    schema = parameter.param_schema
    given = [
        parameter.example,
        *(getattr(each, "value", None) for each in (parameter.examples or {}).values()),
    ]
    if isinstance(schema, Schema):
        given += [
            schema.example,
            *(schema.examples or ()),
            schema.default,
            schema.const,
            *(schema.enum or ()),
        ]
    return next((value for value in given if isinstance(value, str | int | float)), None)


def _text(value: str | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _task(name: str) -> str:
    """A name for a task: `list_orders` for listOrders, `orders_id` for /orders/{id}."""
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)
    text = re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_") or "root"
    return f"get_{text}" if text[0].isdigit() or keyword.iskeyword(text) else text


def _apart(operations: Iterable[SafeOperation]) -> Iterator[SafeOperation]:
    """The same, each with a name of its own."""
    times: Counter[str] = Counter()
    for each in operations:
        times[each.task] += 1
        number = times[each.task]
        yield each if number == 1 else replace(each, task=f"{each.task}_{number}")


def _login(document: Plain, needs: list[dict[str, list[str]]]) -> tuple[str, str]:
    """The header that tells who asks, and what stands in front of the token; empty when nobody asks.

    Of several ways the first that is a header is taken. Raises _CannotAsk when there is none.
    """
    if not needs or {} in needs:
        return "", ""
    schemes = _mapping(_mapping(document.get("components")).get("securitySchemes"))
    for need in needs:
        scheme = _followed(document, schemes.get(next(iter(need)), {}))
        match scheme:
            case {"type": "http", "scheme": str(how)} if how.lower() == "bearer":
                return "Authorization", "Bearer "
            case {"type": "oauth2" | "openIdConnect"}:
                return "Authorization", "Bearer "
            case {"type": "apiKey", "in": "header", "name": str(header)}:
                return header, ""
    raise _CannotAsk("who asks is not told in a header by a token")


def _server(document: Plain) -> str:
    """The address of the first server; "" for a relative one, or one with variables."""
    servers = document.get("servers")
    first = _mapping(servers[0]) if isinstance(servers, list) and servers else {}
    address = str(first.get("url", "")).rstrip("/")
    return address if urlsplit(address).scheme in ("http", "https") and "{" not in address else ""


def _followed(document: Plain, value: Any) -> Plain:
    """A mapping, or what its `$ref` leads to in the same file. Raises _CannotAsk when that is nowhere."""
    for _ in range(_MOST_REFERENCES):
        reference = _mapping(value).get("$ref")
        if reference is None:
            return _mapping(value)
        if not str(reference).startswith("#/"):
            raise _CannotAsk(f"{reference} is in another file; bundle them into one")
        value = document
        for part in str(reference)[2:].split("/"):
            value = _mapping(value).get(part.replace("~1", "/").replace("~0", "~"))
    raise _CannotAsk("its references lead nowhere")


def _mapping(value: Any) -> Plain:
    return value if isinstance(value, dict) else {}
