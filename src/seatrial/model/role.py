"""A role of a target, as everybody who acts on it or asks it sees it: its driver, its binding, its bounds."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from seatrial.model.allow import AllowList
from seatrial.model.document import problems_of
from seatrial.model.mistakes import Mistake
from seatrial.model.problems import BadInput, Problem, Unavailable
from seatrial.model.problems import Path as KeyPath
from seatrial.model.references import references, resolve

if TYPE_CHECKING:
    from seatrial.model.target import Target

Record = TypeVar("Record", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Role:
    """A role as a target binds it, and where it may reach. Parameters are as written: unresolved."""

    name: str
    driver: str
    parameters: Mapping[str, Any]
    allow: tuple[str, ...]  # hosts and networks that may be touched
    directory: str  # relative paths in `parameters` start here

    @classmethod
    def of(cls, target: Target, name: str, directory: Path) -> Role:
        """The role `name` of `target`, whose file stands in `directory`. Raises BadInput when it has none."""
        binding = target.roles.get(name)
        if binding is None:
            has = ", ".join(sorted(target.roles)) or "none"
            raise BadInput(Mistake.NO_ROLE(target=target.target, role=name, has=has))
        return cls(name, binding.driver, binding.parameters, target.allow, str(directory.resolve()))

    def resolved(self, value: Any) -> Any:
        """`value` with its `${NAME}` references filled in. Raises Unavailable when a variable is not set."""
        missing = sorted(references(value) - os.environ.keys())
        if missing:
            raise Unavailable(f"{self.name}: set the environment variable {' and '.join(missing)} and retry")
        return resolve(value, os.environ)

    def bound_to(self, record: type[Record]) -> Record:
        """The driver's parameters, resolved and typed. Raises BadInput with what is wrong with them."""
        return self._typed(record, self.resolved(dict(self.parameters)))

    def as_written(self, record: type[Record]) -> Record:
        """The same, with the references in place: for what is shown or recorded.

        A reference to what is no text (`within: ${PATIENCE}`) has no type of its own, and is left out.
        """
        written = dict(self.parameters)
        try:
            return record.model_validate(written, strict=False)
        except ValidationError as error:
            wrong = {detail["loc"][0] for detail in error.errors() if detail["loc"]}
            untyped = {key for key in wrong if references(written.get(str(key)))}
            return self._typed(record, {key: written[key] for key in written.keys() - untyped})

    def _typed(self, record: type[Record], parameters: dict[str, Any]) -> Record:
        try:
            return record.model_validate(parameters, strict=False)
        except ValidationError as error:
            raise BadInput([self._in_target(problem) for problem in problems_of(error, record)]) from error

    def require_variables(self, parameters: BaseModel) -> None:
        """Raise BadInput when a fault's parameters refer to an environment variable that is not set."""
        missing = references(parameters.model_dump(mode="json", by_alias=True)) - os.environ.keys()
        if missing:
            raise BadInput(
                [Problem(Mistake.UNSET_VARIABLE(name=name), path=("with",)) for name in sorted(missing)]
            )

    def problem(self, path: KeyPath, message: str) -> Problem:
        """`message` about the value at `path` of this role's binding in its target file."""
        return self._in_target(Problem(message, path=path))

    def _in_target(self, problem: Problem) -> Problem:
        return problem.under(("roles", self.name))

    def path(self, written: str) -> Path:
        """A path of the target file, from where that file stands."""
        return Path(self.directory, written)

    @property
    def allow_list(self) -> AllowList:
        """The hosts that may be touched; a connection is judged by the address that it goes to."""
        return AllowList.of(self.allow)
