"""Bank files: reading them, and every entry with whose money it may be."""

from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST

from billing import services
from billing.actions import BANK_ACTIONS
from billing.filters import BankLineFilter
from billing.forms import BankAccountForm, BankFileForm, BookLineForm
from billing.models import BankAccount, BankLine, BankStatement, Payment
from customers.models import Customer
from ordermgmt.lib.actionviews import ActionView
from ordermgmt.lib.conflict import StaleVersion
from ordermgmt.lib.fsm import Blocker, TransitionRefused
from ordermgmt.lib.http import Request
from ordermgmt.lib.tables import Column, ListView
from ordermgmt.lib.tables.views import BULK_CAP

from .payments import chosen_customer

_WAITING = "/billing/bank/lines/?state=open"


@require_http_methods(["GET", "POST"])
@permission_required("billing.view_payment", raise_exception=True)
def overview(request: Request) -> HttpResponse:
    """The accounts with what waits on them, the files read last; a POST reads one."""
    form, status = BankFileForm(), 200
    if request.method == "POST":
        if not request.user.has_perm("billing.import_bank"):
            raise PermissionDenied
        form, status = BankFileForm(request.POST, request.FILES), 422
        if form.is_valid():
            upload = form.cleaned_data["file"]
            try:
                found = services.read_statement_file(
                    upload.read(), upload.name, account=form.cleaned_data["account"], actor=request.user
                )
            except ValidationError as error:
                form.add_error(None, error)
            else:
                messages.success(request, _read(found))
                return redirect(_WAITING)
    accounts = BankAccount.objects.annotate(waiting=Count("lines", filter=Q(lines__state=BankLine.State.OPEN)))
    context = {
        "form": form, "accounts": accounts, "can_import": request.user.has_perm("billing.import_bank"),
        "statements": BankStatement.objects.select_related("account", "by")[:20],
        "waiting": BankLine.objects.visible_to(request.user).waiting().count(),
    }  # fmt: skip
    return render(request, "billing/bank.html", context, status=status)


def _read(found: list[BankStatement]) -> str:
    fresh, known = sum(one.fresh for one in found), sum(one.known for one in found)
    text = ngettext("%(count)s new entry was read.", "%(count)s new entries were read.", fresh) % {"count": fresh}
    if known:
        text += " " + ngettext(
            "%(count)s was known already.", "%(count)s were known already.", known
        ) % {"count": known}  # fmt: skip
    return text


@require_http_methods(["GET", "POST"])
@permission_required("billing.import_bank", raise_exception=True)
def account(request: Request, pk: int | None = None) -> HttpResponse:
    """Adds an account, or changes one, with the columns of its bank's tables."""
    present = get_object_or_404(BankAccount, pk=pk) if pk else None
    form = BankAccountForm(request.POST or None, instance=get_object_or_404(BankAccount, pk=pk) if pk else None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                services.keep_bank_account(present, actor=request.user, **form.facts())
            except ValidationError as error:
                form.add_error(None, error)
            else:
                messages.success(request, _("The account is kept."))
                return redirect("billing:bank")
    return render(request, "billing/bank_account.html", {"form": form, "account": present}, status=status)


@require_POST
@permission_required("billing.record_payment", raise_exception=True)
def sure(request: Request) -> HttpResponse:
    """Books every waiting entry of which it is sure whose it is; each stands for itself."""
    rows = BankLine.objects.visible_to(request.user).waiting().filter(amount__gt=0)
    booked, left = services.book_sure_lines(list(rows[:BULK_CAP]), actor=request.user)
    text = ngettext("%(count)s entry is booked.", "%(count)s entries are booked.", booked) % {"count": booked}
    if left:
        text += " " + ngettext("%(count)s waits for you.", "%(count)s wait for you.", left) % {"count": left}
    (messages.success if booked else messages.info)(request, text)
    return redirect(_WAITING)


class LineList(ListView):
    """Bank entries, oldest first, with whose money they may be."""

    key = "bank-lines"
    title = gettext_lazy("Bank entries")
    permission = "billing.view_payment"
    filterset_class = BankLineFilter
    default_sort = "booked_on"
    actions = BANK_ACTIONS
    template = "billing/bank_lines.html"
    empty_text = gettext_lazy("No entry matches. Clear the filters, or read a file of the bank.")
    columns = [
        Column("booked_on", gettext_lazy("Booked on"), kind="date", link=lambda row: row.get_absolute_url()),
        Column("amount", gettext_lazy("Amount"), kind="amount"),
        Column("name", gettext_lazy("Other party")),
        Column("text", gettext_lazy("Remittance text")),
        Column("match", gettext_lazy("Whose it may be"), value=lambda row: getattr(row, "told", "")),
        Column("state", gettext_lazy("State"), kind="badge"),
        Column("payment", gettext_lazy("Payment"), path="payment.number", nullable=True),
        Column("account", gettext_lazy("Bank account"), path="account.name"),
        Column("reference", gettext_lazy("Bank reference"), default=False),
        Column("iban", gettext_lazy("Their account"), default=False),
        Column("reason", gettext_lazy("Reason"), default=False),
    ]

    def queryset(self) -> models.QuerySet[Any]:
        return BankLine.objects.visible_to(self.request.user).select_related("account", "payment")

    def _rows(self, rows: list[Any], columns: list[Column], *, ticked: bool) -> list[SafeString]:
        """All matches of a page are found together."""
        waiting = [row for row in rows if row.state == BankLine.State.OPEN]
        matches = services.match_lines(waiting)
        for row in waiting:
            row.told = _told(row, matches.get(row.pk, []))
        return super()._rows(rows, columns, ticked=ticked)


def _told(line: BankLine, matches: list[services.Match]) -> str:
    if line.amount < 0:
        return _("Bounced: choose the payment")
    if not matches:
        return _("Nobody is recognised")
    first = matches[0]
    text = f"{first.customer}: {', '.join(first.reasons)}"
    if first.sure:
        return f"✓ {text}"
    more = len(matches) - 1
    return f"? {text}" + (" " + _("(and %(count)s more)") % {"count": more} if more else "")


@require_http_methods(["GET", "POST"])
@permission_required("billing.view_payment", raise_exception=True)
def line(request: Request, pk: int) -> HttpResponse:
    """One entry: what the bank wrote, whose it may be and why; a POST books it for the chosen customer."""
    rows = BankLine.objects.visible_to(request.user).select_related("account", "payment", "statement", "by")
    one = get_object_or_404(rows, pk=pk)
    waits = one.state == BankLine.State.OPEN
    matches = services.match_line(one) if waits else []
    data = request.POST if request.method == "POST" else request.GET
    customer = chosen_customer(Customer.objects.visible_to(request.user), data.get("customer", ""))
    if customer is None and request.method == "GET" and matches and matches[0].sure:
        customer = matches[0].customer
    form, blockers, status = None, [], 200
    if customer is not None and waits and one.amount > 0:
        form = _form(request, one, customer, matches)
    if request.method == "POST":
        if not request.user.has_perm("billing.record_payment"):
            raise PermissionDenied
        answer = _book(request, one, customer, form)
        if isinstance(answer, HttpResponse):
            return answer
        blockers, status = answer, 409 if answer else 422
    context = {
        "line": one, "matches": matches, "customer": customer, "form": form, "blockers": blockers,
        "payments": services.returned_payments(one) if waits else [],
        "actions": [action for action in BANK_ACTIONS.offered(one, request.user) if action.name != "book"],
        "can_book": request.user.has_perm("billing.record_payment"),
    }  # fmt: skip
    return render(request, "billing/bank_line.html", context, status=status)


def _form(request: Request, one: BankLine, customer: Customer, matches: list[services.Match]) -> BookLineForm:
    match = next((match for match in matches if match.customer_id == customer.pk), None)
    suggested: dict[int, Decimal] = (
        match.shares if match else services.suggest(customer, one.currency, one.amount, one.text)
    )
    instalments = services.open_instalments(customer, one.currency)
    return BookLineForm(request.POST or None, line=one, instalments=instalments, suggested=suggested)


def _book(
    request: Request, one: BankLine, customer: Customer | None, form: BookLineForm | None
) -> HttpResponse | list[Blocker]:
    """The way on, or what stands in the way: nothing where the form has the error."""
    if customer is None or form is None:
        return [
            Blocker(_("This entry can't be booked: it was dealt with, or no customer is chosen."), request.path, "")
        ]
    if not form.is_valid():
        return []
    try:
        done = services.book_line(
            one, customer=customer, allocations=form.allocations(), version=form.cleaned_data["version"],
            actor=request.user,
        )  # fmt: skip
    except TransitionRefused as refused:
        return refused.blockers
    except StaleVersion:
        return [Blocker(_("Somebody dealt with this entry meanwhile."), request.path, _("Open it anew"))]
    except ValidationError as error:
        form.add_error(None, ValidationError(error.messages))
        return []
    messages.success(request, _("Payment %(number)s is recorded.") % {"number": done.payment})
    return redirect(_WAITING)


@require_POST
@permission_required("billing.cancel_payment", raise_exception=True)
def give_back(request: Request, pk: int) -> HttpResponse:
    """Takes the chosen payment back that bounced."""
    one = get_object_or_404(BankLine.objects.visible_to(request.user), pk=pk)
    payment = get_object_or_404(Payment.objects.visible_to(request.user), number=request.POST.get("payment", "")[:40])
    try:
        services.return_line(one, payment=payment, actor=request.user)
    except TransitionRefused as refused:
        messages.error(request, str(refused))
        return redirect(one)
    messages.success(request, _("%(number)s is taken back; its invoices are open again.") % {"number": payment.number})
    return redirect(reverse("billing:payment-detail", args=[payment.number]))


class LineAction(ActionView):
    """The verbs on an entry."""

    actions = BANK_ACTIONS
    lookup = "pk"

    def queryset(self) -> models.QuerySet[Any]:
        return BankLine.objects.visible_to(self.request.user).select_related("account", "payment")
