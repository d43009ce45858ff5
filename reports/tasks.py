"""Background work of reports."""

import datetime as dt
from typing import Any

from celery import shared_task
from django.core.exceptions import PermissionDenied
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.events import CHARGE_ACCEPTED, RATE_SET
from changes.events import CHANGE_APPLIED
from fulfilment.events import (
    COST_RATE_SET,
    HOURS_BOOKED,
    PRODUCED,
    PRODUCTION_TAKEN_BACK,
    RECTIFICATION_DONE,
    RISK_HAPPENED,
    RISK_SOLVED,
    SENT_AGAIN,
)
from fulfilment.models import WorkedHours
from inventory.events import PRODUCT_EDITED
from ordermgmt.activity.services import send_mail_effect, subscriber
from ordermgmt.activity.services.jobs import Progress, Rejected, job_handler
from orders.events import (
    ORDER_ACCEPTED,
    ORDER_AMENDED,
    ORDER_CANCELLED,
    ORDER_EXTENDED,
    ORDER_FINISHED,
    ORDER_IMPORTED,
    ORDER_PLACED,
    ORDER_REDELIVERED,
    ORDER_REJECTED,
)
from orders.models import Order
from reports.models import ReportRun, Subscription
from reports.services import (
    DASHBOARD_JOB,
    EXPORT_JOB,
    FORMATS,
    MAIL_JOB,
    check_sums,
    days_of_products,
    days_of_rate,
    fill_export,
    fill_figures,
    fill_run,
    mark_days,
    refresh_figures,
    refresh_sums,
    report_by_key,
    send_due,
    still_entitled,
    subscribed_file,
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
    saved, ending = found.saved, found.file_format
    with translation.override(found.person.language):
        try:
            content, rights = subscribed_file(found, progress=progress)
            reader = still_entitled(found, rights)
        except (PermissionDenied, KeyError, ValueError) as error:
            raise Rejected(_("You may no longer read this report; it was not made.")) from error
    title = str(report_by_key(saved.key).title)
    send_mail_effect(
        key=job.key, to=reader.email, language=reader.language, template="reports/report",
        context={"saved": saved, "reader": reader, "title": title, "day": job.params["day"]},
        attachments=[(f"{saved.key}-{job.params['day']}.{ending}", content, FORMATS[ending])],
    )  # fmt: skip
    return {"url": "/reports/"}


@job_handler(DASHBOARD_JOB, queue="reports", announce=False, label=gettext_lazy("Dashboard"))
def make_dashboard(job: Any, progress: Progress) -> dict[str, Any]:
    """Makes the figures of a dashboard that somebody waits for."""
    fill_figures(job.params["row"], progress=progress)
    return {"url": "/reports/dashboard/"}


@shared_task(name="reports.dashboards")
def refresh_dashboards() -> None:
    """Every quarter of an hour: makes the figures of dashboards anew."""
    refresh_figures()


@shared_task(name="reports.subscriptions")
def subscriptions() -> None:
    """Every quarter of an hour: asks for the reports that people are to be sent."""
    send_due()


@subscriber(
    ORDER_PLACED, ORDER_AMENDED, ORDER_CANCELLED, ORDER_IMPORTED, ORDER_FINISHED, ORDER_REJECTED, ORDER_REDELIVERED,
    ORDER_EXTENDED, ORDER_ACCEPTED, CHANGE_APPLIED, RECTIFICATION_DONE, SENT_AGAIN, RISK_HAPPENED, RISK_SOLVED, PRODUCED,
    PRODUCTION_TAKEN_BACK, HOURS_BOOKED, CHARGE_ACCEPTED,
)  # fmt: skip
def mark_order_day(event: Any) -> None:
    """The sums of an order's date follow its documents, those of its former date too; told twice it changes nothing."""
    order = event.root if isinstance(event.root, Order) else getattr(event.subject, "order", None)
    if isinstance(order, Order):
        before = (event.before or {}).get("order_date")
        mark_days({order.order_date} | ({dt.date.fromisoformat(before)} if before else set()))


@subscriber(PRODUCT_EDITED)
def mark_product_days(event: Any) -> None:
    """A product that moved to another category moves in the sums of all its days."""
    if event.subject is not None and "category" in (event.after or {}):
        mark_days(days_of_products([event.subject]))


@subscriber(COST_RATE_SET, RATE_SET)
def mark_hours_days(event: Any) -> None:
    """Somebody's rate is in the sums of the orders they worked for, a currency's in those whose cost it converts."""
    if event.subject is None:
        return
    if event.type == RATE_SET.name:
        mark_days(days_of_rate(event.subject.currency))
        return
    worked = WorkedHours.objects.filter(staff=event.root_id).order_by()
    mark_days(worked.values_list("order__order_date", flat=True).distinct())


@shared_task(name="reports.sums")
def sums() -> None:
    """Every minute: makes the sums of days anew whose documents changed."""
    refresh_sums()


@shared_task(name="reports.check_sums")
def compare_sums() -> None:
    """Every night: compares the sums with the documents, and makes anew what differs."""
    check_sums()
    refresh_sums()
