"""The import engine: rows go through their target one object at a time, and each says what became of it."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from ordermgmt.activity.services import origin
from ordermgmt.lib.fsm import TransitionRefused
from ordermgmt.lib.importing import Context, Group, Outcome, Problem, Refused, Row, Target, group_rows

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

ALL_OR_NOTHING, SKIP = "all", "skip"
_BATCH = 200
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Step:
    """Rows for one target; `keys` are the fields that make up the source's own key."""

    target: Target
    rows: Sequence[Row]
    keys: tuple[str, ...]


@dataclass
class StepReport:
    """What became of the objects of one step."""

    target: str
    label: str
    counts: Counter[str] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """For the run's record and for `--format json`."""
        return {
            "target": self.target,
            **{outcome.value: self.counts[outcome] for outcome in Outcome},
            "problems": [vars(problem) for problem in self.problems],
            "warnings": [vars(problem) for problem in self.warnings],
        }


@dataclass
class Report:
    """What became of an import. `written` is false after a dry run, and when all-or-nothing came to nothing."""

    mode: str
    dry_run: bool
    written: bool = False
    steps: list[StepReport] = field(default_factory=list)

    @property
    def refused(self) -> int:
        """Objects that were refused, over all steps."""
        return sum(step.counts[Outcome.REFUSED] for step in self.steps)

    def as_json(self) -> dict[str, Any]:
        """For the run's record and for `--format json`."""
        steps = [step.as_json() for step in self.steps]
        return {"mode": self.mode, "dry_run": self.dry_run, "written": self.written, "steps": steps}


class _Undo(Exception):
    """Rolls an import back whose report is kept."""


def _silent(_done: int, _total: int, _note: str) -> None:
    """Nobody watches."""


@contextmanager
def as_import() -> Iterator[None]:
    """What is recorded inside came from an import; verbs let the right to import stand for their own."""
    token = origin.set(replace(origin.get(), source="import"))
    try:
        yield
    finally:
        origin.reset(token)


def run_import(
    steps: Sequence[Step],
    *,
    source: str,
    actor: "User",
    mode: str = SKIP,
    dry_run: bool = False,
    options: dict[str, Any] | None = None,
    progress: Progress = _silent,
) -> Report:
    """Pushes every object of every step through its target.

    `source` names the system the keys belong to: the same file of the same source again changes nothing. With
    `mode` "all" one refused object undoes everything; with "skip" the others are written, in batches. A dry run writes
    nothing. Raises PermissionDenied without the right to import; what `progress` raises ends the run, and of the
    batch it was in nothing is kept.
    """
    if not actor.has_perm("documents.import_data"):
        raise PermissionDenied("documents.import_data")
    report = Report(mode, dry_run)
    context = Context(source, actor, options or {})
    with as_import():
        if mode == SKIP and not dry_run:
            _take_all(steps, context, report, progress, whole=False)
            report.written = True
            return report
        try:
            with transaction.atomic():
                _take_all(steps, context, report, progress, whole=True)
                if dry_run or report.refused:
                    raise _Undo
        except _Undo:
            return report
    report.written = True
    return report


def _take_all(steps: Sequence[Step], context: Context, report: Report, progress: Progress, *, whole: bool) -> None:
    """All steps; in batches of their own transaction unless the caller holds one around the `whole`."""
    grouped = [(step, group_rows(step.rows, step.keys)) for step in steps]
    total, done = sum(len(groups) for _step, groups in grouped), 0
    for step, groups in grouped:
        found = StepReport(step.target.key, str(step.target.label))
        report.steps.append(found)
        for start in range(0, len(groups), _BATCH):
            progress(done, total, found.label)
            batch = groups[start : start + _BATCH]
            with transaction.atomic(savepoint=not whole):
                for group in batch:
                    _take(step.target, context, group, found)
            done += len(batch)
    progress(done, total, "")


def _take(target: Target, context: Context, group: Group, found: StepReport) -> None:
    """One object: written wholly, or refused with what is wrong, row by row."""
    problems = [problem for row in group.rows for problem in row.problems]
    warned = len(context.warnings)
    outcome = Outcome.REFUSED
    if not problems:
        try:
            with transaction.atomic():
                outcome = target.save(context, group)
        except _REFUSALS as error:
            problems = _problems(group, error)
    found.counts[outcome] += 1
    found.problems += problems
    if not problems:
        found.warnings += context.warnings[warned:]
    del context.warnings[warned:]


_REFUSALS = (Refused, ValidationError, TransitionRefused, ObjectDoesNotExist, PermissionDenied, IntegrityError)


def _problems(group: Group, error: Exception) -> list[Problem]:
    """What a form, a verb or the database refused, at the columns it came from."""
    row = group.first
    if isinstance(error, Refused):
        return error.problems
    if isinstance(error, ValidationError) and hasattr(error, "error_dict"):
        named = error.message_dict.items()
        return [row.problem("" if name == "__all__" else name, text) for name, texts in named for text in texts]
    return [Problem(row.place, "", text) for text in _sentences(error)]


def _sentences(error: Exception) -> list[str]:
    if isinstance(error, ValidationError):
        return error.messages
    if isinstance(error, TransitionRefused):
        return [str(one.sentence) for one in error.blockers]
    if isinstance(error, PermissionDenied):
        return [_("You may not write this.")]
    if isinstance(error, IntegrityError):
        return [_("The database refuses this row: it contradicts another one.")]
    return [str(error)]
