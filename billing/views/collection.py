"""Collection: reminders from proposal to letter, their levels, and notes about late documents."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from billing import services
from billing.actions import NOTE_ACTIONS, REMINDER_ACTIONS
from billing.filters import CollectionNoteFilter, ReminderFilter
from billing.forms import LevelForm
from billing.models import CollectionNote, Invoice, Reminder
from billing.pdf import reminder_context, reminder_pdf
from ordermgmt.company.services import business_today, default_seller
from ordermgmt.documents.services import read_file
from ordermgmt.lib.actionviews import ActionView
from ordermgmt.lib.http import Request
from ordermgmt.lib.pdf import PdfUnavailable
from ordermgmt.lib.tables import Column, ListView

_MOST_LEVELS = 4


class ReminderList(ListView):
    """Reminders, those that wait for release by a filter of their own."""

    key = "reminders"
    title = gettext_lazy("Reminders")
    permission = "billing.view_payment"
    filterset_class = ReminderFilter
    default_sort = "-id"
    actions = REMINDER_ACTIONS
    template = "billing/reminders.html"
    empty_text = gettext_lazy("No reminder matches. Each night proposes what is late.")
    columns = [
        Column("customer", gettext_lazy("Customer"), path="customer.name", link=lambda row: row.get_absolute_url()),
        Column("level", gettext_lazy("Level"), kind="count"),
        Column("total", gettext_lazy("Open and late"), kind="amount"),
        Column("fee", gettext_lazy("Fee"), kind="amount"),
        Column("state", gettext_lazy("State"), kind="badge"),
        Column("proposed_on", gettext_lazy("Proposed on"), kind="date"),
        Column("proposed_by", gettext_lazy("Proposed by"), path="proposed_by.name"),
        Column("decided_by", gettext_lazy("Decided by"), path="decided_by.name", nullable=True),
        Column("sent_at", gettext_lazy("Sent"), kind="datetime", nullable=True),
        Column("reason", gettext_lazy("Reason"), default=False),
    ]

    def queryset(self) -> models.QuerySet[Any]:
        rows = Reminder.objects.visible_to(self.request.user)
        return rows.select_related("customer", "proposed_by", "decided_by")


@require_POST
@permission_required("billing.propose_reminders", raise_exception=True)
def propose(request: Request) -> HttpResponse:
    """Proposes now what the night would propose; somebody else releases it."""
    count = services.propose_reminders(actor=request.user)
    text = ngettext("%(count)s reminder is proposed.", "%(count)s reminders are proposed.", count) % {"count": count}
    messages.success(request, text)
    return redirect("/billing/reminders/?state=proposed")


def _find(request: Request, pk: int) -> Reminder:
    rows = Reminder.objects.visible_to(request.user).select_related(
        "customer", "proposed_by", "decided_by", "pdf", "fee_note"
    )
    return get_object_or_404(rows, pk=pk)


@require_safe
@permission_required("billing.view_payment", raise_exception=True)
def reminder(request: Request, pk: int) -> HttpResponse:
    """One reminder as the customer gets it, in their language."""
    one = _find(request, pk)
    context = reminder_context(one)
    context |= {
        "actions": REMINDER_ACTIONS.offered(one, request.user), "reader": translation.get_language(),
        "back": request.path,
    }  # fmt: skip
    return render(request, "billing/reminder.html", context)


@require_safe
@permission_required("billing.view_payment", raise_exception=True)
def letter(request: Request, pk: int) -> HttpResponse:
    """The PDF: the kept one, or of a proposal what it would be."""
    one = _find(request, pk)
    try:
        content = read_file(one.pdf) if one.pdf else reminder_pdf(one)
    except PdfUnavailable as error:
        messages.error(request, str(error))
        return redirect(one)
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="reminder-{one.customer.number}-{one.pk}.pdf"'
    response["Content-Security-Policy"] = "sandbox"
    return response


class ReminderAction(ActionView):
    """The verbs on a reminder."""

    actions = REMINDER_ACTIONS
    lookup = "pk"

    def queryset(self) -> models.QuerySet[Any]:
        return Reminder.objects.visible_to(self.request.user).select_related("customer")


@require_http_methods(["GET", "POST"])
@permission_required("billing.set_reminders", raise_exception=True)
def levels(request: Request) -> HttpResponse:
    """Days, fees and words of each level."""
    present = {one.number: one for one in services.reminder_levels()}
    forms = [
        LevelForm(request.POST or None, prefix=f"level{number}", initial=_initial(present.get(number), number))
        for number in range(1, _MOST_LEVELS + 1)
    ]
    problems: list[str] = []
    status = 200
    if request.method == "POST":
        status = 422
        if all(form.is_valid() for form in forms):
            given = [terms for form in forms if (terms := form.terms()) is not None]
            try:
                services.set_reminder_levels(given, actor=request.user)
            except ValidationError as error:
                problems = error.messages
            else:
                messages.success(request, _("The levels are kept."))
                return redirect("billing:reminder-levels")
    context = {
        "forms": forms, "problems": problems, "currency": default_seller().currency,
    }  # fmt: skip
    return render(request, "billing/reminder_levels.html", context, status=status)


def _initial(level: Any, number: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if level is not None:
        found = {"days": level.days, "fee": f"{level.fee.normalize():f}", "deadline_days": level.deadline_days}
    for language, _name in settings.LANGUAGES:
        subject, body = (
            services.reminder_text(level, language) if level is not None else services.standard_text(number, language)
        )
        found |= {f"subject_{language}": subject, f"body_{language}": body}
    return found


class NoteList(ListView):
    """Calls, promises and disputes over all documents."""

    key = "collection-notes"
    title = gettext_lazy("Calls, promises and disputes")
    permission = "billing.view_payment"
    filterset_class = CollectionNoteFilter
    default_sort = "-id"
    actions = NOTE_ACTIONS
    template = "billing/collection_notes.html"
    empty_text = gettext_lazy("Nothing is noted. A note is made on the page of an invoice.")
    columns = [
        Column("invoice", gettext_lazy("Invoice"), path="invoice.number", link=lambda row: row.get_absolute_url()),
        Column("customer", gettext_lazy("Customer"), path="invoice.customer_name"),
        Column("kind", gettext_lazy("Kind"), kind="badge"),
        Column("text", gettext_lazy("What was said")),
        Column("promised_on", gettext_lazy("Promised for"), kind="date", nullable=True),
        Column("follow_up_on", gettext_lazy("Come back on"), kind="date", nullable=True),
        Column("open", gettext_lazy("Open and late"), kind="amount", path="invoice.open", currency="invoice_currency"),
        Column("state", gettext_lazy("State"), kind="badge"),
        Column("by", gettext_lazy("By"), path="by.name"),
        Column("outcome", gettext_lazy("What came of it"), default=False),
    ]

    def queryset(self) -> models.QuerySet[Any]:
        rows = CollectionNote.objects.visible_to(self.request.user).select_related("invoice", "by")
        return rows.annotate(invoice_currency=models.F("invoice__currency"))

    def context(self) -> dict[str, Any]:
        return {"today": business_today()}


class NoteAction(ActionView):
    """The verbs on a note."""

    actions = NOTE_ACTIONS
    lookup = "pk"

    def queryset(self) -> models.QuerySet[Any]:
        return CollectionNote.objects.visible_to(self.request.user).select_related("invoice")


def collection_of(user: Any, invoice: Invoice) -> dict[str, Any]:
    """What the page of an invoice shows of its collection."""
    if not user.has_perm("billing.view_payment") or invoice.is_draft or invoice.is_credit:
        return {"notes": [], "reminded": []}
    notes = list(CollectionNote.objects.filter(invoice=invoice).select_related("by", "closed_by")[:30])
    return {"notes": notes, "reminded": services.reminders_of([invoice.pk])}
