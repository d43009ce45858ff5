"""What can be imported: each app declares its targets in `imports.py`."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from django.utils.functional import Promise

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from .mapping import Group, Problem, Row


#: The source of files that this application exported itself.
OWN_SOURCE = "ordermgmt"


_LONGEST_KEY = 100  # every column for keys takes 120, what is put around a key included


def short_key(key: str) -> str:
    """The key, or where it is too long to be stored its beginning with a digest of all of it."""
    if len(key) <= _LONGEST_KEY:
        return key
    return f"{key[: _LONGEST_KEY - 17]}#{hashlib.sha256(key.encode()).hexdigest()[:16]}"


def own_key(stored: str | None, number: str) -> str:
    """What an exported object is called: as it was called when it came from an export, else by its own number."""
    prefix = f"{OWN_SOURCE}:"
    return stored.removeprefix(prefix) if stored and stored.startswith(prefix) else number


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
        return short_key(f"{self.source}:{value}")

    def find(self, rows: "QuerySet[Any]", value: str, **own: Any) -> Any:
        """The row that the source calls `value`; in files that this application wrote itself, else the one with the
        number or name `own`, so that what was exported here is known again here. None where there is neither."""
        found = rows.filter(source_key=self.key(value)).first()
        return found or (rows.filter(**own).first() if self.source == OWN_SOURCE else None)

    def warn(self, row: "Row", column: str, sentence: str) -> None:
        """Says something about a row that was taken all the same."""
        from .mapping import Problem

        self.warnings.append(Problem(row.place, column, sentence))


@dataclass(frozen=True)
class Target:
    """One kind of object that files bring.

    Rows that agree in `key` (names of fields; the first that are mapped) make one object: `save(context, group)` pushes
    it through the screen's own form and the service, and returns what became of it. It raises Refused or
    ValidationError, and then nothing of that object is written. `rows()` gives what is here now, as rows that `save`
    takes: values by field name.
    """

    key: str
    label: str | Promise
    fields: tuple[Field, ...]
    keys: tuple[tuple[str, ...], ...]
    save: "Callable[[Context, Group], Outcome]"
    order: int = 100
    rows: Callable[[], Iterator[dict[str, Any]]] | None = None

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
