"""The figures of dashboards: made by the worker, kept per scope, made anew every quarter of an hour."""

import datetime as dt
import logging
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone, translation

from ordermgmt.accounts.models import User
from ordermgmt.activity.models import Job
from ordermgmt.activity.services.jobs import enqueue
from ordermgmt.company.services import business_today
from reports.models import DashboardFigures

from .asking import digest_of
from .dashboards import DASHBOARDS, Dashboard, Tile, dashboards_for, months_until
from .rights import scope_of
from .running import Progress, checked_params, quiet, section_of

if TYPE_CHECKING:
    from .definitions import Report, Section

log = logging.getLogger(__name__)

DASHBOARD_JOB = "reports.dashboard"
#: Figures older than this are made anew by the schedule; a claim of a killed worker ends after so many seconds.
_AGE = dt.timedelta(minutes=14)
_CLAIM_SECONDS = 600


def _scope(board: Dashboard, user: User, language: str) -> str:
    """Everything that decides what the reader sees of it, rights included: another right, other figures."""
    return digest_of(board.key, scope_of(user), sorted(user.permissions), language)


def figures_for(board: Dashboard, user: User, language: str) -> DashboardFigures | None:
    """The kept figures that this reader may see now; None where none were asked for yet."""
    return DashboardFigures.objects.filter(dashboard=board.key, scope=_scope(board, user, language)).first()


@transaction.atomic
def ask_figures(board: Dashboard, *, actor: User) -> Job:
    """Asks the worker for the figures now; asked again before they are made, the same job is returned."""
    language = translation.get_language() or "en"
    values = {"language": language, "reader": actor}
    row, _made = DashboardFigures.objects.get_or_create(
        dashboard=board.key, scope=_scope(board, actor, language), defaults=values
    )
    return enqueue(DASHBOARD_JOB, key=row.job_key, params={"row": row.pk}, actor=actor, announce=False)


def fill_figures(pk: int, *, progress: Progress = quiet) -> bool:
    """Makes the figures of a row with the rights its reader has now; False where another worker is at it.

    A row whose reader no longer sees what it is for is dropped: its next reader asks anew.
    """
    if not DashboardFigures.objects.claim(pk, seconds=_CLAIM_SECONDS):
        return False
    try:
        row = DashboardFigures.objects.get(pk=pk)
        reader = User.objects.select_related("team").get(pk=row.reader_id)
        board = next((one for one in DASHBOARDS if one.key == row.dashboard), None)
        if board is None or board not in dashboards_for(reader) or row.scope != _scope(board, reader, row.language):
            row.delete()
            return True
        at = timezone.now()
        with translation.override(row.language):
            data = {"tiles": _tiles(board, reader, progress)}
        DashboardFigures.objects.filter(pk=pk).update(data=data, made_at=at)
    finally:
        DashboardFigures.objects.filter(pk=pk).update(claimed_until=None)
    return True


def refresh_figures() -> int:
    """Makes old figures of people who work these days anew; how many. The rows of others wait until they are asked."""
    due = DashboardFigures.objects.stale(timezone.now() - _AGE).order_by("made_at")
    made = 0
    for pk in list(due.values_list("pk", flat=True)):
        try:
            made += fill_figures(pk)
        except Exception:
            log.exception("the dashboard figures %s could not be made", pk)  # the others are made all the same
    return made


def _tiles(board: Dashboard, user: User, progress: Progress) -> list[dict[str, Any]]:
    found = [(tile, parts) for tile in board.tiles if (parts := tile.parts(user))]
    tiles = []
    for done, (tile, (report, section)) in enumerate(found):

        def step(done: int = done, note: str = str(section.title)) -> None:
            progress(done, len(found), note)

        step()
        tiles.append(_tile(tile, report, section, user, step))
    progress(len(found), len(found), "")
    return tiles


def _tile(tile: Tile, report: "Report", section: "Section", user: User, step: Any) -> dict[str, Any]:
    raw = tile.params(business_today())
    most = tile.most if tile.kind == "table" else 200
    made = section_of(report.key, section, user, checked_params(report, raw).cleaned_data, step, most)
    if tile.columns:
        seen = {one["key"]: one for one in made["columns"]}
        made["columns"] = [seen[key] for key in tile.columns if key in seen]
    made |= {
        "kind": tile.kind, "report": report.key, "report_title": str(report.title), "raw": raw, "key": section.key,
        "title": str(tile.title or section.title), "value": tile.value,
    }  # fmt: skip
    if tile.below_zero:
        lost = [row for row in made["rows"] if Decimal(row[tile.value] or 0) < 0]
        # They come first: where one row is not below zero, none of those left out is.
        made |= {"rows": lost, "more": made["more"] if len(lost) == len(made["rows"]) else 0}
    if tile.kind == "figure":
        kind = next(one["kind"] for one in made["columns"] if one["key"] == tile.value)
        made |= {"figures": _figures(made, tile.value), "value_kind": kind}
    return made


def _figures(section: dict[str, Any], value: str) -> list[dict[str, Any]]:
    """Per currency: this month, the month before, and the line; a month without documents is nothing, not missing."""
    months = months_until()
    rows = {(row.get("currency", ""), row[section["label_key"]]): row for row in section["rows"]}
    found = []
    for currency in sorted({currency for currency, _month in rows}) or [""]:
        line = [Decimal(rows.get((currency, month), {}).get(value) or 0) for month in months]
        before, now = line[-2:]
        found.append(
            {
                "currency": currency, "now": str(now), "before": str(before), "line": [str(one) for one in line],
                "change": str(((now - before) * 100 / abs(before)).quantize(Decimal("0.1"))) if before else "",
                "link": rows.get((currency, months[-1]), {}).get("link", ""),
            }
        )  # fmt: skip
    return found
