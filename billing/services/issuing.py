"""`issue_invoice`: from draft to a document that never changes."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

from django.db import transaction
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from billing import events
from billing.models import Instalment, Invoice
from customers.models import Address, Customer
from customers.services import exemption_certificate, move_balance
from ordermgmt.activity.services import enqueue, record
from ordermgmt.company.models import SellerProfile, TaxProfile, TaxRate
from ordermgmt.company.services import business_today, kept_rules
from ordermgmt.documents.services import store_file, take_number
from ordermgmt.lib.calculation import TaxRules
from ordermgmt.lib.claims import retained
from ordermgmt.lib.fsm import check_transition
from ordermgmt.lib.money import ZERO, total
from orders.models import Order
from orders.services import note_invoiced

from .base import content_of, lock_invoice, refuse, require, root_of
from .ceiling import check_ceiling
from .composing import compose_standard, rules_now, same_money
from .drafting import check_quantities, count_drafts, free_instalments, quantities_of
from .early_terms import date_early
from .einvoicing import check_einvoice
from .exchanging import rate_on
from .requiring import check_required

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

_SELLER = (
    "name", "address", "country", "tax_id", "vat_id", "registration", "email", "phone", "website", "bank_name", "iban",
    "bic",
)  # fmt: skip
T = TypeVar("T")
PDF_JOB = "billing.invoice_pdf"
_PREFIX = {Invoice.Kind.CREDIT_NOTE: "CN", Invoice.Kind.DEBIT_NOTE: "DN", Invoice.Kind.OPENING: "OB"}


@transaction.atomic
def issue_invoice(invoice: Invoice, *, actor: "User", on: dt.date | None = None, version: int | None = None) -> Invoice:
    """Issues a draft: snapshot, instalments, number without a gap, event, and after commit its PDF.

    A second call gives back the issued document and does nothing (P04). `on` is its date, today by default, never
    in the future nor before the last one of the series (N5). Raises TransitionRefused with what blocks,
    StaleVersion for another version of the draft, PermissionDenied without the right.
    """
    require(actor, "billing.issue_invoice")
    invoice, order = lock_invoice(invoice)
    if not invoice.is_draft:
        return invoice
    if version is not None and version != invoice.version:
        lock_invoice(invoice, version=version)
    check_transition(invoice.issue, actor)
    if order is not None:
        _check_fresh(invoice, order)
    before = content_of(invoice)
    finish(invoice, order, actor=actor, on=on)
    if order is not None:
        quantities = quantities_of(invoice) if invoice.bills_order_lines else {}
        count_drafts(order, actor, without=invoice)
        note_invoiced(order, amount=invoice.due, invoiced=quantities, actor=actor)
    else:
        move_balance(invoice.customer, invoice.currency, invoiced=invoice.due)
    check_required(invoice)
    check_einvoice(invoice)
    number(invoice, actor=actor)
    ask_pdf(invoice, actor=actor)
    record(
        events.INVOICE_ISSUED, invoice, root=root_of(invoice), actor=actor, before=before, after=content_of(invoice),
        number=invoice.number, amount=invoice.money(invoice.due), currency=invoice.currency,
    )  # fmt: skip
    return invoice


def _check_fresh(invoice: Invoice, order: Order) -> None:
    if order.state in (Order.State.DRAFT, Order.State.CANCELLED, Order.State.SETTLED):
        raise refuse(_("An order in this state is not invoiced."), order.get_absolute_url(), _("Open the order"))
    if invoice.bills_order_lines:
        composition = compose_standard(order, check_quantities(order, quantities_of(invoice)), invoice.progress_percent)
        if not same_money(invoice, composition):
            raise refuse(
                _("The order's billing moved since this draft was made. Save the draft again to bring it up to date."),
                invoice.get_absolute_url() + "edit/",
                _("Edit the draft"),
            )
    check_ceiling(order, invoice.due)


def finish(
    invoice: Invoice, order: Order | None, *, actor: "User", on: dt.date | None, rules: TaxRules | None = None
) -> None:
    """Everything a document gets at issue but its number: dates, snapshots, exemption reasons, instalments.

    `rules` are those that it was calculated by, where they are not what its order or its seller's tax profile say now.
    """
    today = business_today()
    invoice.issue_date = on or today
    if invoice.issue_date > today:
        raise refuse(_("The invoice date lies in the future."), invoice.get_absolute_url(), _("Open the draft"))
    invoice.base_rate = rate_on(invoice.currency, invoice.issue_date)
    invoice.delivery_date = invoice.delivery_date or invoice.issue_date
    invoice.seller_data = {name: getattr(invoice.seller, name) for name in _SELLER}
    invoice.buyer = _buyer(invoice.customer, order)
    profile = order.tax_profile if order is not None else invoice.seller.tax_profile
    invoice.tax_profile = profile_data(profile, rules_now(invoice) if rules is None else rules)
    if order is not None:
        invoice.order_number, invoice.customer_reference = order.number, order.customer_reference
    _keep_exemptions(invoice, profile)
    date_early(invoice)
    if not invoice.is_credit:
        invoice.due_date = _lay_out(invoice, order)
    invoice.issued_by, invoice.issued_at = actor, timezone.now()


def number(invoice: Invoice, *, actor: "User") -> None:
    """Takes the number, as the last thing that waits for others, and makes the document final."""
    if invoice.issue_date is None:
        raise ValueError("finish() comes before number()")
    prefix = _PREFIX.get(invoice.kind, "INV")  # type: ignore[call-overload]  # the kind is stored as its text
    invoice.period = str(invoice.issue_date.year)
    invoice.series = f"{prefix}:{invoice.seller.code}"
    dated = None if invoice.kind == Invoice.Kind.OPENING else invoice.issue_date
    try:
        invoice.sequence = take_number(invoice.series, period=invoice.period, on=dated)
        # Numbers begin anew with the year, dates don't go back for it.
        if dated is not None and Invoice.objects.filter(series=invoice.series, issue_date__gt=dated).exists():
            raise ValueError(f"a document of the series {invoice.series} is dated after {dated}")
    except ValueError as error:
        raise refuse(
            _("A later date was given to an earlier number: the date of this document can't lie before it."),
            invoice.get_absolute_url(),
            _("Open the draft"),
        ) from error
    own = "" if invoice.seller.is_default else f"{invoice.seller.code}-"
    invoice.number = f"{prefix}-{own}{invoice.period}-{invoice.sequence:05d}"
    invoice.issue()
    invoice.version += 1
    invoice.save()


def ask_pdf(invoice: Invoice, *, actor: "User") -> None:
    """Asks for the PDF, once; a worker makes it after commit from what the document keeps."""
    enqueue(
        PDF_JOB, key=f"{PDF_JOB}:{invoice.pk}", params={"invoice": invoice.pk}, actor=actor,
        title=_("PDF of %(number)s") % {"number": invoice.number},
    )  # fmt: skip


@transaction.atomic
def keep_pdf(invoice: Invoice, content: bytes, *, actor: "User") -> Invoice:
    """Keeps the PDF of an issued document for ever; a second one is ignored (P33)."""
    invoice = Invoice.objects.locked(invoice.pk)
    if invoice.pdf_id is None and not invoice.is_draft:
        invoice.pdf = store_file(
            content, name=f"{invoice.number}.pdf", kind="invoice", actor=actor, content_type="application/pdf"
        )
        invoice.save(update_fields=["pdf"])
        record(
            events.PDF_KEPT, invoice, root=root_of(invoice), actor=actor, after={"sha256": invoice.pdf.sha256},
            number=invoice.number,
        )  # fmt: skip
    return invoice


def profile_data(profile: TaxProfile, rules: TaxRules) -> dict[str, Any]:
    """What a document keeps of its tax profile, and the rules that it is calculated by."""
    fields = ("code", "version", "country", "capital_numerals", "wording", "e_invoice", "layout", "credit_style")
    return {name: getattr(profile, name) for name in fields} | kept_rules(rules)


def _buyer(customer: Customer, order: Order | None) -> dict[str, str]:
    address = order.billing_address if order is not None else ""
    if not address:
        kept = customer.addresses.filter(kind=Address.Kind.BILLING).order_by("-is_default", "pk").first()
        with translation.override(customer.language):
            address = kept.as_text() if kept else ""
    name = customer.legal_name or customer.name
    lines = [line for line in address.splitlines() if line.strip() not in ("", name)]
    return {
        "name": name, "number": customer.number, "tax_id": customer.tax_id, "country": customer.country,
        "address": "\n".join(lines), "email": customer.email, "phone": customer.phone,
    }  # fmt: skip


def _keep_exemptions(invoice: Invoice, profile: TaxProfile) -> None:
    on = invoice.issue_date
    reasons = dict(
        TaxRate.objects.filter(profile=profile, valid_from__lte=on)
        .exclude(exemption_reason="")
        .order_by("valid_from")
        .values_list("category", "exemption_reason")
    )
    if profile.certificates:
        reasons["E"] = " ".join(filter(None, (reasons.get("E", ""), _certificate(invoice))))
    for tax in invoice.taxes.filter(category__in=list(reasons)):
        tax.exemption_reason = reasons[tax.category]
        tax.save(update_fields=["exemption_reason"])


def _certificate(invoice: Invoice) -> str:
    """The certificate that frees an exempt line of tax. Raises TransitionRefused where none is valid on the day.

    What a credit note takes back was untaxed: it asks for none.
    """
    if not invoice.taxes.filter(category="E").exists():
        return ""
    day = invoice.issue_date or business_today()
    number = exemption_certificate(invoice.customer, day)
    if not number and not invoice.is_credit:
        raise refuse(
            _("A line is exempt from tax, but the customer has no exemption certificate that is valid on %(day)s.")
            % {"day": date_format(day, "SHORT_DATE_FORMAT")},
            f"/customers/{invoice.customer.number}/#certificates", _("Open the certificates"),
        )  # fmt: skip
    return f"({number})" if number else ""


def _lay_out(invoice: Invoice, order: Order | None) -> dt.date:
    """Gives the document its instalments, which add up to what is due exactly. Returns the first due date.

    Instalments of the order's plan come first, in their order; one that reaches beyond this document is cut, and the
    plan keeps its sum. What no plan covers, and what was planned for a day before the document's own, is due after the
    payment days: nothing is overdue when it is issued.
    """
    dated: dt.date = invoice.issue_date or business_today()
    plain: dt.date = dated + dt.timedelta(days=invoice.payment_days)
    kept = _kept_back(invoice, order)
    due = invoice.due - kept
    attached = list(invoice.instalments.select_for_update(no_key=True, of=("self",)).order_by("seq", "pk"))
    if total(one.amount for one in attached) != due:
        free_instalments(invoice)
        # What was agreed beside the order's lines is in no plan.
        planned = order is not None and invoice.kind != Invoice.Kind.DEBIT_NOTE
        attached = _from_plan(invoice, order) if planned and order is not None else []
    if invoice.completes and order is not None:
        # Where a deduction came off, the plan asks for more than there is: nothing is left to be billed.
        Instalment.objects.planned().filter(plan__order=order).delete()
    for one in attached:
        if one.trigger == Instalment.Trigger.DEFECTS and one.due_date > plain:
            # Billed in full, but kept back until the defects period is over.
            one.kind, one.label = Instalment.Kind.RETENTION, one.label or _("Retention")
            one.save(update_fields=["kind", "label"])
        elif one.trigger != Instalment.Trigger.DATE or one.due_date < dated:
            # What it waited for has come now, or its day went by before it was billed: the usual days to pay.
            one.due_date = plain
            one.save(update_fields=["due_date"])
    left = due - total(one.amount for one in attached)
    if left > ZERO:
        attached.append(
            Instalment.objects.create(
                invoice=invoice, customer=invoice.customer, currency=invoice.currency, seq=len(attached) + 1,
                amount=left, due_date=plain,
            )
        )  # fmt: skip
    if kept > ZERO:
        Instalment.objects.create(
            invoice=invoice, customer=invoice.customer, currency=invoice.currency, seq=len(attached) + 1, amount=kept,
            due_date=invoice.retention_until or plain, kind=Instalment.Kind.RETENTION, label=_("Retention"),
        )  # fmt: skip
    return min((one.due_date for one in attached), default=plain)


def _kept_back(invoice: Invoice, order: Order | None) -> Decimal:
    """What is billed but payable only at its release."""
    if invoice.retention_percent is None:
        return ZERO
    day = invoice.retention_until
    if day is not None and invoice.issue_date is not None and day <= invoice.issue_date:
        raise refuse(_("The retention ends before the invoice: choose a later day."), invoice.get_absolute_url())
    if order is not None and Instalment.objects.planned().filter(plan__order=order).exists():
        raise refuse(
            _("This order is paid by a plan: make the retention its last instalment."),
            f"/billing/orders/{order.number}/plan/", _("Open the instalment plan"),
        )  # fmt: skip
    _now, kept = retained(invoice.due, invoice.retention_percent, invoice.currency, invoice.cash_step)
    return kept


def _from_plan(invoice: Invoice, order: Order) -> list[Instalment]:
    planned = Instalment.objects.select_for_update(no_key=True, of=("self",)).filter(
        plan__order=order, plan__is_active=True, invoice=None
    )
    left, taken = invoice.due, []
    for one in planned.order_by("seq", "pk"):
        if left <= ZERO:
            break
        if one.amount > left:
            rest = Instalment(
                plan=one.plan, customer=one.customer, currency=one.currency, seq=one.seq, label=one.label,
                kind=one.kind, amount=one.amount - left, due_date=one.due_date, trigger=one.trigger,
                milestone=one.milestone,
            )  # fmt: skip
            one.amount = left
            rest.save()
        one.invoice = invoice
        one.save(update_fields=["invoice", "amount"])
        taken.append(one)
        left -= one.amount
    return taken


def as_issued(invoice: Invoice, show: Callable[[Invoice], T]) -> T:
    """What `show` makes of a draft as it would be issued now, but for its number; nothing of it stays.

    The draft goes through the very code of the issue, so a preview can't differ from the document.
    """
    with transaction.atomic():
        rows = Invoice.objects.select_related("order__tax_profile", "customer", "seller__tax_profile")
        fresh = rows.get(pk=invoice.pk)
        finish(fresh, fresh.order, actor=fresh.created_by, on=None)
        shown = show(fresh)
        transaction.set_rollback(True)
    return shown


def seller_prints(seller: SellerProfile) -> dict[str, Any]:
    """The seller as documents print it now (preview of a draft)."""
    return {name: getattr(seller, name) for name in _SELLER}


def buyer_prints(invoice: Invoice) -> dict[str, str]:
    """The buyer as the document will print it (preview of a draft)."""
    return _buyer(invoice.customer, invoice.order)
