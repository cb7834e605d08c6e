"""The roles of a target, for steps, probes and checks to be bound to, and all that is wrong with them.

A target is one record, as an experiment is. Of one with mistakes the roles that can be read are bound all the
same, so that an experiment's own mistakes are told together with those of its target.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationError

from seatrial import drivers
from seatrial.drivers import reach
from seatrial.files import Source
from seatrial.model.document import Document, build
from seatrial.model.mistakes import Mistake
from seatrial.model.problems import BadInput, Path, Problem, Problems, Unavailable
from seatrial.model.references import references, substitute
from seatrial.model.role import Role
from seatrial.model.target import RoleBinding, Target, hosts_in


@dataclass(frozen=True, slots=True)
class Roles:
    """A target, as far as it can be read, and the file that it stands in."""

    target: Target
    source: Source

    @classmethod
    def of(cls, source: Source, confirm: str, problems: Problems) -> Roles:
        """Read a target; whatever is wrong with it goes to `problems`."""
        document = source.document
        target: Target | None = None
        with problems.collected():
            target = build(Target, document)
        if target is not None:
            problems.add(*_unconfirmed(target, document, confirm), *_not_allowed(target, document))
        problems.add(*_unset_variables(document), *_mistyped_roles(document))
        return cls(target or _readable(document), source)

    def named(self, name: str) -> Role:
        """The role of that name. Raises BadInput when there is none."""
        return Role.of(self.target, name, self.source.path.parent)

    def absent(self, name: str) -> str:
        """What the target says itself that it has not got here, and why; empty when it has."""
        binding = self.target.roles.get(name)
        return binding.lacking if binding is not None else ""

    def whole(self) -> Role:
        """The target itself, as a role by HTTP."""
        directory = str(self.source.path.parent)
        return Role("target", "http", {"url": self.target.base_url}, self.target.allow, directory)

    def bound_to(self, driver: str) -> tuple[Role, ...]:
        """All roles of a driver."""
        return tuple(
            self.named(name) for name, binding in self.target.roles.items() if binding.driver == driver
        )

    def known(self, role: Role) -> bool:
        """Whether everything in the role's binding can be resolved and typed by now."""
        unset = references(dict(role.parameters)) - os.environ.keys()
        return not (unset or self.absent(role.name) or drivers.problems_in(role.driver, role.parameters))

    def placed(self, problem: Problem) -> Problem:
        """A problem of this target's, with its place."""
        return self.source.document.placed(problem)

    def not_allowed(self, role: Role) -> Iterator[Problem]:
        """Addresses of a role that is needed which may not be touched. A secret is not quoted."""
        record = drivers.find(role.driver)
        if record is None or not self.known(role):
            return
        try:
            bound = role.bound_to(record)
        except (BadInput, Unavailable):
            return  # which is told already
        for path, address in bound.addresses():
            host = _host(address)
            if host and not reach.allows(self.target.allow_list, host):
                shown = "its host" if references(_at(role.parameters, path)) else f"the host {host}"
                allow, then = self.target.allow_list, "; it may not be touched"
                told = Mistake.NOT_ALLOWED(host=shown, allow=allow, then=then)
                yield self.placed(role.problem(path, told))


def _readable(document: Document) -> Target:
    """The roles of a broken target, so that experiments can be checked against them."""
    written = document.at(("roles",))
    roles = {}
    for name, binding in (written if isinstance(written, dict) else {}).items():
        try:
            roles[name] = RoleBinding.model_validate(binding)
        except ValidationError:
            continue
    return Target.model_construct(target=str(document.at(("target",)) or "…"), base_url="", roles=roles)


def _mistyped_roles(document: Document) -> Iterator[Problem]:
    """Everything in any role of the file that its driver would not understand."""
    written = document.at(("roles",))
    for name, binding in (written if isinstance(written, dict) else {}).items():
        if not isinstance(binding, dict) or not isinstance(binding.get("driver"), str):
            continue  # which is told already
        if binding.get("lacking"):
            continue  # it is not there, so nobody knows its addresses either
        parameters = {key: value for key, value in binding.items() if key not in ("driver", "lacking")}
        for problem in drivers.problems_in(binding["driver"], parameters):
            yield document.placed(problem.under(("roles", name)))


def _unset_variables(document: Document) -> Iterator[Problem]:
    """Each variable that is referenced and not set, at the first place that needs it."""
    told: set[str] = set()
    for path, text in _texts(document.data, ()):
        for name in sorted(references(text) - os.environ.keys() - told):
            told.add(name)
            yield document.problem(path, Mistake.UNSET_VARIABLE(name=name))


def _texts(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, child in value.items():
            yield from _texts(child, (*path, key))
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _texts(child, (*path, index))


def _not_allowed(target: Target, document: Document) -> Iterator[Problem]:
    """URLs that would lead the load to hosts that it may not touch. A secret is not quoted.

    A name that is not listed is resolved: what counts is the address.
    """
    told: list[tuple[Path, str]] = [(("base_url",), target.base_url)]
    if target.version is not None:
        told.append((("version", "url"), target.version.url))
    told += [(("variables", name), written) for name, written in target.variables.items()]
    for path, written in told:
        if references(written) - os.environ.keys():
            continue  # which is told already
        for host in hosts_in(substitute(written, dict(os.environ))):
            if not reach.allows(target.allow_list, host):
                whose = f"the host {host}" if host and not references(written) else "the host of its URL"
                then = "; load may not touch it"
                yield document.problem(
                    path, Mistake.NOT_ALLOWED(host=whose, allow=target.allow_list, then=then)
                )


def _unconfirmed(target: Target, document: Document, confirm: str) -> Iterator[Problem]:
    if target.environment == "production" and confirm != target.target:
        yield document.problem(("environment",), Mistake.NOT_CONFIRMED(target=target.target))


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def _at(parameters: Mapping[str, Any], path: Path) -> Any:
    value: Any = parameters
    for part in path:
        value = value[part] if isinstance(value, dict) and part in value else value
    return value if isinstance(value, str) else None
