"""What must always hold, as checks over the stored rows. `manage.py check_invariants` prints whatever breaks one.

Each app puts its own into `<app>/services/invariants.py`:

    @invariant("S3", "no stock item is below zero")
    def _negative_stock() -> Iterable[object]:
        return StockItem.objects.filter(on_hand__lt=0)

A check gives the offending rows (a queryset, rows of SQL, sentences): none when all is well. It reads only.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from django.utils.module_loading import autodiscover_modules

Check = Callable[[], Iterable[object]]


@dataclass(frozen=True)
class Invariant:
    """One thing that must hold: `code` as in the documentation ("S1"), `sentence` what holds, `find` its offenders."""

    code: str
    sentence: str
    find: Check


@dataclass(frozen=True)
class Violation:
    """One offending row."""

    invariant: Invariant
    row: object

    def __str__(self) -> str:
        return f"{self.invariant.code} ({self.invariant.sentence}): {self.row!r}"


_registered: dict[tuple[str, str], Invariant] = {}


def invariant(code: str, sentence: str) -> Callable[[Check], Check]:
    """Registers the decorated function as the check of one invariant; several may share a code."""

    def wrap(find: Check) -> Check:
        _registered[code, sentence] = Invariant(code, sentence, find)
        return find

    return wrap


def all_invariants() -> list[Invariant]:
    """Every check of every app, by code."""
    autodiscover_modules("services.invariants")
    return [_registered[key] for key in sorted(_registered)]


def violations(codes: Iterable[str] = ()) -> Iterator[Violation]:
    """The offending rows of all invariants, or of those whose code or the code's letter is among `codes`."""
    wanted = set(codes)
    for one in all_invariants():
        if not wanted or one.code in wanted or one.code[:1] in wanted:
            for row in one.find():
                yield Violation(one, row)
