"""Keeping a question with a name, and being sent its answer."""

import datetime as dt
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from ordermgmt.accounts.models import User
from ordermgmt.activity.services import record
from ordermgmt.activity.services.jobs import enqueue
from ordermgmt.company.services import business_today
from reports import events
from reports.models import SavedReport, Subscription

from .definitions import report_by_key
from .exporting import export
from .full_export import WHOLE, whole_file
from .rights import has_rights
from .running import Progress, compute_report

MAIL_JOB = "reports.mail"


@transaction.atomic
def save_report(*, key: str, params: dict[str, Any], name: str, is_shared: bool = False, actor: User) -> SavedReport:
    """Keeps a report's filters under a name; the same name again keeps the new filters.

    Raises PermissionDenied without the right to the report, ValidationError without a name.
    """
    if not report_by_key(key).may_run(actor):
        raise PermissionDenied
    if not name.strip():
        raise ValidationError(_("Give it a name."))
    values = {"key": key, "params": params, "is_shared": is_shared}
    saved, _made = SavedReport.objects.update_or_create(owner=actor, name=name.strip(), defaults=values)
    record(events.REPORT_SAVED, saved, actor=actor, title=saved.name)
    return saved


@transaction.atomic
def delete_saved(saved: SavedReport, *, actor: User) -> None:
    """Forgets a saved report and who is sent it. Raises PermissionDenied for somebody else's."""
    if saved.owner_id != actor.pk:
        raise PermissionDenied
    record(events.SAVED_DELETED, saved, actor=actor, title=saved.name)
    saved.delete()


@transaction.atomic
def subscribe(saved: SavedReport, *, every: str, file_format: str, actor: User) -> Subscription:
    """Sends the person the report from the next day of the rhythm on; again changes rhythm and file.

    Raises PermissionDenied for a private report of somebody else, or without the right to the report.
    """
    if not SavedReport.objects.visible_to(actor).filter(pk=saved.pk).exists():
        raise PermissionDenied
    if not report_by_key(saved.key).may_run(actor):
        raise PermissionDenied
    found = Subscription(saved=saved, person=actor, every=every, file_format=file_format)
    found.next_on = found.day_after(business_today())
    found.clean_fields()
    values = {"every": every, "file_format": file_format, "next_on": found.next_on}
    kept, _made = Subscription.objects.update_or_create(saved=saved, person=actor, defaults=values)
    record(events.REPORT_SUBSCRIBED, saved, actor=actor, title=saved.name)
    return kept


@transaction.atomic
def unsubscribe(saved: SavedReport, *, actor: User) -> None:
    """Ends the mails to this person; a second time changes nothing."""
    ended, _rows = Subscription.objects.filter(saved=saved, person=actor).delete()
    if ended:
        record(events.REPORT_UNSUBSCRIBED, saved, actor=actor, title=saved.name)


def send_due(today: dt.date | None = None) -> int:
    """Asks the worker for the mails that are due; how many. Each day of a subscription is asked for once."""
    today = today or business_today()
    asked = 0
    for found in Subscription.objects.filter(next_on__lte=today).select_related("person", "saved"):
        with transaction.atomic():
            day = found.next_on
            moved = Subscription.objects.filter(pk=found.pk, next_on=day).update(next_on=found.day_after(today))
            if moved:
                params = {"subscription": found.pk, "day": day.isoformat()}
                key = f"report-mail:{found.pk}:{day}"
                enqueue(MAIL_JOB, key=key, params=params, actor=found.person, title=found.saved.name, announce=False)
                asked += 1
    return asked


def still_entitled(found: Subscription, rights: list[str] | None = None) -> User:
    """The reader of a subscription, as they are now, if they may be sent it (made with `rights`). Else PermissionDenied.

    Asked before the file is made and again before it is sent: what was taken away meanwhile counts.
    """
    person = User.objects.select_related("team").get(pk=found.person_id)
    shown = SavedReport.objects.visible_to(person).filter(pk=found.saved_id).exists()
    if not (person.is_active and shown and has_rights(person, rights or ())):
        raise PermissionDenied
    return person


def subscribed_file(found: Subscription, *, progress: Progress) -> tuple[bytes, list[str]]:
    """The file of a subscription with every row its reader may see now (paper: the first), and the rights it took.

    In the active language. Raises PermissionDenied, and KeyError or ValueError for a report or filters gone wrong.
    """
    person, saved, ending = still_entitled(found), found.saved, found.file_format
    if ending not in WHOLE:
        result = compute_report(saved.key, saved.params, user=person, progress=progress)
        return export(result, ending, language=person.language), result["rights"]
    asked = {"user": person, "file_format": ending, "progress": progress}
    with whole_file(saved.key, saved.params, **asked) as (made, rights):
        return made.read_bytes(), rights
