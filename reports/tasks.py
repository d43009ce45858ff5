"""Background work of reports."""

from typing import Any

from celery import shared_task
from django.core.exceptions import PermissionDenied
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ordermgmt.activity.services import send_mail_effect
from ordermgmt.activity.services.jobs import Progress, Rejected, job_handler
from reports.models import ReportRun, SavedReport, Subscription
from reports.services import (
    EXPORT_JOB,
    FORMATS,
    MAIL_JOB,
    compute_report,
    export,
    fill_export,
    fill_run,
    send_due,
)


@job_handler("reports.run", queue="reports")
def run_report(job: Any, progress: Progress) -> dict[str, Any]:
    """Computes one asked-for report, with the rights that its reader has now."""
    run = ReportRun.objects.select_related("requested_by").get(pk=job.params["run"])
    try:
        run = fill_run(run, progress=progress)
    except (PermissionDenied, KeyError) as error:
        raise Rejected(_("You may no longer read this report; it was not made.")) from error
    return {"url": f"/reports/runs/{run.public_id}/"}


@job_handler(EXPORT_JOB, queue="reports", label=gettext_lazy("Report as a file with every row"))
def export_report(job: Any, progress: Progress) -> dict[str, Any]:
    """Makes the file with every row. It is not the job's own file: its page asks for the rights at each download."""
    run = ReportRun.objects.select_related("requested_by").get(pk=job.params["run"])
    try:
        stored, rights = fill_export(run, job.params["format"], progress=progress)
    except (PermissionDenied, KeyError) as error:
        raise Rejected(_("You may no longer read this report; it was not made.")) from error
    return {"url": f"/reports/files/{job.public_id}/", "stored": str(stored.public_id), "rights": rights}


@job_handler(MAIL_JOB, queue="reports", label=gettext_lazy("Report by mail"))
def mail_report(job: Any, progress: Progress) -> dict[str, Any]:
    """Makes a subscribed report with the rights of its reader now, and sends it.

    Nothing is sent to whoever ended the subscription, lost the right, or no longer sees the saved report.
    """
    found = Subscription.objects.select_related("saved", "person").filter(pk=job.params["subscription"]).first()
    if found is None:
        return {}
    person, saved, ending = found.person, found.saved, found.file_format
    shown = person.is_active and SavedReport.objects.visible_to(person).filter(pk=saved.pk).exists()
    with translation.override(person.language):
        try:
            if not shown:
                raise PermissionDenied
            result = compute_report(saved.key, saved.params, user=person, progress=progress)
        except (PermissionDenied, KeyError, ValueError) as error:
            raise Rejected(_("You may no longer read this report; it was not made.")) from error
        content = export(result, ending, language=person.language)
    send_mail_effect(
        key=job.key, to=person.email, language=person.language, template="reports/report",
        context={"saved": saved, "reader": person, "title": result["title"], "day": job.params["day"]},
        attachments=[(f"{saved.key}-{job.params['day']}.{ending}", content, FORMATS[ending])],
    )  # fmt: skip
    return {"url": "/reports/"}


@shared_task(name="reports.subscriptions")
def subscriptions() -> None:
    """Every quarter of an hour: asks for the reports that people are to be sent."""
    send_due()
