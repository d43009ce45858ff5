"""What can be imported: each app declares its targets in `imports.py`."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from django.utils.functional import Promise

if TYPE_CHECKING:
    from .mapping import Group, Problem, Row


class Outcome(StrEnum):
    """What became of one object of the file."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


class Refused(Exception):
    """An object of the file can't be taken; `problems` name rows and columns. Nothing of it is written."""

    def __init__(self, problems: "list[Problem]") -> None:
        self.problems = problems
        super().__init__(" ".join(problem.sentence for problem in problems))


@dataclass(frozen=True)
class Field:
    """One thing a row may say. `kind` is text, number, date or flag; `names` are headers that mean it, any language."""

    name: str
    label: str | Promise
    kind: str = "text"
    required: bool = False
    names: tuple[str, ...] = ()
    help: str | Promise = ""


@dataclass
class Context:
    """What a target's `save` needs to know: who imports, from which source, options, and a place to keep look-ups."""

    source: str
    actor: Any
    options: dict[str, Any] = field(default_factory=dict)
    cache: dict[str, Any] = field(default_factory=dict)
    warnings: "list[Problem]" = field(default_factory=list)

    def key(self, value: str) -> str:
        """A key of the source as it is stored: two sources may use the same one."""
        return f"{self.source}:{value}"

    def warn(self, row: "Row", column: str, sentence: str) -> None:
        """Says something about a row that was taken all the same."""
        from .mapping import Problem

        self.warnings.append(Problem(row.place, column, sentence))


@dataclass(frozen=True)
class Target:
    """One kind of object that files bring.

    Rows that agree in `key` (names of fields; the first that are mapped) make one object: `save(context, group)` pushes
    it through the screen's own form and the service, and returns what became of it. It raises Refused or
    ValidationError, and then nothing of that object is written.
    """

    key: str
    label: str | Promise
    fields: tuple[Field, ...]
    keys: tuple[tuple[str, ...], ...]
    save: "Callable[[Context, Group], Outcome]"
    order: int = 100

    def field(self, name: str) -> Field:
        """Raises KeyError for a field that there is none of."""
        for one in self.fields:
            if one.name == name:
                return one
        raise KeyError(name)

    def key_fields(self, mapped: set[str]) -> tuple[str, ...]:
        """The first key whose fields are all mapped; empty when none is, and then each row stands for itself."""
        return next((key for key in self.keys if set(key) <= mapped), ())


_targets: dict[str, Target] = {}


def register(new: Target) -> Target:
    """Makes a target known; called from an app's `imports.py`, which its AppConfig imports when it is ready."""
    _targets[new.key] = new
    return new


def target(key: str) -> Target:
    """Raises KeyError for a key that nobody registered."""
    return _targets[key]


def targets() -> list[Target]:
    """Every target, in the order in which files are best imported."""
    return sorted(_targets.values(), key=lambda one: (one.order, one.key))
