"""The ledger of a period: control totals, the check of the numbers, journal and bookings as files, and the accounts."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from billing import services
from billing.forms import LedgerAccountsForm
from billing.forms.ledger import name_of
from customers.models import Customer
from ordermgmt.company.services import default_seller
from ordermgmt.lib.fsm import Blocker, TransitionRefused
from ordermgmt.lib.http import Request
from ordermgmt.lib.money import total

from .parts import csv_file, period

#: So many entries are booked while the reader waits; a longer period shows control totals, and its file has the rest.
MOST_BOOKED = 5000


@require_safe
@permission_required("billing.export_ledger", raise_exception=True)
def ledger(request: Request) -> HttpResponse | StreamingHttpResponse:
    """A period with its control totals and the check of the numbers; as CSV for the accountant."""
    form, start, end = period(request)
    customers = Customer.objects.visible_to(request.user)
    wanted, status = request.GET.get("export"), 422 if form.is_bound and form.errors else 200
    if wanted == "csv" and status == 200:
        rows = services.journal_file(customers, start=start, end=end)
        return csv_file(f"journal-{start}-{end}", services.JOURNAL_COLUMNS, rows)
    controls, numbers = services.control_totals(customers, start=start, end=end), services.ledger_accounts()
    count = sum(one.count for one in controls)
    found = services.bookings(customers, start=start, end=end) if count <= MOST_BOOKED else []
    totals = services.account_totals(found)
    # Where there are too many to look at, every use wants its account before there is a file.
    missing = services.unset(services.slots() if count > MOST_BOOKED else (row.slot for row in totals))
    if wanted == "bookings" and status == 200 and not missing:
        rows = services.booking_file(customers, numbers, start=start, end=end)
        return csv_file(f"bookings-{start}-{end}", services.BOOKING_COLUMNS, rows)
    unrated = [one for one in found if not one.rated]
    context = {
        "form": form, "start": start, "end": end, "count": count, "controls": controls,
        "series": services.number_gaps(), "base": default_seller().currency, "most": MOST_BOOKED,
        "missing": [services.slot_label(slot) for slot in missing],
        "accounts": [(services.slot_label(row.slot), numbers.get(row.slot, ""), row) for row in totals],
        "bookings": len(found), "debit": total(row.debit for row in totals),
        "credit": total(row.credit for row in totals), "unrated": len(unrated),
        "currencies": sorted({one.entry.currency for one in unrated}),
        "unbalanced": [one.entry.key for one in found if not one.balanced],
        "late": sum(1 for one in found if one.late),
    }  # fmt: skip
    return render(request, "billing/ledger.html", context, status=409 if wanted == "bookings" else status)


@require_http_methods(["GET", "POST"])
@permission_required("billing.export_ledger", raise_exception=True)
def accounts(request: Request) -> HttpResponse:
    """Where each use is booked; a POST sets the accounts."""
    may = request.user.has_perm("billing.set_ledger_accounts")
    slots, now = services.slots(), services.ledger_accounts()
    proposed = {} if now else services.proposed_accounts()
    initial = {name_of(slot): now.get(slot, proposed.get(slot, "")) for slot in slots}
    form, status = LedgerAccountsForm(slots, now, initial=initial), 200
    blockers: list[Blocker] = []
    if request.method == "POST":
        if not may:
            raise PermissionDenied
        form, status = LedgerAccountsForm(slots, now, request.POST), 422
        if form.is_valid():
            try:
                services.set_ledger_accounts(form.numbers(), seen=form.seen(), actor=request.user)
            except ValidationError as error:
                form.add_problems(error.message_dict)
            except TransitionRefused as error:
                blockers, status = error.blockers, 409
            else:
                messages.success(request, _("The accounts are saved."))
                return redirect("billing:ledger")
    context = {"form": form, "may": may, "proposed": bool(proposed), "blockers": blockers}
    return render(request, "billing/ledger_accounts.html", context, status=status)
