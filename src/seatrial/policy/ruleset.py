"""Policies and data as they are loaded: which rules there are, and the hash of all that decides a verdict.

Policies are the `.rego` files below a directory. Those named `*_test.rego` are tests and left out, unless
they hold rules of the convention. Data files are YAML and JSON; below a directory that is named, the names of
inner directories are keys, as `opa` and conftest have it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from seatrial.model.problems import BadInput, Location, Problem, Problems, nearest
from seatrial.policy.convention import GATE, counts, namespace_of
from seatrial.policy.module import Module, parsed
from seatrial.policy.readers import NotReadable, as_json, parts_of, reader_of, reader_versions

_FORMAT = "2"  # of what is remembered; another one when what a result means changes
# What depends on more than the input: a result of these is never remembered.
_UNSTEADY = re.compile(
    r"\b(time\.now_ns|http\.send|rand\.intn|uuid\.rfc4122|net\.lookup_ip_addr|opa\.runtime|io\.jwt\.)"
)
_OURS = "through which rules are asked; call it otherwise"
_FILE = re.compile(r"\bconftest\b")  # data.conftest.file: a result depends on the file's name, too


@dataclass(frozen=True, slots=True)
class Source:
    """A policy file. `name`: as it is told to people."""

    name: str
    text: str
    module: Module


@dataclass(frozen=True, slots=True)
class Ruleset:
    """What inputs are judged by. `rules`: by the reference of their package, `data.main`.

    steady: whether a result depends on nothing but policies, data and input. asks_for_the_file: whether a
    rule may ask for the name of the file that it judges.
    """

    sources: tuple[Source, ...]
    data: Mapping[str, Any]
    rules: Mapping[str, tuple[str, ...]]
    digest: str  # of policies, data, rules and readers, without the engine
    steady: bool
    asks_for_the_file: bool

    @property
    def names(self) -> tuple[str, ...]:
        """`main.deny` and so on, exceptions left out."""
        return tuple(
            f"{package.removeprefix('data.')}.{rule}"
            for package, rules in sorted(self.rules.items())
            for rule in rules
            if rule != "exception"
        )

    def identity(self, engine: str) -> str:
        """The hash of all that decides a verdict beside the input."""
        return _hash([self.digest, engine])


def load(policies: Sequence[Path], data: Sequence[Path], namespaces: Sequence[str]) -> Ruleset:
    """Read policies and data. `namespaces`: names or patterns (`main.*`), `*` for all.

    Raises BadInput with every problem of every file, each with its place.
    """
    every = tuple(_sources(policies))
    sources = tuple(each for each in every if not _is_test(each))
    rules: dict[str, list[str]] = {}
    for source in sources:
        found = rules.setdefault(source.module.package, [])
        found += [name for name in source.module.rules if counts(name) and name not in found]
    chosen = _chosen(rules, namespaces, policies)
    documents = data_of(data)
    _keep_apart(every, documents)
    texts = [[source.name, source.text] for source in sources]
    digest = _hash([_FORMAT, texts, documents, chosen, reader_versions()])
    return Ruleset(
        sources,
        documents,
        chosen,
        digest,
        steady=not any(_UNSTEADY.search(source.text) for source in sources),
        asks_for_the_file=any(_FILE.search(source.text) for source in sources),
    )


def _keep_apart(sources: Sequence[Source], documents: Mapping[str, Any]) -> None:
    """Data in the place of a rule would be taken for what that rule has found. Raises BadInput."""
    problems = Problems()
    if GATE in documents:
        problems.add(Problem(f"the data has the key '{GATE}', {_OURS}"))
    for source in sources:
        path, place = source.module.path, Location(source.name)
        if path[:1] == (GATE,):
            problems.add(Problem(f"the package {GATE}, {_OURS}", place))
        inside: Any = documents
        for step in path:
            inside = inside.get(step) if isinstance(inside, Mapping) else inside
        taken = set(inside) & set(source.module.rules) if isinstance(inside, Mapping) else set(path[-1:])
        if inside is not None and taken:
            package = namespace_of(source.module.package)
            told = f"the data has '{min(taken)}' in the place of a rule of {package}"
            problems.add(Problem(f"{told}; call it otherwise", place))
    problems.tell()


def sources_of(policies: Sequence[Path]) -> tuple[Source, ...]:
    """Every policy file, tests included. Raises BadInput with every problem."""
    return tuple(_sources(policies))


def _is_test(source: Source) -> bool:
    return source.name.endswith("_test.rego") and not any(map(counts, source.module.rules))


def _sources(policies: Sequence[Path]) -> Iterator[Source]:
    problems = Problems()
    files = [file for named in policies for file in _files(named, (".rego",), "policies")]
    found: list[Source] = []
    for file in dict.fromkeys(files):
        with problems.collected():
            text = _text(file)
            found.append(Source(str(file), text, parsed(str(file), text)))
    problems.tell()
    if not found:
        raise BadInput(
            f"no policies (*.rego) in {', '.join(map(str, policies))}; name others with --policies"
        )
    return iter(found)


def _files(named: Path, endings: tuple[str, ...], what: str) -> Iterator[Path]:
    if named.is_dir():
        yield from sorted(
            file for file in named.rglob("*") if file.suffix.lower() in endings and file.is_file()
        )
    elif named.is_file():
        yield named
    else:
        raise BadInput(f"{named}: no such file or directory of {what}")


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(Problem(f"not text in UTF-8: {error.reason}", Location(str(file)))) from error
    except OSError as error:
        raise BadInput(Problem(f"cannot be read: {error.strerror}", Location(str(file)))) from error


def _chosen(
    rules: Mapping[str, Sequence[str]], namespaces: Sequence[str], policies: Sequence[Path]
) -> dict[str, tuple[str, ...]]:
    """The rules of the packages that are asked for. Raises BadInput when there are none."""
    known = {package.removeprefix("data."): package for package in rules}
    chosen: dict[str, tuple[str, ...]] = {}
    for pattern in namespaces:
        hit = [name for name in known if fnmatchcase(name, pattern)]
        if not hit:
            raise BadInput(
                f"there is no package {pattern} in {', '.join(map(str, policies))}{nearest(pattern, known)}; "
                "for all of them: --all-namespaces"
            )
        chosen |= {known[name]: tuple(sorted(rules[known[name]])) for name in hit}
    with_rules = {package: names for package, names in chosen.items() if set(names) - {"exception"}}
    if not with_rules:
        raise BadInput(
            f"no rule deny, warn or violation in {', '.join(sorted(namespaces))}: nothing would be judged"
        )
    return with_rules


def data_of(named: Sequence[Path]) -> dict[str, Any]:
    """All data files as one document. Raises BadInput."""
    found: dict[str, Any] = {}
    problems = Problems()
    for root in named:
        for file in _files(root, (".yaml", ".yml", ".json"), "data"):
            with problems.collected():
                keys = file.relative_to(root).parts[:-1] if root.is_dir() else ()
                _merge(found, _under(keys, _document(file)), file)
    problems.tell()
    return found


def _document(file: Path) -> Any:
    try:
        parts = parts_of(reader_of(file.name), file.read_bytes())
        for part in parts:
            as_json(part.data)
    except NotReadable as error:
        raise BadInput(Problem(error.why, Location(str(file), error.line, error.column))) from error
    except OSError as error:
        raise BadInput(Problem(f"cannot be read: {error.strerror}", Location(str(file)))) from error
    if len(parts) != 1:
        raise BadInput(Problem("data is one document a file", Location(str(file))))
    return parts[0].data


def _under(keys: Sequence[str], value: Any) -> Any:
    for key in reversed(keys):
        value = {key: value}
    return value


def _merge(into: dict[str, Any], new: Any, file: Path) -> None:
    if not isinstance(new, dict):
        raise BadInput(Problem("data is a mapping of keys to values", Location(str(file))))
    for key, value in new.items():
        if isinstance(into.get(key), dict) and isinstance(value, dict):
            _merge(into[key], value, file)
        elif key in into:
            raise BadInput(Problem(f"the key '{key}' is in another data file as well", Location(str(file))))
        else:
            into[key] = value


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
